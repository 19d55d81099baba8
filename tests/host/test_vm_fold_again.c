/* SPDX-License-Identifier: MIT */
/*
 * Folding, further: what was split comes together again, to 1 GiB; pages whose write is pending;
 * hidden ones; and a hart that was in the table, or waited for it.
 */
#include "mm/pt_node.h"
#include "mm/vm_fault.h"
#include "mm/vm_space_priv.h"
#include "support_fold.h"

static void map_block(struct world *world, uint64_t at, struct frame *block, unsigned level)
{
    uint64_t bytes = pte_level_bytes(level);
    struct vm_cursor cursor = cursor_open(world, at, bytes, VM_CURSOR_CHANGE);

    EXPECT_OK(vm_cursor_map_block(&cursor, block, level, prop(VM_RW), VM_MAP_EXCLUSIVE));
    vm_cursor_close(&cursor);
}

/* The table that holds the entries of `level` for an address. */
static struct pt_node *node_at(const struct world *world, uint64_t at, unsigned level)
{
    struct pt_node *node = world->space->root;

    while (node->level > level) {
        node = pt_node_of(pte_slot_load(&node->slots[pte_index(va(at), node->level)]));
    }
    return node;
}

MODE_TEST(vm_fold_again, what_was_split_folds_again)
{
    struct world world = world_begin(*levels);
    struct frame *block = frames_new(9);
    uint64_t charged;

    frame_block_join(block, 1);
    map_block(&world, BASE, block, 1);
    charged = vm_space_charged(world.space);
    for (unsigned round = 0; round < 3; round++) {
        EXPECT_EQ(protect_at(&world, BASE + round * PAGE_SIZE, 1, VM_R), 1);
        EXPECT_EQ(slot_bytes_at(&world, BASE), PAGE_SIZE);
        EXPECT_EQ(vm_space_charged(world.space), charged + 1);
        EXPECT_EQ(fold_at(&world, BASE, 2 * MIB), 0);
        EXPECT_EQ(protect_at(&world, BASE + round * PAGE_SIZE, 1, VM_RW), 1);
        EXPECT_EQ(fold_at(&world, BASE, 2 * MIB), 1);
        EXPECT_EQ(vm_space_charged(world.space), charged);
    }
    EXPECT_EQ(protect_at(&world, BASE, 1, VM_PROT_NONE), 1);
    EXPECT_EQ(protect_at(&world, BASE, PAGES, VM_PROT_NONE), PAGES);
    EXPECT_EQ(fold_at(&world, BASE, 2 * MIB), 1);
    EXPECT_EQ(protect_at(&world, BASE, PAGES, VM_RW), PAGES);
    EXPECT_EQ(slot_bytes_at(&world, BASE), 2 * MIB);
    expect_mapped(&world, BASE + 3 * PAGE_SIZE, block + 3, VM_RW);
    world_end(&world);
}

/* ---- hidden pages, pending ones ---- */

MODE_TEST(vm_fold_again, hidden_pages_fold_and_come_back_as_one)
{
    struct world world = world_begin(*levels);
    struct frame *frames = map_pieces(&world, BASE, VM_RW);
    struct vm_cursor cursor;
    struct vm_item item;
    unsigned folded;

    EXPECT_EQ(protect_at(&world, BASE, PAGES, VM_PROT_NONE), PAGES);
    cursor = cursor_open(&world, BASE, 2 * MIB, VM_CURSOR_EDIT);
    host_events_start();
    EXPECT_OK(vm_cursor_fold(&cursor, 2 * MIB, 1, &folded));
    EXPECT_EQ(folded, 1);
    EXPECT_EQ(flushes(), 0); /* no translation of a page is left, but one of the table may be */
    vm_cursor_close(&cursor);
    EXPECT_EQ(flushes(), 1);
    world_check(&world);
    item = item_at(&world, BASE);
    cr_assert(item.kind == VM_ITEM_HIDDEN && item.frame == frames);
    EXPECT_EQ(item.level, 1);
    EXPECT_EQ(unmap_at(&world, BASE, 2 * MIB).ram_pages, PAGES);
    world_end(&world);
}

MODE_TEST(vm_fold_again, pages_with_a_write_pending_fold_when_nobody_else_has_them)
{
    struct world world = world_begin(*levels);
    struct frame *frames = map_pieces(&world, BASE, VM_R);

    for (unsigned i = 0; i < PAGES; i++) {
        frame_get(frames + i);
    }
    EXPECT_EQ(protect_at(&world, BASE, PAGES, VM_RW), PAGES); /* pending, for others have them */
    EXPECT_EQ(sw_at(&world, BASE), PTE_SW_PENDING);
    EXPECT_EQ(fold_at(&world, BASE, 2 * MIB), 0);
    for (unsigned i = 0; i < PAGES; i++) {
        frame_put(frames + i);
    }
    EXPECT_EQ(fold_at(&world, BASE, 2 * MIB), 1);
    expect_mapped(&world, BASE, frames, VM_R);
    EXPECT_EQ(item_at(&world, BASE).prop.prot, VM_RW);
    EXPECT_EQ(vm_space_fault(world.space, va(BASE + MIB), VM_ACCESS_WRITE), VM_FAULT_RETRY);
    expect_mapped(&world, BASE, frames, VM_RW); /* the whole page is this space's alone */
    EXPECT_EQ(slot_bytes_at(&world, BASE), 2 * MIB);
    world_end(&world);
}

