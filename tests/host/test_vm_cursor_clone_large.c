/* SPDX-License-Identifier: MIT */
/*
 * Cloning large pages: as one entry where both sides are aligned alike, else split; what each kind
 * becomes, who is fenced, what a write does then; what is in the way, and memory that is out.
 */
#include "support_large_pages.h"

#define ALIKE (BASE + 8 * GIB)
#define APART (ALIKE + 3 * PAGE_SIZE)

static struct result clone(const struct sides *sides, uint64_t at, uint64_t there, uint64_t bytes,
                           unsigned max_edits)
{
    struct vm_space *spaces[2] = {sides->world.space, sides->other.space};
    bool from_first = vm_space_root(spaces[0]).raw < vm_space_root(spaces[1]).raw;
    struct vm_cursor source = {0};
    struct vm_cursor target = {0};
    struct result result = {OK, 0, 0};

    for (unsigned i = 0; i < 2 && result.status == OK; i++) {
        result.status =
            (i == 0) == from_first
                ? vm_cursor_open(&source, spaces[0], va_span(at, bytes), VM_CURSOR_EDIT)
                : vm_cursor_open(&target, spaces[1], va_span(there, bytes), VM_CURSOR_CHANGE);
    }
    if (result.status == OK) {
        result = move_result(vm_cursor_clone(&source, &target, bytes, max_edits), &source, at,
                             &target, there);
    }
    vm_cursor_close(&source);
    vm_cursor_close(&target);
    EXPECT_OK(vm_space_check(spaces[0]));
    EXPECT_OK(vm_space_check(spaces[1]));
    return result;
}

static enum vm_fault_result write_to(const struct world *world, uint64_t at)
{
    vm_space_activate(world->space);
    return vm_space_fault(world->space, va(at), VM_ACCESS_WRITE);
}

MODE_TEST(vm_cursor_clone_large, one_entry_becomes_two)
{
    struct sides sides = sides_begin(*levels);
    struct frame *block = large_page_at(&sides.world, BASE, VM_RW);
    unsigned tables = *levels - 2; /* down to level 1 */

    another_hart_runs(&sides.world);
    cr_assert(hart_may(1, BASE + LARGE - PAGE_SIZE, ORACLE_WRITE, NULL));
    host_events_start();
    expect_done(clone(&sides, BASE, ALIKE, LARGE, 1), OK, LARGE);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_REMOTE), 1);
    cr_assert(!hart_may(1, BASE, ORACLE_WRITE, NULL));
    cr_assert(!hart_may(1, BASE + LARGE - PAGE_SIZE, ORACLE_WRITE, NULL));
    cr_assert(hart_may(1, BASE, ORACLE_READ, NULL));
    expect_slot_is(&sides.world, BASE, LARGE, VM_ITEM_RAM, VM_RW);
    expect_slot_is(&sides.other, ALIKE, LARGE, VM_ITEM_RAM, VM_RW);
    expect_block(&sides.world, BASE, block, LARGE, VM_R);
    expect_block(&sides.other, ALIKE, block, LARGE, VM_R);
    EXPECT_EQ(block_refs(block, 1), 2);
    EXPECT_EQ(frame_refs(block), 1);
    EXPECT_EQ(vm_space_charged(sides.other.space),
              1 + tables + PARTS + vm_space_split_stock(sides.other.space));
    EXPECT_EQ(vm_space_split_stock(sides.other.space), 2 * (*levels - 1));
    another_hart_leaves();
    sides_end(&sides);
}

/* Who writes first splits its own side and copies 4 KiB; the other side stays as it is. */
MODE_TEST(vm_cursor_clone_large, a_write_copies_one_page)
{
    struct sides sides = sides_begin(*levels);
    struct frame *block = large_page_at(&sides.world, BASE, VM_RW);
    struct vm_item item;

    expect_done(clone(&sides, BASE, ALIKE, LARGE, 1), OK, LARGE);
    EXPECT_EQ(write_to(&sides.other, ALIKE + 7 * PAGE_SIZE), VM_FAULT_RETRY);
    item = slot_of(&sides.other, ALIKE + 7 * PAGE_SIZE).item;
    cr_assert(item.frame != block + 7);
    EXPECT_EQ(*(uint64_t *)frame_bytes(item.frame), BASE + 7);
    expect_mapped(&sides.other, ALIKE + 7 * PAGE_SIZE, item.frame, VM_RW);
    expect_mapped(&sides.other, ALIKE + 8 * PAGE_SIZE, block + 8, VM_R);
    expect_slot_is(&sides.world, BASE, LARGE, VM_ITEM_RAM, VM_RW);
    unmap_at(&sides.other, ALIKE, LARGE);
    reap_all();
    EXPECT_EQ(write_to(&sides.world, BASE + 9 * PAGE_SIZE), VM_FAULT_RETRY);
    expect_slot_is(&sides.world, BASE, LARGE, VM_ITEM_RAM, VM_RW);
    expect_block(&sides.world, BASE, block, LARGE, VM_RW);
    sides_end(&sides);
}

