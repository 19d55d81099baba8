/* SPDX-License-Identifier: MIT */
/*
 * Pagers and large pages: which are used, and a page inside one that is taken out, or brought from
 * one; memory that is out.
 */
#include "mm/vm_cursor_pager.h"
#include "support_large_pages.h"

#define COOKIE UINT64_C(0xabcdef0123)
#define KEPT   (BASE + 8 * GIB) /* in the pager's space */
#define AT     (5 * PAGE_SIZE)

/* ---- which are used ---- */

static uint64_t clear_accessed(struct world *world, uint64_t at, uint64_t bytes, uint64_t max_pages,
                               uint64_t *end)
{
    struct vm_cursor cursor = cursor_open(world, at, bytes, VM_CURSOR_EDIT);
    uint64_t accessed;

    EXPECT_OK(vm_cursor_clear_accessed(&cursor, bytes, max_pages, &accessed));
    *end = vm_cursor_va(&cursor).raw;
    vm_cursor_close(&cursor);
    EXPECT_OK(vm_space_check(world->space));
    return accessed;
}

MODE_TEST(vm_cursor_pager_large, a_large_page_has_one_bit_for_all_its_pages)
{
    struct world world = world_begin(*levels);
    uint64_t end;

    (void)large_page_at(&world, BASE, VM_RW);
    (void)large_page_at(&world, BASE + LARGE, VM_RW);
    host_events_start();
    EXPECT_EQ(clear_accessed(&world, BASE, 2 * LARGE, 1, &end), PARTS);
    EXPECT_EQ(end, BASE + LARGE);
    EXPECT_EQ(fences(), 1);
    expect_slot_is(&world, BASE, LARGE, VM_ITEM_RAM, VM_RW);
    cr_assert(!slot_of(&world, BASE).item.accessed);
    cr_assert(slot_of(&world, BASE + LARGE).item.accessed);
    EXPECT_EQ(clear_accessed(&world, BASE, 2 * LARGE, 3, &end), PARTS);
    EXPECT_EQ(end, BASE + 2 * LARGE);
    host_events_start();
    EXPECT_EQ(clear_accessed(&world, BASE, 2 * LARGE, 3, &end), 0);
    EXPECT_EQ(fences(), 0);
    world_end(&world);
}

MODE_TEST(vm_cursor_pager_large, of_a_part_it_is_taken_from_that)
{
    struct world world = world_begin(*levels);
    uint64_t end;

    (void)large_page_at(&world, BASE, VM_RW);
    (void)large_page_at(&world, BASE + LARGE, VM_RW);
    EXPECT_EQ(clear_accessed(&world, BASE + LARGE - PAGE_SIZE, 3 * PAGE_SIZE, 100, &end), 3);
    EXPECT_EQ(end, BASE + LARGE + 2 * PAGE_SIZE);
    cr_assert(slot_of(&world, BASE + LARGE - 2 * PAGE_SIZE).item.accessed);
    cr_assert(!slot_of(&world, BASE + LARGE - PAGE_SIZE).item.accessed);
    cr_assert(!slot_of(&world, BASE + LARGE + PAGE_SIZE).item.accessed);
    cr_assert(slot_of(&world, BASE + LARGE + 2 * PAGE_SIZE).item.accessed);
    world_end(&world);
}

MODE_TEST(vm_cursor_pager_large, a_devices_page_and_hidden_ones_are_not_split)
{
    struct world world = world_begin(*levels);
    uint64_t end;

    (void)device_at(&world, BASE, LARGE);
    (void)large_page_at(&world, BASE + LARGE, VM_RW);
    (void)protect_range(&world, BASE + LARGE, LARGE, VM_PROT_NONE);
    EXPECT_EQ(clear_accessed(&world, BASE + AT, LARGE, 100, &end), 0);
    EXPECT_EQ(end, BASE + AT + LARGE);
    EXPECT_EQ(clear_accessed(&world, BASE + AT, PAGE_SIZE, 100, &end), 0);
    EXPECT_EQ(end, BASE + AT + PAGE_SIZE);
    EXPECT_EQ(clear_accessed(&world, BASE + AT, PAGE_SIZE, 1, &end), 0);
    EXPECT_EQ(end, BASE + AT + PAGE_SIZE);
    expect_slot_is(&world, BASE, LARGE, VM_ITEM_IO, VM_RW);
    expect_slot_is(&world, BASE + LARGE, LARGE, VM_ITEM_HIDDEN, VM_PROT_NONE);
    world_end(&world);
}

