/* SPDX-License-Identifier: MIT */
/*
 * Moving large pages: as one entry where both sides are aligned alike, else split; in tables that
 * change hands whole, too; within a space and to another; what is in the way, and memory that is
 * out.
 */
#include "support_large_pages.h"

#define ALIKE (BASE + 8 * GIB)
#define APART (ALIKE + 3 * PAGE_SIZE)

static void expect_spaces_right(const struct sides *sides)
{
    EXPECT_OK(vm_space_check(sides->world.space));
    EXPECT_OK(vm_space_check(sides->other.space));
}

static struct result move_to_other(const struct sides *sides, uint64_t there, uint64_t bytes,
                                   unsigned max_edits)
{
    struct result result =
        move_between(&sides->world, BASE, &sides->other, there, bytes, max_edits);

    expect_spaces_right(sides);
    return result;
}

/* ---- as one entry ---- */

MODE_TEST(vm_cursor_move_large, one_entry_changes_its_place)
{
    struct world world = world_begin(*levels);
    struct frame *block = large_page_at(&world, BASE, VM_RW);
    uint64_t charged = vm_space_charged(world.space);

    pte_slot_clear(slot_in(&world, BASE), PTE_D);
    another_hart_runs(&world);
    cr_assert(hart_may(1, BASE + LARGE - PAGE_SIZE, ORACLE_READ, NULL));
    host_events_start();
    expect_done(move_inside(&world, BASE, ALIKE, LARGE, 1), OK, LARGE);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_REMOTE), 1);
    cr_assert(!hart_may(1, BASE, ORACLE_READ, NULL));
    cr_assert(!hart_may(1, BASE + LARGE - PAGE_SIZE, ORACLE_READ, NULL));
    EXPECT_OK(vm_space_check(world.space));
    expect_slot_is(&world, ALIKE, LARGE, VM_ITEM_RAM, VM_RW);
    cr_assert(!slot_of(&world, ALIKE).item.dirty);
    pte_slot_set(slot_in(&world, ALIKE), PTE_D);
    expect_block(&world, ALIKE, block, LARGE, VM_RW);
    EXPECT_EQ(block_refs(block, 1), 1);
    cr_assert(vm_space_charged(world.space) <= charged + 2); /* tables */
    another_hart_leaves();
    world_end(&world);
}

MODE_TEST(vm_cursor_move_large, to_another_space_its_charge_goes_along)
{
    struct sides sides = sides_begin(*levels);
    struct frame *block = large_page_at(&sides.world, BASE, VM_RWX);
    uint64_t charged = vm_space_charged(sides.world.space);
    unsigned tables = *levels - 2; /* down to level 1 */

    another_hart_runs(&sides.other);
    host_events_start();
    expect_done(move_to_other(&sides, ALIKE, LARGE, 1), OK, LARGE);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_CODE_REMOTE), 1);
    another_hart_leaves();
    expect_absent(&sides.world, BASE);
    expect_slot_is(&sides.other, ALIKE, LARGE, VM_ITEM_RAM, VM_RWX);
    expect_block(&sides.other, ALIKE, block, LARGE, VM_RWX);
    EXPECT_EQ(vm_space_charged(sides.world.space), charged - PARTS);
    EXPECT_EQ(vm_space_split_stock(sides.other.space), 2 * (*levels - 1));
    EXPECT_EQ(vm_space_charged(sides.other.space), 1 + tables + PARTS + 2 * (*levels - 1));
    sides_end(&sides);
}

