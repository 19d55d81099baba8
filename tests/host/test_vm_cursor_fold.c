/* SPDX-License-Identifier: MIT */
/*
 * Folding: 512 entries of a table become one, and what every address means stays; what can not be
 * one entry stays as it is.
 */
#include "support_fold.h"

MODE_TEST(vm_cursor_fold, pages_side_by_side_become_one)
{
    struct world world = world_begin(*levels);
    uint64_t free_before = frame_free_count();
    struct frame *frames = map_pieces(&world, BASE, VM_RW);
    uint64_t charged = vm_space_charged(world.space);

    *(uint64_t *)frame_bytes(frames + 300) = 42;
    EXPECT_EQ(fold_at(&world, BASE, 2 * MIB), 1);
    EXPECT_EQ(slot_bytes_at(&world, BASE), 2 * MIB);
    for (unsigned i = 0; i < PAGES; i += 73) {
        expect_mapped(&world, BASE + i * PAGE_SIZE, frames + i, VM_RW);
    }
    EXPECT_EQ(*(uint64_t *)frame_bytes(frames + 300), 42);
    /* The split stock has come, a table has gone. */
    EXPECT_EQ(vm_space_charged(world.space), charged + vm_space_split_stock(world.space) - 1);
    EXPECT_EQ(vm_space_split_stock(world.space), 2 * (*levels - 1));
    cr_assert(frame_block_has_one_ref(frames, 1));
    EXPECT_EQ(fold_at(&world, BASE, 2 * MIB), 0);
    EXPECT_EQ(unmap_at(&world, BASE, 2 * MIB).ram_pages, PAGES);
    reap_all();
    EXPECT_EQ(frame_free_count(), free_before - vm_space_charged(world.space) + 1);
    world_end(&world);
}

MODE_TEST(vm_cursor_fold, it_is_one_flush_whatever_the_number_of_tables)
{
    struct world world = world_begin(*levels);
    struct vm_cursor cursor;
    unsigned folded;

    (void)map_pieces(&world, BASE, VM_RW);
    (void)map_pieces(&world, BASE + 2 * MIB, VM_R);
    (void)map_pieces(&world, BASE + 4 * MIB, VM_RX);
    cursor = cursor_open(&world, BASE, GIB, VM_CURSOR_EDIT);
    host_events_start();
    EXPECT_OK(vm_cursor_fold(&cursor, GIB, TABLES, &folded));
    EXPECT_EQ(folded, 3);
    EXPECT_EQ(flushes(), 1);
    vm_cursor_close(&cursor);
    EXPECT_EQ(flushes(), 1);
    world_check(&world);
    world_end(&world);
}

/* ---- A and D ---- */

MODE_TEST(vm_cursor_fold, what_any_page_has_of_accessed_and_dirty_is_kept)
{
    static const uint64_t bits[] = {0, PTE_A, PTE_D, PTE_A | PTE_D};
    struct world world = world_begin(*levels);
    struct vm_item item;

    for (size_t i = 0; i < ARRAY_LEN(bits); i++) {
        (void)map_pieces(&world, BASE, VM_RW);
        for (unsigned page = 0; page < PAGES; page++) {
            *entry_at(&world, BASE + page * PAGE_SIZE) &= ~(PTE_A | PTE_D);
        }
        *entry_at(&world, BASE + 77 * PAGE_SIZE) |= bits[i] & PTE_A;
        *entry_at(&world, BASE + 511 * PAGE_SIZE) |= bits[i] & PTE_D;
        EXPECT_EQ(fold_at(&world, BASE, 2 * MIB), 1);
        item = item_at(&world, BASE);
        EXPECT_EQ(item.accessed, (bits[i] & PTE_A) != 0);
        EXPECT_EQ(item.dirty, (bits[i] & PTE_D) != 0);
        (void)unmap_at(&world, BASE, 2 * MIB);
    }
    world_end(&world);
}

static uint64_t *stored_to; /* the entry by which a hart stores just before the flush ends */

static void store_before_flush(void *context, struct tlb_op op)
{
    (void)context;
    (void)op;
    *stored_to |= PTE_A | PTE_D;
}