/* ---- what is split ---- */

static void expect_cloned(const struct sides *sides, uint64_t at, uint64_t there, uint64_t bytes,
                          const struct frame *first)
{
    expect_block(&sides->world, at, first, bytes, VM_R);
    expect_block(&sides->other, there, first, bytes, VM_R);
    expect_slot_is(&sides->other, there, PAGE_SIZE, VM_ITEM_RAM, VM_RW);
    EXPECT_EQ(frame_refs(first), 2);
    EXPECT_EQ(frame_refs(first + bytes / PAGE_SIZE - 1), 2);
}

MODE_TEST(vm_cursor_clone_large, what_is_not_aligned_alike_is_split)
{
    struct sides sides = sides_begin(*levels);
    struct frame *block = large_page_at(&sides.world, BASE, VM_RW);

    another_hart_runs(&sides.world);
    cr_assert(hart_may(1, BASE + 5 * PAGE_SIZE, ORACLE_WRITE, NULL));
    host_events_start();
    expect_done(clone(&sides, BASE, APART, LARGE, 9999), OK, LARGE);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_REMOTE), 1);
    cr_assert(!hart_may(1, BASE + 5 * PAGE_SIZE, ORACLE_WRITE, NULL));
    expect_cloned(&sides, BASE, APART, LARGE, block);
    EXPECT_EQ(block_refs(block, 1), 0);
    another_hart_leaves();
    sides_end(&sides);
}

MODE_TEST(vm_cursor_clone_large, a_part_is_split_off)
{
    struct sides sides = sides_begin(*levels);
    struct frame *block = large_page_at(&sides.world, BASE, VM_RW);
    uint64_t off = 3 * PAGE_SIZE;

    expect_done(clone(&sides, BASE + off, ALIKE + off, 4 * PAGE_SIZE, 256), OK, 4 * PAGE_SIZE);
    expect_cloned(&sides, BASE + off, ALIKE + off, 4 * PAGE_SIZE, block + 3);
    expect_mapped(&sides.world, BASE, block, VM_RW);
    expect_absent(&sides.other, ALIKE + off + 4 * PAGE_SIZE);
    EXPECT_EQ(frame_refs(block), 1);
    block = large_page_at(&sides.world, BASE + LARGE, VM_RW);
    expect_done(clone(&sides, BASE + LARGE, ALIKE + LARGE, off, 256), OK, off);
    expect_cloned(&sides, BASE + LARGE, ALIKE + LARGE, off, block);
    expect_mapped(&sides.world, BASE + LARGE + off, block + 3, VM_RW);
    sides_end(&sides);
}

/* 1 GiB to where only entries of 2 MiB fit. */
Test(vm_cursor_clone_large, one_level_is_split_if_that_will_do)
{
    struct sides sides = {.world = world_begin_with(4, 3 * GIB), .other = {.levels = 4}};
    struct frame *block;

    EXPECT_OK(vm_space_create(NULL, &sides.other.space));
    block = block_with(2, 0);
    map_block_at(&sides.world, BASE, block, 2, VM_RW);
    expect_done(clone(&sides, BASE, ALIKE + LARGE, GIB, 9999), OK, GIB);
    expect_slot_is(&sides.world, BASE, LARGE, VM_ITEM_RAM, VM_RW);
    expect_slot_is(&sides.other, ALIKE + GIB, LARGE, VM_ITEM_RAM, VM_RW);
    expect_mapped(&sides.other, ALIKE + GIB, block + 511 * PARTS, VM_R);
    EXPECT_EQ(block_refs(block, 1), 2);
    expect_done(clone(&sides, BASE, ALIKE + 4 * GIB, LARGE, 9999), OK, LARGE);
    EXPECT_EQ(block_refs(block, 1), 3);
    unmap_at(&sides.world, BASE, GIB);
    unmap_at(&sides.other, ALIKE, 8 * GIB);
    map_block_at(&sides.world, BASE, block_with(2, 0), 2, VM_RW);
    expect_done(clone(&sides, BASE, ALIKE, GIB, 1), OK, GIB);
    expect_slot_is(&sides.other, ALIKE, GIB, VM_ITEM_RAM, VM_RW);
    sides_end(&sides);
}