MODE_TEST(vm_cursor_move_large, hidden_ones_and_those_of_devices_as_well)
{
    struct sides sides = sides_begin(*levels);
    struct frame *block = large_page_at(&sides.world, BASE + LARGE, VM_RW);
    struct io_mem *io = device_at(&sides.world, BASE, LARGE);
    struct io_mem *found;
    uint64_t offset;

    (void)protect_range(&sides.world, BASE + LARGE, LARGE, VM_PROT_NONE);
    /* Not all of the table, so that it is not the table that goes. */
    map_at(&sides.world, BASE + 2 * LARGE, frame_new(), VM_R);
    expect_done(move_to_other(&sides, ALIKE, 2 * LARGE, 2), OK, 2 * LARGE);
    expect_slot_is(&sides.other, ALIKE, LARGE, VM_ITEM_IO, VM_RW);
    expect_mapped_pa(&sides.other, ALIKE + LARGE - PAGE_SIZE, DEVICE_BASE + LARGE - PAGE_SIZE,
                     VM_RW);
    expect_slot_is(&sides.other, ALIKE + LARGE, LARGE, VM_ITEM_HIDDEN, VM_PROT_NONE);
    EXPECT_EQ(io_mem_refs(io), PARTS);
    EXPECT_STATUS(vm_space_find_iomem(sides.world.space, pa(DEVICE_BASE), &found, &offset),
                  ERR_NOENT);
    EXPECT_EQ(protect_range(&sides.other, ALIKE + LARGE, LARGE, VM_RW), PARTS);
    expect_block(&sides.other, ALIKE + LARGE, block, LARGE, VM_RW);
    (void)unmap_at(&sides.other, ALIKE, LARGE);
    EXPECT_EQ(io_mem_refs(io), 0);
    sides_end(&sides);
}

/* ---- what is split ---- */

MODE_TEST(vm_cursor_move_large, what_is_not_aligned_alike_is_split)
{
    struct sides sides = sides_begin(*levels);
    struct frame *block = large_page_at(&sides.world, BASE, VM_RW);

    another_hart_runs(&sides.world);
    cr_assert(hart_may(1, BASE + 5 * PAGE_SIZE, ORACLE_READ, NULL));
    expect_done(move_to_other(&sides, APART, LARGE, 9999), OK, LARGE);
    for (uint64_t i = 0; i < PARTS; i += 73) {
        cr_assert(!hart_may(1, BASE + i * PAGE_SIZE, ORACLE_READ, NULL));
    }
    expect_absent(&sides.world, BASE);
    expect_block(&sides.other, APART, block, LARGE, VM_RW);
    EXPECT_EQ(block_refs(block, 1), 0);
    EXPECT_EQ(frame_refs(block + 511), 1);
    another_hart_leaves();
    sides_end(&sides);
}

MODE_TEST(vm_cursor_move_large, a_part_leaves_the_rest)
{
    struct world world = world_begin(*levels);
    struct frame *block = large_page_at(&world, BASE, VM_RW);
    uint64_t off = 510 * PAGE_SIZE;

    another_hart_runs(&world);
    cr_assert(hart_may(1, BASE + off, ORACLE_READ, NULL));
    expect_done(move_inside(&world, BASE + off, ALIKE + off, 2 * PAGE_SIZE, 256), OK,
                2 * PAGE_SIZE);
    EXPECT_OK(vm_space_check(world.space));
    cr_assert(!hart_may(1, BASE + off, ORACLE_READ, NULL));
    expect_absent(&world, BASE + off);
    expect_block(&world, BASE, block, off, VM_RW);
    expect_block(&world, ALIKE + off, block + 510, 2 * PAGE_SIZE, VM_RW);
    another_hart_leaves();
    world_end(&world);
}

MODE_TEST(vm_cursor_move_large, a_part_of_a_hidden_one_owes_no_flush)
{
    struct world world = world_begin(*levels);
    struct frame *block = large_page_at(&world, BASE, VM_RW);

    (void)protect_range(&world, BASE, LARGE, VM_PROT_NONE);
    host_events_start();
    expect_done(move_inside(&world, BASE, ALIKE, 4 * PAGE_SIZE, 256), OK, 4 * PAGE_SIZE);
    EXPECT_EQ(fences(), 0);
    expect_slot_is(&world, ALIKE, PAGE_SIZE, VM_ITEM_HIDDEN, VM_PROT_NONE);
    EXPECT_EQ(protect_range(&world, ALIKE, 4 * PAGE_SIZE, VM_R), 4);
    expect_block(&world, ALIKE, block, 4 * PAGE_SIZE, VM_R);
    world_end(&world);
}

/* A device's page, too, of which each space counts its part. */
MODE_TEST(vm_cursor_move_large, a_part_of_a_devices_page_is_split_off)
{
    struct sides sides = sides_begin(*levels);
    struct io_mem *io = device_at(&sides.world, BASE, LARGE);

    expect_done(move_to_other(&sides, APART, 3 * PAGE_SIZE, 256), OK, 3 * PAGE_SIZE);
    expect_mapped_pa(&sides.other, APART + PAGE_SIZE, DEVICE_BASE + PAGE_SIZE, VM_RW);
    expect_absent(&sides.world, BASE);
    expect_mapped_pa(&sides.world, BASE + 3 * PAGE_SIZE, DEVICE_BASE + 3 * PAGE_SIZE, VM_RW);
    EXPECT_EQ(io_mem_refs(io), PARTS);
    EXPECT_EQ(unmap_at(&sides.other, APART, LARGE).io_pages, 3);
    EXPECT_EQ(io_mem_refs(io), PARTS - 3);
    sides_end(&sides);
}

