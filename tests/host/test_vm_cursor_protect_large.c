/* SPDX-License-Identifier: MIT */
/*
 * Rights of large pages: as one entry, and split where an end of the range lies inside one; hiding;
 * W, and who else has the frames; views and devices; what is owed; bounds; memory that is out.
 */
#include "support_large_pages.h"

static uint64_t entries_left(const struct world *world, uint64_t bytes, enum vm_prot prot,
                             uint64_t max)
{
    struct vm_cursor cursor;
    uint64_t pages;
    uint64_t at;

    EXPECT_OK(vm_cursor_open(&cursor, world->space, va_span(BASE, bytes), VM_CURSOR_EDIT));
    EXPECT_OK(vm_cursor_protect(&cursor, bytes, prot, max, &pages));
    at = vm_cursor_va(&cursor).raw;
    vm_cursor_close(&cursor);
    EXPECT_EQ(pages, (at - BASE) / PAGE_SIZE);
    return (BASE + bytes - at) / LARGE;
}

MODE_TEST(vm_cursor_protect_large, a_large_page_is_one_entry)
{
    struct world world = world_begin(*levels);
    struct frame *block = large_page_at(&world, BASE, VM_RW);
    uint64_t charged = vm_space_charged(world.space);

    another_hart_runs(&world);
    cr_assert(hart_may(1, BASE + LARGE - PAGE_SIZE, ORACLE_WRITE, NULL));
    host_events_start();
    EXPECT_EQ(protect_range(&world, BASE, LARGE, VM_R), PARTS);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_REMOTE), 1);
    cr_assert(!hart_may(1, BASE, ORACLE_WRITE, NULL));
    cr_assert(!hart_may(1, BASE + LARGE - PAGE_SIZE, ORACLE_WRITE, NULL));
    expect_slot_is(&world, BASE, LARGE, VM_ITEM_RAM, VM_R);
    expect_block(&world, BASE, block, LARGE, VM_R);
    host_events_start();
    EXPECT_EQ(protect_range(&world, BASE, LARGE, VM_RW), PARTS);
    EXPECT_EQ(fences(), 0);
    expect_slot_is(&world, BASE, LARGE, VM_ITEM_RAM, VM_RW);
    expect_block(&world, BASE, block, LARGE, VM_RW);
    EXPECT_EQ(vm_space_charged(world.space), charged);
    another_hart_leaves();
    world_end(&world);
}

MODE_TEST(vm_cursor_protect_large, an_end_inside_splits_it)
{
    struct world world = world_begin(*levels);
    struct frame *block = large_page_at(&world, BASE, VM_RW);
    uint64_t charged = vm_space_charged(world.space);

    another_hart_runs(&world);
    cr_assert(hart_may(1, BASE + 5 * PAGE_SIZE, ORACLE_WRITE, NULL));
    host_events_start();
    EXPECT_EQ(protect_range(&world, BASE + 5 * PAGE_SIZE, 3 * PAGE_SIZE, VM_R), 3);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_REMOTE), 1);
    for (uint64_t i = 5; i < 8; i++) {
        cr_assert(!hart_may(1, BASE + i * PAGE_SIZE, ORACLE_WRITE, NULL));
    }
    expect_block(&world, BASE, block, 5 * PAGE_SIZE, VM_RW);
    expect_block(&world, BASE + 5 * PAGE_SIZE, block + 5, 3 * PAGE_SIZE, VM_R);
    expect_block(&world, BASE + 8 * PAGE_SIZE, block + 8, LARGE - 8 * PAGE_SIZE, VM_RW);
    EXPECT_EQ(block_refs(block, 1), 0);
    EXPECT_EQ(frame_refs(block + 5), 1);
    EXPECT_EQ(frame_refs(block + 511), 1);
    EXPECT_EQ(vm_space_charged(world.space), charged + 1); /* a table */
    another_hart_leaves();
    world_end(&world);
}

/* 2 MiB, small pages, 2 MiB hidden, marks, 2 MiB: from the middle of the first to that of the last.
 */