/* ---- out and back ---- */

/* The cursors of one call between both, in the order that one hart may. */
static status_t hand_over(struct sides *sides, uint64_t at, uint64_t kept, uint64_t bytes,
                          bool is_evict)
{
    struct vm_cursor program, pager;
    bool first = vm_space_root(sides->world.space).raw < vm_space_root(sides->other.space).raw;
    status_t status;

    if (first) {
        program = cursor_open(&sides->world, at, bytes, VM_CURSOR_CHANGE);
    }
    pager = cursor_open(&sides->other, kept, bytes, VM_CURSOR_CHANGE);
    if (!first) {
        program = cursor_open(&sides->world, at, bytes, VM_CURSOR_CHANGE);
    }
    status = is_evict ? vm_cursor_evict(&program, &pager, bytes, 256, COOKIE)
                      : vm_cursor_supply(&pager, &program, bytes, 256, COOKIE);
    vm_cursor_close(is_evict ? &program : &pager);
    vm_cursor_close(is_evict ? &pager : &program);
    EXPECT_OK(vm_space_check(sides->world.space));
    EXPECT_OK(vm_space_check(sides->other.space));
    return status;
}

MODE_TEST(vm_cursor_pager_large, a_page_inside_goes_and_the_rest_stays)
{
    struct sides sides = sides_begin(*levels);
    struct frame *block = large_page_at(&sides.world, BASE, VM_RW);
    uint64_t charged = vm_space_charged(sides.world.space);

    another_hart_runs(&sides.world);
    cr_assert(hart_may(1, BASE + AT, ORACLE_WRITE, NULL));
    EXPECT_OK(hand_over(&sides, BASE + AT, KEPT, PAGE_SIZE, true));
    cr_assert(!hart_may(1, BASE + AT, ORACLE_READ, NULL));
    EXPECT_EQ(slot_of(&sides.world, BASE + AT).item.kind, VM_ITEM_SWAPPED);
    EXPECT_EQ(slot_of(&sides.world, BASE + AT).item.cookie, COOKIE);
    expect_block(&sides.world, BASE, block, AT, VM_RW);
    expect_block(&sides.world, BASE + AT + PAGE_SIZE, block + 6, LARGE - AT - PAGE_SIZE, VM_RW);
    expect_mapped(&sides.other, KEPT, block + 5, VM_R);
    EXPECT_EQ(vm_space_charged(sides.world.space), charged); /* a table for a page */
    EXPECT_OK(hand_over(&sides, BASE + AT, KEPT, PAGE_SIZE, false));
    expect_block(&sides.world, BASE, block, LARGE, VM_RW);
    expect_absent(&sides.other, KEPT);
    another_hart_leaves();
    sides_end(&sides);
}

MODE_TEST(vm_cursor_pager_large, a_page_of_a_hidden_one_comes_back_hidden)
{
    struct sides sides = sides_begin(*levels);
    struct frame *block = large_page_at(&sides.world, BASE, VM_RW);

    (void)protect_range(&sides.world, BASE, LARGE, VM_PROT_NONE);
    host_events_start();
    EXPECT_OK(hand_over(&sides, BASE + AT, KEPT, 2 * PAGE_SIZE, true));
    EXPECT_EQ(fences(), 0);
    expect_mapped(&sides.other, KEPT + PAGE_SIZE, block + 6, VM_R);
    EXPECT_OK(hand_over(&sides, BASE + AT, KEPT, 2 * PAGE_SIZE, false));
    expect_slot_is(&sides.world, BASE + AT, PAGE_SIZE, VM_ITEM_HIDDEN, VM_PROT_NONE);
    EXPECT_EQ(protect_range(&sides.world, BASE, LARGE, VM_RW), PARTS);
    expect_block(&sides.world, BASE, block, LARGE, VM_RW);
    sides_end(&sides);
}