MODE_TEST(vm_cursor_fold, what_hardware_sets_before_the_flush_is_kept)
{
    struct world world = world_begin(*levels);

    (void)map_pieces(&world, BASE, VM_RW);
    for (unsigned page = 0; page < PAGES; page++) {
        *entry_at(&world, BASE + page * PAGE_SIZE) &= ~(PTE_A | PTE_D);
    }
    stored_to = entry_at(&world, BASE + 5 * PAGE_SIZE);
    host_on_flush(store_before_flush, NULL);
    EXPECT_EQ(fold_at(&world, BASE, 2 * MIB), 1);
    host_on_flush(NULL, NULL);
    EXPECT_EQ(item_at(&world, BASE).dirty, true);
    EXPECT_EQ(item_at(&world, BASE).accessed, true);
    world_end(&world);
}

/* ---- what can not be one ---- */

enum spoiling {
    HOLE,
    OTHER_RIGHTS,
    OTHER_FRAME,
    OTHER_ORDER,
    OTHER_OWNER,
    HIDDEN_PAGE,
    MARK_AMONG_THEM,
    SPOILINGS
};

static void spoil(struct world *world, enum spoiling how, struct frame *frames)
{
    uint64_t at = BASE + 100 * PAGE_SIZE;

    switch (how) {
    case HOLE:
        (void)unmap_at(world, at, PAGE_SIZE);
        break;
    case OTHER_RIGHTS:
        EXPECT_EQ(protect_at(world, at, 1, VM_R), 1);
        break;
    case OTHER_FRAME:
        map_at(world, at, frame_new(), VM_RW);
        break;
    case OTHER_ORDER:
        frame_get(frames + 100);
        frame_get(frames + 101);
        map_at(world, at, frames + 101, VM_RW);
        map_at(world, at + PAGE_SIZE, frames + 100, VM_RW);
        *entry_at(world, at) |= (uint64_t)PTE_SW_PRIVATE << PTE_RSW_SHIFT;
        *entry_at(world, at + PAGE_SIZE) |= (uint64_t)PTE_SW_PRIVATE << PTE_RSW_SHIFT;
        break;
    case OTHER_OWNER:
        frame_get(frames + 100);
        break;
    case HIDDEN_PAGE:
        EXPECT_EQ(protect_at(world, at, 1, VM_PROT_NONE), 1);
        break;
    case MARK_AMONG_THEM:
    case SPOILINGS:
        (void)mark_at(world, at, PAGE_SIZE, RESERVED_RW);
        break;
    }
}

MODE_TEST(vm_cursor_fold, one_page_that_differs_keeps_the_table)
{
    struct world world = world_begin(*levels);

    for (unsigned how = 0; how < SPOILINGS; how++) {
        struct frame *frames = map_pieces(&world, BASE, VM_RW);

        spoil(&world, how, frames);
        host_events_start();
        cr_assert(fold_at(&world, BASE, 2 * MIB) == 0, "spoiling %u", how);
        EXPECT_EQ(flushes(), 0);
        EXPECT_EQ(slot_bytes_at(&world, BASE), PAGE_SIZE);
        (void)unmap_at(&world, BASE, 2 * MIB);
        if (how == OTHER_OWNER) {
            frame_put(frames + 100);
        }
        reap_all();
    }
    world_end(&world);
}

MODE_TEST(vm_cursor_fold, frames_of_two_blocks_are_no_block)
{
    struct world world = world_begin(*levels);
    struct frame *frames = frames_new(10);

    map_frames(&world, BASE, frames + 1, PAGES, VM_RW);
    EXPECT_EQ(fold_at(&world, BASE, 2 * MIB), 0);
    for (unsigned i = 0; i < 2 * PAGES; i++) {
        if (i == 0 || i > PAGES) {
            frame_put(frames + i);
        }
    }
    world_end(&world);
}

MODE_TEST(vm_cursor_fold, what_others_have_on_purpose_stays)
{
    struct world world = world_begin(*levels);
    struct frame *frames = frames_new(9);

    for (unsigned i = 0; i < PAGES; i++) {
        frame_get(frames + i);
    }
    map_frames(&world, BASE, frames, PAGES, VM_RW); /* shared, for there is another owner */
    for (unsigned i = 0; i < PAGES; i++) {
        frame_put(frames + i);
    }
    EXPECT_EQ(item_at(&world, BASE).share, VM_SHARE_ALL);
    EXPECT_EQ(fold_at(&world, BASE, 2 * MIB), 0);
    world_end(&world);
}

/* ---- ranges, bounds, refusals ---- */