/* ---- kinds ---- */

MODE_TEST(vm_cursor_clone_large, each_kind_is_what_it_was)
{
    struct sides sides = sides_begin(*levels);
    struct frame *hidden = large_page_at(&sides.world, BASE, VM_RW);
    struct frame *shared = large_page_at(&sides.world, BASE + LARGE, VM_RWX);
    struct frame *view = large_page_at(&sides.world, BASE + 2 * LARGE, VM_R);
    static const struct vm_mark mark = {
        .kind = VM_ITEM_RESERVED, .prot = VM_RW, .share = VM_SHARE_NONE, .page_level = 1};
    pte_t entry;

    (void)protect_range(&sides.world, BASE, LARGE, VM_PROT_NONE);
    entry = pte_slot_load(slot_in(&sides.world, BASE + LARGE));
    pte_slot_store(slot_in(&sides.world, BASE + LARGE), pte_with_sw(entry, PTE_SW_RAM));
    entry = pte_slot_load(slot_in(&sides.world, BASE + 2 * LARGE));
    pte_slot_store(slot_in(&sides.world, BASE + 2 * LARGE), pte_with_sw(entry, PTE_SW_VIEW));
    mark_range(&sides.world, BASE + 3 * LARGE, LARGE, mark);
    another_hart_runs(&sides.other);
    host_events_start();
    expect_done(clone(&sides, BASE, ALIKE, 4 * LARGE, 256), OK, 4 * LARGE);
    EXPECT_EQ(fences(), 0);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_CODE_REMOTE), 1); /* there is code among it */
    another_hart_leaves();
    expect_slot_is(&sides.other, ALIKE, LARGE, VM_ITEM_HIDDEN, VM_PROT_NONE);
    expect_slot_is(&sides.other, ALIKE + LARGE, LARGE, VM_ITEM_RAM, VM_RWX);
    expect_slot_is(&sides.other, ALIKE + 2 * LARGE, LARGE, VM_ITEM_RAM, VM_R);
    expect_slot_is(&sides.other, ALIKE + 3 * LARGE, LARGE, VM_ITEM_RESERVED, VM_RW);
    EXPECT_EQ(slot_of(&sides.other, ALIKE + LARGE).item.share, VM_SHARE_ALL);
    EXPECT_EQ(slot_of(&sides.other, ALIKE + 2 * LARGE).item.share, VM_SHARE_VIEW);
    EXPECT_EQ(slot_of(&sides.other, ALIKE + 3 * LARGE).item.page_level, 1);
    EXPECT_EQ(block_refs(hidden, 1), 2);
    EXPECT_EQ(block_refs(shared, 1), 2);
    EXPECT_EQ(block_refs(view, 1), 2);
    expect_block(&sides.other, ALIKE + LARGE, shared, LARGE, VM_RWX);
    EXPECT_EQ(protect_range(&sides.other, ALIKE, LARGE, VM_RW), PARTS);
    expect_block(&sides.other, ALIKE, hidden, LARGE, VM_R); /* W is pending */
    sides_end(&sides);
}

MODE_TEST(vm_cursor_clone_large, a_devices_page_stays_out_whatever_part_of_it_is_asked_for)
{
    struct sides sides = sides_begin(*levels);
    struct io_mem *io = device_at(&sides.world, BASE, LARGE);

    (void)large_page_at(&sides.world, BASE + LARGE, VM_R);
    expect_done(clone(&sides, BASE + PAGE_SIZE, ALIKE + PAGE_SIZE, PAGE_SIZE, 256), OK, PAGE_SIZE);
    expect_slot_is(&sides.world, BASE, LARGE, VM_ITEM_IO, VM_RW);
    expect_done(clone(&sides, BASE, ALIKE, 2 * LARGE, 256), OK, 2 * LARGE);
    expect_absent(&sides.other, ALIKE);
    expect_slot_is(&sides.other, ALIKE + LARGE, LARGE, VM_ITEM_RAM, VM_R);
    EXPECT_EQ(io_mem_refs(io), PARTS);
    sides_end(&sides);
}

/* ---- what is in the way, bounds ---- */