/* A pager may have what it supplies in a large page of its own. */
MODE_TEST(vm_cursor_pager_large, a_page_may_be_brought_from_inside_one)
{
    static const struct vm_mark swapped = {
        .kind = VM_ITEM_SWAPPED, .prot = VM_RW, .share = VM_SHARE_NONE, .cookie = COOKIE};
    struct sides sides = sides_begin(*levels);
    struct frame *block = large_page_at(&sides.other, KEPT, VM_RW);

    mark_range(&sides.world, BASE, PAGE_SIZE, swapped);
    EXPECT_OK(hand_over(&sides, BASE, KEPT + AT, PAGE_SIZE, false));
    expect_mapped(&sides.world, BASE, block + 5, VM_RW);
    expect_absent(&sides.other, KEPT + AT);
    expect_block(&sides.other, KEPT, block, AT, VM_RW);
    /* Where another cookie is, or nothing that could be given away, nothing is split. */
    (void)large_page_at(&sides.other, KEPT + LARGE, VM_RW);
    EXPECT_STATUS(hand_over(&sides, BASE, KEPT + LARGE, PAGE_SIZE, false), ERR_AGAIN);
    expect_slot_is(&sides.other, KEPT + LARGE, LARGE, VM_ITEM_RAM, VM_RW);
    sides_end(&sides);
}

MODE_TEST(vm_cursor_pager_large, what_is_not_its_own_is_not_split)
{
    struct sides sides = sides_begin(*levels);
    pte_t entry;

    (void)large_page_at(&sides.world, BASE, VM_R);
    entry = pte_slot_load(slot_in(&sides.world, BASE));
    pte_slot_store(slot_in(&sides.world, BASE), pte_with_sw(entry, PTE_SW_RAM));
    EXPECT_STATUS(hand_over(&sides, BASE + AT, KEPT, PAGE_SIZE, true), ERR_NOENT);
    expect_slot_is(&sides.world, BASE, LARGE, VM_ITEM_RAM, VM_R);
    sides_end(&sides);
}

/* ---- memory ---- */

/* The stock splits; when it is gone too, nothing has changed. */
MODE_TEST(vm_cursor_pager_large, without_memory_nothing_changes)
{
    static struct held held;
    struct sides sides = sides_begin(*levels);
    struct frame *block = large_page_at(&sides.world, BASE, VM_RW);
    struct frame *second = large_page_at(&sides.world, BASE + LARGE, VM_RW);
    struct vm_cursor cursor;
    uint64_t accessed;

    map_at(&sides.other, KEPT + PAGE_SIZE, frame_new(), VM_R); /* the table there */
    hold_all(&held);
    EXPECT_OK(hand_over(&sides, BASE + AT, KEPT, PAGE_SIZE, true));
    expect_mapped(&sides.other, KEPT, block + 5, VM_R);
    vm_space_stock_fini(sides.world.space);
    hold_all(&held);
    host_events_start();
    EXPECT_STATUS(hand_over(&sides, BASE + LARGE + AT, KEPT + AT, PAGE_SIZE, true), ERR_NOMEM);
    cursor = cursor_open(&sides.world, BASE, 2 * LARGE, VM_CURSOR_EDIT);
    EXPECT_STATUS(vm_cursor_clear_accessed(&cursor, LARGE + PAGE_SIZE, 9999, &accessed), ERR_NOMEM);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE);
    vm_cursor_close(&cursor);
    EXPECT_EQ(fences(), 0);
    let_go(&held);
    cr_assert(slot_of(&sides.world, BASE).item.accessed);
    expect_slot_is(&sides.world, BASE + LARGE, LARGE, VM_ITEM_RAM, VM_RW);
    expect_block(&sides.world, BASE + LARGE, second, LARGE, VM_RW);
    expect_absent(&sides.other, KEPT + AT);
    sides_end(&sides);
}