MODE_TEST(vm_cursor_protect_large, a_range_may_hold_entries_of_all_sizes)
{
    static const struct vm_mark mark = {
        .kind = VM_ITEM_RESERVED, .prot = VM_RW, .share = VM_SHARE_NONE};
    struct world world = world_begin(*levels);
    struct frame *blocks[3] = {large_page_at(&world, BASE, VM_RW),
                               large_page_at(&world, BASE + 2 * LARGE, VM_RW),
                               large_page_at(&world, BASE + 4 * LARGE, VM_RW)};
    struct frame *small = page_with(&world, BASE + LARGE + 7 * PAGE_SIZE, 7);

    mark_range(&world, BASE + 3 * LARGE, LARGE, mark);
    (void)protect_range(&world, BASE + 2 * LARGE, LARGE, VM_PROT_NONE);
    EXPECT_EQ(protect_range(&world, BASE + LARGE / 2, 4 * LARGE, VM_R), PARTS + PARTS + 1);
    expect_block(&world, BASE, blocks[0], LARGE / 2, VM_RW);
    expect_block(&world, BASE + LARGE / 2, blocks[0] + PARTS / 2, LARGE / 2, VM_R);
    expect_mapped(&world, BASE + LARGE + 7 * PAGE_SIZE, small, VM_R);
    expect_slot_is(&world, BASE + 2 * LARGE, LARGE, VM_ITEM_RAM, VM_R);
    expect_block(&world, BASE + 2 * LARGE, blocks[1], LARGE, VM_R);
    expect_slot_is(&world, BASE + 3 * LARGE, LARGE, VM_ITEM_RESERVED, VM_R);
    expect_block(&world, BASE + 4 * LARGE, blocks[2], LARGE / 2, VM_R);
    expect_block(&world, BASE + 4 * LARGE + LARGE / 2, blocks[2] + PARTS / 2, LARGE / 2, VM_RW);
    world_end(&world);
}

/* ---- hiding ---- */

MODE_TEST(vm_cursor_protect_large, it_is_hidden_and_comes_back_with_what_it_holds)
{
    struct world world = world_begin(*levels);
    struct frame *block = large_page_at(&world, BASE, VM_RW);
    uint64_t charged = vm_space_charged(world.space);

    host_events_start();
    EXPECT_EQ(protect_range(&world, BASE, LARGE, VM_PROT_NONE), PARTS);
    EXPECT_EQ(fences(), 1);
    expect_slot_is(&world, BASE, LARGE, VM_ITEM_HIDDEN, VM_PROT_NONE);
    cr_assert(slot_of(&world, BASE).item.dirty);
    expect_absent(&world, BASE + LARGE - PAGE_SIZE);
    EXPECT_EQ(vm_space_charged(world.space), charged);
    host_events_start();
    EXPECT_EQ(protect_range(&world, BASE, LARGE, VM_RW), PARTS);
    EXPECT_EQ(fences(), 0);
    expect_slot_is(&world, BASE, LARGE, VM_ITEM_RAM, VM_RW);
    expect_block(&world, BASE, block, LARGE, VM_RW);
    EXPECT_EQ(*(uint64_t *)frame_bytes(block + 511), BASE + 511);
    world_end(&world);
}

MODE_TEST(vm_cursor_protect_large, a_part_of_a_hidden_one_comes_back_without_a_flush)
{
    struct world world = world_begin(*levels);
    struct frame *block = large_page_at(&world, BASE, VM_RW);

    (void)protect_range(&world, BASE, LARGE, VM_PROT_NONE);
    host_events_start();
    EXPECT_EQ(protect_range(&world, BASE + LARGE - PAGE_SIZE, PAGE_SIZE, VM_R), 1);
    EXPECT_EQ(fences(), 0);
    expect_mapped(&world, BASE + LARGE - PAGE_SIZE, block + 511, VM_R);
    expect_slot_is(&world, BASE, PAGE_SIZE, VM_ITEM_HIDDEN, VM_PROT_NONE);
    EXPECT_EQ(unmap_at(&world, BASE, LARGE).ram_pages, PARTS);
    reap_all();
    world_end(&world);
}