MODE_TEST(vm_cursor_clone_large, it_goes_as_far_as_nothing_is_in_the_way)
{
    struct sides sides = sides_begin(*levels);
    struct frame *block = large_page_at(&sides.world, BASE, VM_RW);

    map_at(&sides.other, ALIKE, frame_new(), VM_R);
    expect_done(clone(&sides, BASE, ALIKE, LARGE, 256), ERR_EXIST, 0);
    expect_slot_is(&sides.world, BASE, LARGE, VM_ITEM_RAM, VM_RW);
    expect_block(&sides.world, BASE, block, LARGE, VM_RW);
    (void)unmap_at(&sides.other, ALIKE, PAGE_SIZE);
    map_at(&sides.other, ALIKE + 5 * PAGE_SIZE, frame_new(), VM_R);
    expect_done(clone(&sides, BASE, ALIKE, LARGE, 256), ERR_EXIST, 5 * PAGE_SIZE);
    expect_cloned(&sides, BASE, ALIKE, 5 * PAGE_SIZE, block);
    sides_end(&sides);
}

MODE_TEST(vm_cursor_clone_large, a_table_in_which_nothing_is_makes_room)
{
    struct sides sides = sides_begin(*levels);
    struct frame *block = large_page_at(&sides.world, BASE, VM_RW);

    map_at(&sides.other, ALIKE, frame_new(), VM_R);
    (void)unmap_at(&sides.other, ALIKE, PAGE_SIZE);
    expect_done(clone(&sides, BASE, ALIKE, LARGE, 1), OK, LARGE);
    expect_slot_is(&sides.other, ALIKE, LARGE, VM_ITEM_RAM, VM_RW);
    expect_block(&sides.other, ALIKE, block, LARGE, VM_R);
    sides_end(&sides);
}

MODE_TEST(vm_cursor_clone_large, one_page_is_one_edit)
{
    struct sides sides = sides_begin(*levels);

    for (unsigned i = 0; i < 3; i++) {
        (void)large_page_at(&sides.world, BASE + i * LARGE, VM_RW);
    }
    expect_done(clone(&sides, BASE, ALIKE, 3 * LARGE, 2), OK, 2 * LARGE);
    expect_slot_is(&sides.other, ALIKE + LARGE, LARGE, VM_ITEM_RAM, VM_RW);
    expect_absent(&sides.other, ALIKE + 2 * LARGE);
    expect_done(clone(&sides, BASE + 2 * LARGE, APART + 8 * LARGE, LARGE, 100), OK,
                100 * PAGE_SIZE);
    sides_end(&sides);
}

/* ---- memory ---- */

/* With 0, 1, 2 ... frames left it ends without memory, and nothing has changed, until they are
 * enough. */
static void fail_each(unsigned levels, uint64_t there)
{
    static struct held held;
    struct sides sides = sides_begin(levels);
    struct frame *block = large_page_at(&sides.world, BASE, VM_RW);
    struct result result = {.status = ERR_NOMEM};
    unsigned failed = 0;

    for (unsigned n = 0; result.status != OK; n++, failed++) {
        uint64_t charged = vm_space_charged(sides.world.space);

        hold_all(&held);
        let_go_of(&held, n);
        result = clone(&sides, BASE, there, LARGE, 9999);
        let_go(&held);
        if (result.status != OK) {
            expect_done(result, ERR_NOMEM, 0);
            expect_block(&sides.world, BASE, block, LARGE, VM_RW);
            expect_absent(&sides.other, there);
            cr_assert(there != ALIKE || vm_space_charged(sides.world.space) == charged);
        }
        EXPECT_OK(vm_space_check(sides.other.space));
    }
    expect_block(&sides.other, there, block, LARGE, VM_R);
    cr_assert(failed > 2);
    sides_end(&sides);
}

MODE_TEST(vm_cursor_clone_large, memory_may_be_out_at_each_step)
{
    fail_each(*levels, ALIKE);
}

MODE_TEST(vm_cursor_clone_large, and_when_it_is_split)
{
    fail_each(*levels, APART);
}

/* What the clone is charged for, 512 frames at once, is there or nothing has changed. */
MODE_TEST(vm_cursor_clone_large, a_spent_budget_changes_nothing)
{
    struct vm_budget *budget;
    struct sides sides = sides_limited(*levels, PARTS - 1, &budget);
    struct frame *block = large_page_at(&sides.world, BASE, VM_RW);

    expect_done(clone(&sides, BASE, ALIKE, LARGE, 9999), ERR_NOMEM, 0);
    expect_block(&sides.world, BASE, block, LARGE, VM_RW);
    EXPECT_EQ(block_refs(block, 1), 1);
    expect_absent(&sides.other, ALIKE);
    vm_budget_put(budget);
    sides_end(&sides);
}