/* ---- 1 GiB ---- */

#define GIB_FRAMES (PAGES * PAGES)

/* RAM with a free block of 1 GiB, whose frames have one reference each. */
static struct world world_with_gib(unsigned levels, struct frame **frames)
{
    struct world world = {.levels = levels};

    machine_default(2 * GIB);
    machine_boot(levels);
    world.free_before = frame_free_count();
    EXPECT_OK(vm_space_create(NULL, &world.space));
    vm_space_activate(world.space);
    *frames = frames_new(FRAME_ORDER_MAX);
    return world;
}

static void map_gib(struct world *world, struct frame *frames)
{
    for (uint64_t i = 0; i < PAGES; i++) {
        frame_block_join(frames + i * PAGES, 1);
        map_block(world, BASE + i * 2 * MIB, frames + i * PAGES, 1);
    }
}

Test(vm_fold_again, large_pages_become_one_of_1_gib)
{
    struct frame *frames;
    struct world world = world_with_gib(4, &frames);
    uint64_t charged;

    map_gib(&world, frames);
    charged = vm_space_charged(world.space);
    EXPECT_EQ(fold_at(&world, BASE, GIB), 1);
    EXPECT_EQ(vm_space_charged(world.space), charged - 1);
    EXPECT_EQ(slot_bytes_at(&world, BASE), GIB);
    expect_mapped(&world, BASE + 700 * MIB, frames + 700 * MIB / PAGE_SIZE, VM_RW);
    /* Split at one page, it folds over two levels. */
    EXPECT_EQ(protect_at(&world, BASE + 5 * MIB, 1, VM_R), 1);
    EXPECT_EQ(fold_at(&world, BASE, GIB), 0);
    EXPECT_EQ(protect_at(&world, BASE + 5 * MIB, 1, VM_RW), 1);
    EXPECT_EQ(fold_at(&world, BASE, GIB), 2);
    EXPECT_EQ(slot_bytes_at(&world, BASE), GIB);
    EXPECT_EQ(unmap_at(&world, BASE, GIB).ram_pages, GIB_FRAMES);
    world_end(&world);
}

Test(vm_fold_again, for_1_gib_the_owners_of_each_block_count)
{
    struct frame *frames;
    struct world world = world_with_gib(3, &frames);

    map_gib(&world, frames);
    frame_block_get(frames + 300 * PAGES, 1);
    EXPECT_EQ(fold_at(&world, BASE, GIB), 0);
    frame_block_put(frames + 300 * PAGES, 1);
    frame_get(frames + 300 * PAGES + 7); /* a slice: counted where it is */
    EXPECT_EQ(fold_at(&world, BASE, GIB), 1);
    EXPECT_EQ(unmap_at(&world, BASE, GIB).ram_pages, GIB_FRAMES);
    reap_all();
    EXPECT_EQ(frame_refs(frames + 300 * PAGES + 7), 1);
    frame_put(frames + 300 * PAGES + 7);
    world_end(&world);
}

/* ---- other harts ---- */

MODE_TEST(vm_fold_again, the_table_is_stray_and_stays_while_a_hart_may_be_in_it)
{
    struct world world = world_begin(*levels);
    struct pt_node *table;

    (void)map_pieces(&world, BASE, VM_RW);
    table = node_at(&world, BASE, 0);
    host_hart_set(1);
    host_hart_enter();
    host_hart_set(0);
    EXPECT_EQ(fold_at(&world, BASE, 2 * MIB), 1);
    cr_assert(table->is_stray && !spinlock_is_mine(&table->lock));
    while (vm_space_reap()) {
        continue;
    }
    cr_assert(!vm_space_reap_is_done());
    EXPECT_EQ(table->frame->type, FRAME_TABLE);
    host_hart_set(1);
    host_hart_leave();
    host_hart_set(0);
    reap_all();
    world_end(&world);
}

static struct {
    struct world *world;
    unsigned flushes;
} seen;

/* What stands at the place while the flush goes on. */
static void look_during_flush(void *context, struct tlb_op op)
{
    (void)context;
    (void)op;
    seen.flushes++;
    expect_absent(seen.world, BASE);
}

MODE_TEST(vm_fold_again, nothing_is_there_until_the_flush_is_done)
{
    struct world world = world_begin(*levels);

    (void)map_pieces(&world, BASE, VM_RW);
    seen.world = &world;
    host_on_flush(look_during_flush, NULL);
    EXPECT_EQ(fold_at(&world, BASE, 2 * MIB), 1);
    host_on_flush(NULL, NULL);
    EXPECT_EQ(seen.flushes, 1);
    world_end(&world);
}