/* ---- in tables ---- */

/* A table of level 1 that holds a large page, a hidden one and a table of small ones goes whole;
 * the charge goes along, and the stock is there to split what has come. */
MODE_TEST(vm_cursor_move_large, tables_that_hold_them_change_hands)
{
    struct sides sides = sides_begin(*levels);
    struct frame *block = large_page_at(&sides.world, BASE, VM_RW);
    struct frame *hidden = large_page_at(&sides.world, BASE + LARGE, VM_RW);
    struct frame *small = page_with(&sides.world, BASE + 2 * LARGE, 5);
    uint64_t charged;
    uint64_t charged_there = vm_space_charged(sides.other.space);

    (void)protect_range(&sides.world, BASE + LARGE, LARGE, VM_PROT_NONE);
    charged = vm_space_charged(sides.world.space);
    expect_done(move_to_other(&sides, ALIKE, GIB, 256), OK, GIB);
    EXPECT_EQ(charged - vm_space_charged(sides.world.space), 2 + 2 * PARTS + 1);
    cr_assert(vm_space_charged(sides.other.space) >= charged_there + 2 + 2 * PARTS + 1);
    EXPECT_EQ(vm_space_split_stock(sides.other.space), 2 * (*levels - 1));
    expect_slot_is(&sides.other, ALIKE, LARGE, VM_ITEM_RAM, VM_RW);
    expect_block(&sides.other, ALIKE, block, LARGE, VM_RW);
    expect_slot_is(&sides.other, ALIKE + LARGE, LARGE, VM_ITEM_HIDDEN, VM_PROT_NONE);
    expect_mapped(&sides.other, ALIKE + 2 * LARGE, small, VM_RW);
    EXPECT_EQ(block_refs(hidden, 1), 1);
    sides_end(&sides);
}

/* And inside a space, where the stock is not asked for. */
MODE_TEST(vm_cursor_move_large, within_a_space_a_table_needs_no_memory)
{
    static struct held held;
    struct world world = world_begin(*levels);
    struct frame *block = large_page_at(&world, BASE, VM_RW);

    map_at(&world, ALIKE + GIB, frame_new(), VM_R); /* the way there */
    vm_space_stock_fini(world.space);
    hold_all(&held);
    expect_done(move_inside(&world, BASE, ALIKE, GIB, 256), OK, GIB);
    let_go(&held);
    expect_block(&world, ALIKE, block, LARGE, VM_RW);
    EXPECT_OK(vm_space_check(world.space));
    world_end(&world);
}

MODE_TEST(vm_cursor_move_large, a_reserved_mark_keeps_the_size_of_its_pages)
{
    static const struct vm_mark mark = {
        .kind = VM_ITEM_RESERVED, .prot = VM_RW, .share = VM_SHARE_NONE, .page_level = 1};
    struct world world = world_begin(*levels);

    mark_range(&world, BASE, 4 * LARGE, mark);
    expect_done(move_inside(&world, BASE + LARGE, ALIKE, 2 * LARGE, 256), OK, 2 * LARGE);
    expect_slot_is(&world, ALIKE, LARGE, VM_ITEM_RESERVED, VM_RW);
    EXPECT_EQ(slot_of(&world, ALIKE).item.page_level, 1);
    world_end(&world);
}

/* ---- what is in the way, bounds ---- */

MODE_TEST(vm_cursor_move_large, it_goes_as_far_as_nothing_is_in_the_way)
{
    struct sides sides = sides_begin(*levels);
    struct frame *block = large_page_at(&sides.world, BASE, VM_RW);

    map_at(&sides.other, ALIKE, frame_new(), VM_R);
    expect_done(move_to_other(&sides, ALIKE, LARGE, 256), ERR_EXIST, 0);
    expect_slot_is(&sides.world, BASE, LARGE, VM_ITEM_RAM, VM_RW);
    (void)unmap_at(&sides.other, ALIKE, PAGE_SIZE);
    map_at(&sides.other, ALIKE + 5 * PAGE_SIZE, frame_new(), VM_R);
    expect_done(move_to_other(&sides, ALIKE, LARGE, 256), ERR_EXIST, 5 * PAGE_SIZE);
    expect_block(&sides.other, ALIKE, block, 5 * PAGE_SIZE, VM_RW);
    expect_block(&sides.world, BASE + 5 * PAGE_SIZE, block + 5, LARGE - 5 * PAGE_SIZE, VM_RW);
    sides_end(&sides);
}