static struct pte_slot *used_slot; /* which hardware uses when the flush is asked for */

static void use_it(void *context, struct tlb_op op)
{
    (void)context;
    (void)op;
    pte_slot_set(used_slot, PTE_A);
}

MODE_TEST(vm_cursor_protect_large, what_hardware_has_set_is_kept)
{
    struct world world = world_begin(*levels);

    (void)large_page_at(&world, BASE, VM_RW);
    used_slot = slot_in(&world, BASE);
    pte_slot_clear(used_slot, PTE_A | PTE_D);
    (void)protect_range(&world, BASE, LARGE, VM_PROT_NONE);
    cr_assert(!slot_of(&world, BASE).item.accessed && !slot_of(&world, BASE).item.dirty);
    pte_slot_set(used_slot, PTE_D);
    (void)protect_range(&world, BASE + PAGE_SIZE, PAGE_SIZE, VM_R);
    cr_assert(slot_of(&world, BASE).item.dirty);
    cr_assert(slot_of(&world, BASE + 2 * PAGE_SIZE).item.dirty);
    (void)protect_range(&world, BASE, LARGE, VM_R);
    pte_slot_clear(slot_in(&world, BASE), PTE_A);
    used_slot = slot_in(&world, BASE);
    host_on_flush(use_it, NULL);
    (void)protect_range(&world, BASE, PAGE_SIZE, VM_X);
    host_on_flush(NULL, NULL);
    cr_assert(slot_of(&world, BASE).item.accessed);
    world_end(&world);
}

/* ---- W ---- */

MODE_TEST(vm_cursor_protect_large, w_is_pending_while_others_have_the_block_or_a_part)
{
    struct world world = world_begin(*levels);
    struct frame *block = large_page_at(&world, BASE, VM_R);

    for (unsigned level = 0; level < 2; level++) {
        struct frame *named = level == 0 ? block + 77 : block;

        frame_block_get(named, level);
        (void)protect_range(&world, BASE, LARGE, VM_RW);
        EXPECT_EQ(pte_sw(pte_slot_load(slot_in(&world, BASE))), PTE_SW_PENDING);
        expect_slot_is(&world, BASE, LARGE, VM_ITEM_RAM, VM_RW);
        expect_block(&world, BASE, block, LARGE, VM_R);
        frame_block_put(named, level);
        (void)protect_range(&world, BASE, LARGE, VM_RW);
        EXPECT_EQ(pte_sw(pte_slot_load(slot_in(&world, BASE))), PTE_SW_PRIVATE);
        expect_block(&world, BASE, block, LARGE, VM_RW);
        (void)protect_range(&world, BASE, LARGE, VM_PROT_NONE);
    }
    world_end(&world);
}

/* Of 1 GiB nobody looks who else has it: W is pending, and its parts are nobody else's. */
Test(vm_cursor_protect_large, w_on_1_gib_is_pending)
{
    struct world world = world_begin_with(4, 2 * GIB);
    struct frame *block;

    block = block_with(2, 0);
    map_block_at(&world, BASE, block, 2, VM_R);
    EXPECT_EQ(protect_range(&world, BASE, GIB, VM_RW), frame_block_frames(2));
    expect_slot_is(&world, BASE, GIB, VM_ITEM_RAM, VM_RW);
    expect_mapped(&world, BASE + GIB - PAGE_SIZE, block + frame_block_frames(2) - 1, VM_R);
    EXPECT_EQ(protect_range(&world, BASE + LARGE, LARGE, VM_R), PARTS);
    EXPECT_EQ(protect_range(&world, BASE + LARGE, LARGE, VM_RW), PARTS);
    expect_slot_is(&world, BASE + LARGE, LARGE, VM_ITEM_RAM, VM_RW);
    expect_mapped(&world, BASE + LARGE, block + PARTS, VM_RW);
    expect_mapped(&world, BASE, block, VM_R);
    world_end(&world);
}