MODE_TEST(vm_cursor_fold, a_table_folds_only_if_all_of_it_lies_in_the_range)
{
    struct world world = world_begin(*levels);
    struct vm_cursor cursor;
    unsigned folded;

    (void)map_pieces(&world, BASE, VM_RW);
    EXPECT_EQ(fold_at(&world, BASE, 2 * MIB - PAGE_SIZE), 0);
    EXPECT_EQ(fold_at(&world, BASE + PAGE_SIZE, 4 * MIB), 0);
    cursor = cursor_open(&world, BASE, 2 * MIB, VM_CURSOR_EDIT);
    EXPECT_OK(vm_cursor_fold(&cursor, MIB, TABLES, &folded));
    EXPECT_EQ(folded, 0);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE + MIB);
    EXPECT_OK(vm_cursor_fold(&cursor, MIB, TABLES, &folded));
    EXPECT_EQ(folded, 0);
    vm_cursor_close(&cursor);
    EXPECT_EQ(fold_at(&world, BASE, 2 * MIB), 1);
    world_end(&world);
}

MODE_TEST(vm_cursor_fold, a_bounded_one_says_how_far_it_came)
{
    struct world world = world_begin(*levels);
    uint64_t bytes = 6 * MIB;
    struct vm_cursor cursor;
    unsigned folded;

    for (uint64_t at = BASE; at < BASE + bytes; at += 2 * MIB) {
        mark_pages(&world, at, GUARD);
    }
    cursor = cursor_open(&world, BASE, bytes, VM_CURSOR_EDIT);
    for (uint64_t at = BASE + 2 * MIB; at <= BASE + bytes; at += 2 * MIB) {
        EXPECT_OK(vm_cursor_fold(&cursor, BASE + bytes - vm_cursor_va(&cursor).raw, 1, &folded));
        EXPECT_EQ(folded, 1);
        EXPECT_EQ(vm_cursor_va(&cursor).raw, at);
    }
    EXPECT_OK(vm_cursor_fold(&cursor, 0, 1, &folded));
    EXPECT_EQ(folded, 0);
    vm_cursor_close(&cursor);
    expect_kind(&world, BASE, BASE + bytes, VM_ITEM_GUARD, 3);
    world_end(&world);
}

MODE_TEST(vm_cursor_fold, what_is_refused_changes_nothing)
{
    struct world world = world_begin(*levels);
    struct vm_cursor cursor;
    unsigned folded = 99;

    mark_pages(&world, BASE, GUARD);
    cursor = cursor_open(&world, BASE, 2 * MIB, VM_CURSOR_QUERY);
    EXPECT_STATUS(vm_cursor_fold(&cursor, 2 * MIB, TABLES, &folded), ERR_ACCES);
    vm_cursor_close(&cursor);
    cursor = cursor_open(&world, BASE, 2 * MIB, VM_CURSOR_EDIT);
    EXPECT_STATUS(vm_cursor_fold(&cursor, 2 * MIB, 0, &folded), ERR_INVAL);
    EXPECT_STATUS(vm_cursor_fold(&cursor, 2 * MIB + 1, TABLES, &folded), ERR_INVAL);
    EXPECT_STATUS(vm_cursor_fold(&cursor, 4 * MIB, TABLES, &folded), ERR_RANGE);
    EXPECT_EQ(folded, 99);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE);
    vm_cursor_close(&cursor);
    EXPECT_EQ(slot_bytes_at(&world, BASE), PAGE_SIZE);
    world_end(&world);
}

MODE_TEST(vm_cursor_fold, without_tables_to_put_by_nothing_folds)
{
    struct world world = world_begin(*levels);
    unsigned stock = 2 * (*levels - 1);
    unsigned failed = 0;

    (void)map_pieces(&world, BASE, VM_RW);
    for (unsigned fail = 0; vm_space_split_stock(world.space) < stock; fail++) {
        struct vm_cursor cursor = cursor_open(&world, BASE, 2 * MIB, VM_CURSOR_EDIT);
        unsigned folded = 99;
        status_t status;

        frame_fail_after(fail);
        status = vm_cursor_fold(&cursor, 2 * MIB, TABLES, &folded);
        frame_fail_after(UINT64_MAX);
        EXPECT_EQ(vm_cursor_va(&cursor).raw, status == OK ? BASE + 2 * MIB : BASE);
        vm_cursor_close(&cursor);
        world_check(&world);
        EXPECT_EQ(folded, status == OK ? 1 : 0);
        EXPECT_EQ(slot_bytes_at(&world, BASE), status == OK ? 2 * MIB : PAGE_SIZE);
        cr_assert(status == OK || status == ERR_NOMEM);
        failed += status == ERR_NOMEM ? 1 : 0;
    }
    cr_assert(failed >= stock, "%u allocations failed", failed);
    world_end(&world);
}