MODE_TEST(vm_cursor_move_large, one_page_is_one_edit)
{
    struct sides sides = sides_begin(*levels);

    for (unsigned i = 0; i < 3; i++) {
        (void)large_page_at(&sides.world, BASE + i * LARGE, VM_RW);
    }
    expect_done(move_to_other(&sides, ALIKE, 3 * LARGE, 2), OK, 2 * LARGE);
    expect_slot_is(&sides.world, BASE + 2 * LARGE, LARGE, VM_ITEM_RAM, VM_RW);
    sides_end(&sides);
}

/* ---- memory ---- */

/* With 0, 1, 2 ... frames left it ends without memory where it stands, and nothing is lost. */
static void run_out(unsigned levels, uint64_t there)
{
    static struct held held;
    struct sides sides = sides_begin(levels);
    struct frame *block = large_page_at(&sides.world, BASE, VM_RW);
    struct result result = {.status = ERR_NOMEM};
    bool from_first = vm_space_root(sides.world.space).raw < vm_space_root(sides.other.space).raw;
    unsigned failed = 0;

    for (unsigned n = 0; result.status != OK; n++, failed++) {
        struct vm_cursor source = {0};
        struct vm_cursor target = {0};

        hold_all(&held);
        let_go_of(&held, n);
        result = (struct result){OK, 0, 0};
        for (unsigned i = 0; i < 2 && result.status == OK; i++) {
            result.status = (i == 0) == from_first
                                ? vm_cursor_open(&source, sides.world.space, va_span(BASE, LARGE),
                                                 VM_CURSOR_EDIT)
                                : vm_cursor_open(&target, sides.other.space, va_span(there, LARGE),
                                                 VM_CURSOR_CHANGE);
        }
        if (result.status == OK) {
            result = move_result(vm_cursor_move(&source, &target, LARGE, 9999), &source, BASE,
                                 &target, there);
        }
        vm_cursor_close(&source);
        vm_cursor_close(&target);
        let_go(&held);
        expect_spaces_right(&sides);
        if (result.status != OK) {
            EXPECT_STATUS(result.status, ERR_NOMEM);
            EXPECT_EQ(result.from_done, result.to_done);
            expect_block(&sides.other, there, block, result.to_done, VM_RW);
            expect_block(&sides.world, BASE + result.to_done, block + result.to_done / PAGE_SIZE,
                         LARGE - result.to_done, VM_RW);
            if (result.to_done > 0) { /* back again */
                expect_done(
                    move_between(&sides.other, there, &sides.world, BASE, result.to_done, 9999), OK,
                    result.to_done);
            }
        }
    }
    expect_block(&sides.other, there, block, LARGE, VM_RW);
    cr_assert(failed > 2);
    sides_end(&sides);
}

MODE_TEST(vm_cursor_move_large, memory_may_be_out_at_each_step)
{
    run_out(*levels, ALIKE);
}

MODE_TEST(vm_cursor_move_large, and_when_it_is_split)
{
    run_out(*levels, APART);
}

MODE_TEST(vm_cursor_move_large, a_spent_budget_changes_nothing)
{
    struct vm_budget *budget;
    struct sides sides = sides_limited(*levels, PARTS - 1, &budget);
    struct frame *block = large_page_at(&sides.world, BASE, VM_RW);

    map_at(&sides.world, BASE + LARGE, frame_new(), VM_R);
    expect_done(move_to_other(&sides, ALIKE, LARGE, 9999), ERR_NOMEM, 0);
    expect_slot_is(&sides.world, BASE, LARGE, VM_ITEM_RAM, VM_RW);
    expect_block(&sides.world, BASE, block, LARGE, VM_RW);
    expect_absent(&sides.other, ALIKE);
    vm_budget_put(budget);
    sides_end(&sides);
}