/* ---- what stops it ---- */

MODE_TEST(vm_cursor_protect_large, a_view_is_never_given_w)
{
    struct world world = world_begin(*levels);
    struct vm_cursor cursor;
    uint64_t pages = 0;
    pte_t entry;

    (void)large_page_at(&world, BASE, VM_R);
    (void)large_page_at(&world, BASE + LARGE, VM_R);
    entry = pte_slot_load(slot_in(&world, BASE + LARGE));
    pte_slot_store(slot_in(&world, BASE + LARGE), pte_with_sw(entry, PTE_SW_VIEW));
    for (unsigned round = 0; round < 2; round++) {
        cursor = cursor_open(&world, BASE, 2 * LARGE, VM_CURSOR_EDIT);
        EXPECT_STATUS(vm_cursor_protect(&cursor, 2 * LARGE, VM_RW, 256, &pages), ERR_ACCES);
        EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE + LARGE);
        EXPECT_EQ(pages, PARTS);
        vm_cursor_close(&cursor);
        (void)protect_range(&world, BASE, 2 * LARGE, VM_PROT_NONE);
        expect_slot_is(&world, BASE + LARGE, LARGE, VM_ITEM_HIDDEN, VM_PROT_NONE);
    }
    EXPECT_EQ(protect_range(&world, BASE + LARGE, LARGE, VM_RX), PARTS);
    EXPECT_EQ(slot_of(&world, BASE + LARGE).item.share, VM_SHARE_VIEW);
    world_end(&world);
}

static void make_read_only(struct vm_rights *rights, void *context)
{
    (void)context;
    rights->prop.prot = VM_R;
}

static struct va_range protect_next(struct world *world, uint64_t at, uint64_t bytes)
{
    struct vm_cursor cursor = cursor_open(world, at, bytes, VM_CURSOR_EDIT);
    struct va_range changed;

    EXPECT_OK(vm_cursor_protect_next(&cursor, bytes, make_read_only, NULL, &changed));
    EXPECT_EQ(vm_cursor_va(&cursor).raw, changed.end.raw);
    vm_cursor_close(&cursor);
    EXPECT_OK(vm_space_check(world->space));
    return changed;
}

MODE_TEST(vm_cursor_protect_large, a_devices_page_is_left_to_others)
{
    struct world world = world_begin(*levels);
    struct vm_cursor cursor;
    struct va_range changed;
    uint64_t pages;

    (void)large_page_at(&world, BASE, VM_RW);
    (void)device_at(&world, BASE + LARGE, 2 * LARGE);
    expect_slot_is(&world, BASE + LARGE, LARGE, VM_ITEM_IO, VM_RW);
    cursor = cursor_open(&world, BASE, 3 * LARGE, VM_CURSOR_EDIT);
    EXPECT_OK(vm_cursor_protect(&cursor, 3 * LARGE, VM_R, 256, &pages));
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE + LARGE);
    vm_cursor_close(&cursor);
    host_events_start();
    changed = protect_next(&world, BASE + LARGE, 2 * LARGE);
    EXPECT_EQ(fences(), 1);
    EXPECT_EQ(changed.end.raw - changed.start.raw, LARGE);
    expect_slot_is(&world, BASE + LARGE, LARGE, VM_ITEM_IO, VM_R);
    expect_slot_is(&world, BASE + 2 * LARGE, LARGE, VM_ITEM_IO, VM_RW);
    changed = protect_next(&world, BASE + 2 * LARGE, PAGE_SIZE);
    EXPECT_EQ(changed.end.raw - changed.start.raw, PAGE_SIZE);
    expect_slot_is(&world, BASE + 2 * LARGE, PAGE_SIZE, VM_ITEM_IO, VM_R);
    expect_slot_is(&world, BASE + 2 * LARGE + PAGE_SIZE, PAGE_SIZE, VM_ITEM_IO, VM_RW);
    EXPECT_EQ(unmap_at(&world, BASE + LARGE, 2 * LARGE).io_pages, 2 * PARTS);
    world_end(&world);
}

MODE_TEST(vm_cursor_protect_large, protect_next_takes_what_the_range_holds_of_it)
{
    struct world world = world_begin(*levels);
    struct frame *block = large_page_at(&world, BASE, VM_RW);
    struct va_range changed = protect_next(&world, BASE + 510 * PAGE_SIZE, 2 * PAGE_SIZE);

    EXPECT_EQ(changed.start.raw, BASE + 510 * PAGE_SIZE);
    EXPECT_EQ(changed.end.raw, BASE + 511 * PAGE_SIZE);
    expect_block(&world, BASE, block, 510 * PAGE_SIZE, VM_RW);
    expect_mapped(&world, BASE + 510 * PAGE_SIZE, block + 510, VM_R);
    expect_mapped(&world, BASE + 511 * PAGE_SIZE, block + 511, VM_RW);
    (void)large_page_at(&world, BASE + LARGE, VM_RW);
    changed = protect_next(&world, BASE + LARGE, LARGE);
    EXPECT_EQ(changed.end.raw - changed.start.raw, LARGE);
    expect_slot_is(&world, BASE + LARGE, LARGE, VM_ITEM_RAM, VM_R);
    world_end(&world);
}

/* An entry counts 1, and 64 where it has to be looked who else has its frames. */
MODE_TEST(vm_cursor_protect_large, it_stops_after_so_many)
{
    struct world world = world_begin(*levels);

    for (unsigned i = 0; i < 4; i++) {
        (void)large_page_at(&world, BASE + i * LARGE, VM_RW);
    }
    EXPECT_EQ(entries_left(&world, 4 * LARGE, VM_R, 3), 1);
    EXPECT_EQ(entries_left(&world, 4 * LARGE, VM_R, 4), 0);
    EXPECT_EQ(entries_left(&world, 4 * LARGE, VM_RW, 64), 3);
    EXPECT_EQ(entries_left(&world, 4 * LARGE, VM_RW, 1 + 64 + 1), 1); /* the first has it */
    world_end(&world);
}

/* ---- memory ---- */

/* The stock splits when memory is out; when it is gone as well, nothing changes. */
MODE_TEST(vm_cursor_protect_large, without_memory_nothing_changes)
{
    static struct held held;
    struct world world = world_begin(*levels);
    struct frame *block = large_page_at(&world, BASE, VM_RW);
    struct frame *second = large_page_at(&world, BASE + LARGE, VM_RW);
    struct vm_cursor cursor;
    struct va_range changed;
    uint64_t pages;

    hold_all(&held);
    EXPECT_EQ(protect_range(&world, BASE + PAGE_SIZE, PAGE_SIZE, VM_R), 1);
    expect_mapped(&world, BASE + PAGE_SIZE, block + 1, VM_R);
    vm_space_stock_fini(world.space);
    hold_all(&held);
    host_events_start();
    cursor = cursor_open(&world, BASE, 2 * LARGE, VM_CURSOR_EDIT);
    EXPECT_STATUS(vm_cursor_protect(&cursor, LARGE + PAGE_SIZE, VM_R, 9999, &pages), ERR_NOMEM);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE);
    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE + LARGE)));
    EXPECT_STATUS(vm_cursor_protect_next(&cursor, PAGE_SIZE, make_read_only, NULL, &changed),
                  ERR_NOMEM);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE + LARGE);
    vm_cursor_close(&cursor);
    EXPECT_EQ(fences(), 0);
    expect_mapped(&world, BASE, block, VM_RW);
    expect_slot_is(&world, BASE + LARGE, LARGE, VM_ITEM_RAM, VM_RW);
    expect_block(&world, BASE + LARGE, second, LARGE, VM_RW);
    EXPECT_EQ(protect_range(&world, BASE, 2 * LARGE, VM_R), 2 * PARTS);
    let_go(&held);
    world_end(&world);
}
