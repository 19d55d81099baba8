/* SPDX-License-Identifier: MIT */
/*
 * Transactions: several changes with one flush, each as if done after those before it.  What is
 * refused is tested in test_vm_cursor_txn_refused.c, and what random ones come to in
 * test_vm_cursor_txn_random.c.
 */
#include "support_txn.h"

#include "lib/counter.h"

#define PAGES 16U

static uint64_t page(unsigned i)
{
    return BASE + i * PAGE_SIZE;
}

static struct world world_with_pages(unsigned levels)
{
    struct world world = world_begin(levels);

    fill_at(&world, BASE, PAGES, VM_RW);
    return world;
}

MODE_TEST(vm_cursor_txn, does_all_with_one_flush)
{
    struct world world = world_with_pages(*levels);
    struct txn_result result;

    host_events_start();
    result = TXN(&world, op_unmap(page(0), 2 * PAGE_SIZE), op_protect(page(2), PAGE_SIZE, VM_R),
                 op_mark(page(3), 2 * PAGE_SIZE, GUARD, VM_MAP_REPLACE),
                 op_protect(page(6), PAGE_SIZE, VM_PROT_NONE),
                 op_mark(page(8), PAGE_SIZE, RESERVED_RW, VM_MAP_REPLACE),
                 op_unmap(page(15), PAGE_SIZE));
    EXPECT_OK(result.status);
    EXPECT_EQ(flushes(), 1);
    EXPECT_EQ(result.removed.ram_pages, 6);
    EXPECT_EQ(result.removed.io_pages, 0);
    expect_absent(&world, page(0));
    expect_absent(&world, page(1));
    EXPECT_EQ(item_at(&world, page(2)).prop.prot, VM_R);
    expect_kind(&world, page(3), page(5), VM_ITEM_GUARD, 2);
    EXPECT_EQ(item_at(&world, page(5)).prop.prot, VM_RW);
    EXPECT_EQ(item_at(&world, page(6)).kind, VM_ITEM_HIDDEN);
    EXPECT_EQ(item_at(&world, page(7)).prop.prot, VM_RW);
    EXPECT_EQ(item_at(&world, page(8)).kind, VM_ITEM_RESERVED);
    EXPECT_EQ(item_at(&world, page(14)).kind, VM_ITEM_RAM);
    EXPECT_EQ(item_at(&world, page(15)).kind, VM_ITEM_ABSENT);
    world_end(&world);
}

MODE_TEST(vm_cursor_txn, sixteen_unmaps_take_one_flush)
{
    struct world world = world_with_pages(*levels);
    struct vm_change ops[PAGES];

    for (unsigned i = 0; i < PAGES; i++) {
        ops[i] = op_unmap(page(i * 5 % PAGES), PAGE_SIZE); /* in any order */
    }
    host_events_start();
    EXPECT_EQ(txn(&world, ops, PAGES).removed.ram_pages, PAGES);
    EXPECT_EQ(flushes(), 1);
    EXPECT_EQ(slot_at(&world, BASE).item.kind, VM_ITEM_ABSENT);
    world_end(&world);
}

/* Nothing leaves and nothing is taken: nothing is owed. */
MODE_TEST(vm_cursor_txn, granting_and_marking_owe_no_flush)
{
    struct world world = world_begin(*levels);

    fill_at(&world, BASE, 4, VM_R);
    host_events_start();
    EXPECT_OK(TXN(&world, op_protect(page(0), 4 * PAGE_SIZE, VM_RW),
                  op_mark(BASE + 2 * MIB, 2 * MIB, RESERVED_RW, VM_MAP_EXCLUSIVE))
                  .status);
    EXPECT_EQ(flushes(), 0);
    world_end(&world);
}

/* ---- one after another ---- */

MODE_TEST(vm_cursor_txn, each_meets_what_those_before_it_left)
{
    struct world world = world_with_pages(*levels);
    uint64_t four = 4 * PAGE_SIZE;

    EXPECT_OK(TXN(&world, op_unmap(page(0), four),
                  op_mark(page(0), four, RESERVED_RW, VM_MAP_EXCLUSIVE),
                  op_protect(page(1), PAGE_SIZE, VM_R), op_unmap(page(2), PAGE_SIZE),
                  op_protect(page(2), 2 * PAGE_SIZE, VM_PROT_NONE))
                  .status);
    EXPECT_EQ(item_at(&world, page(0)).prop.prot, VM_RW);
    EXPECT_EQ(item_at(&world, page(1)).kind, VM_ITEM_RESERVED);
    EXPECT_EQ(item_at(&world, page(1)).prop.prot, VM_R);
    EXPECT_EQ(item_at(&world, page(2)).kind, VM_ITEM_ABSENT);
    EXPECT_EQ(item_at(&world, page(3)).kind, VM_ITEM_RESERVED);
    EXPECT_EQ(item_at(&world, page(3)).prop.prot, VM_PROT_NONE);
    world_end(&world);
}

MODE_TEST(vm_cursor_txn, a_later_mark_lies_over_an_earlier_one)
{
    struct world world = world_begin(*levels);
    struct mem_object *object = object_new(OBJECT_PAGES);
    uint64_t start = BASE - 2 * PAGE_SIZE;
    uint64_t end = BASE + 2 * MIB + 2 * PAGE_SIZE;

    EXPECT_OK(
        TXN(&world,
            op_mark(start, end - start, paged(object, 7, VM_SHARE_ALL, VM_RW), VM_MAP_EXCLUSIVE),
            op_mark(BASE - PAGE_SIZE, 2 * PAGE_SIZE, GUARD, VM_MAP_REPLACE),
            op_mark(BASE, 2 * MIB, paged(object, 1, VM_SHARE_ALL, VM_RX), VM_MAP_REPLACE),
            op_protect(start, end - start, VM_R))
            .status);
    expect_paged(&world, start, start + PAGE_SIZE, object, 7);
    expect_kind(&world, BASE - PAGE_SIZE, BASE, VM_ITEM_GUARD, 1);
    expect_paged(&world, BASE, BASE + 2 * MIB, object, 1);
    expect_kind(&world, BASE, BASE + 2 * MIB, VM_ITEM_PAGED, 1);
    expect_paged(&world, BASE + 2 * MIB, end, object, 7 + 2 + 512);
    EXPECT_EQ(item_at(&world, start).prop.prot, VM_R);
    EXPECT_EQ(item_at(&world, BASE).prop.prot, VM_R);
    expect_named(object, 7 + 4 + 512);
    unmap_at(&world, start, end - start);
    expect_not_named(object);
    mem_object_put(object);
    world_end(&world);
}

/* A mark that is wholly gone in the end leaves no row behind. */
MODE_TEST(vm_cursor_txn, what_is_done_and_undone_leaves_nothing)
{
    struct world world = world_with_pages(*levels);
    struct mem_object *object = object_new(OBJECT_PAGES);
    uint64_t stores = counter_read(COUNTER_entry_stores);

    EXPECT_EQ(
        TXN(&world,
            op_mark(page(20), PAGE_SIZE, paged(object, 7, VM_SHARE_ALL, VM_RW), VM_MAP_EXCLUSIVE),
            op_unmap(page(20), PAGE_SIZE))
            .status,
        OK);
    EXPECT_EQ(counter_read(COUNTER_entry_stores), stores);
    EXPECT_EQ(item_at(&world, page(20)).kind, VM_ITEM_ABSENT);
    expect_not_named(object);
    mem_object_put(object);
    world_end(&world);
}

MODE_TEST(vm_cursor_txn, the_last_rights_count)
{
    struct world world = world_with_pages(*levels);

    host_events_start();
    EXPECT_OK(TXN(&world, op_protect(page(0), PAGE_SIZE, VM_PROT_NONE),
                  op_protect(page(0), PAGE_SIZE, VM_RW), op_protect(page(1), PAGE_SIZE, VM_RW),
                  op_protect(page(1), PAGE_SIZE, VM_R))
                  .status);
    EXPECT_EQ(flushes(), 1);
    EXPECT_EQ(item_at(&world, page(0)).prop.prot, VM_RW);
    EXPECT_EQ(item_at(&world, page(1)).prop.prot, VM_R);
    world_end(&world);
}

/* ---- large ones ---- */

/* Whole tables go though no operation has all of one. */
MODE_TEST(vm_cursor_txn, parts_that_leave_are_one)
{
    struct world world = world_begin(*levels);
    struct txn_result result;

    fill_at(&world, BASE, 512, VM_RW);
    fill_at(&world, BASE + 2 * MIB, 1, VM_RW); /* the upper table stays */
    host_events_start();
    result = TXN(&world, op_unmap(BASE, MIB), op_unmap(BASE + MIB, MIB));
    EXPECT_OK(result.status);
    EXPECT_EQ(result.removed.ram_pages, 512);
    EXPECT_EQ(flushes(), 1);
    EXPECT_EQ(item_at(&world, BASE + 2 * MIB).kind, VM_ITEM_RAM);
    world_end(&world);
}

MODE_TEST(vm_cursor_txn, large_marks_come_apart_at_the_ends)
{
    struct world world = world_begin(*levels);

    mark_at(&world, BASE, GIB, RESERVED_RW);
    host_events_start();
    EXPECT_OK(TXN(&world, op_unmap(BASE + MIB, PAGE_SIZE),
                  op_protect(BASE + 6 * MIB, 2 * MIB, VM_R),
                  op_mark(BASE + GIB - PAGE_SIZE, 2 * PAGE_SIZE, GUARD, VM_MAP_REPLACE))
                  .status);
    EXPECT_EQ(flushes(), 0);
    EXPECT_EQ(item_at(&world, BASE + MIB - PAGE_SIZE).kind, VM_ITEM_RESERVED);
    EXPECT_EQ(item_at(&world, BASE + MIB).kind, VM_ITEM_ABSENT);
    expect_slot(&world, BASE + 7 * MIB, VM_ITEM_RESERVED, BASE + 6 * MIB, 2 * MIB);
    EXPECT_EQ(item_at(&world, BASE + 7 * MIB).prop.prot, VM_R);
    expect_slot(&world, BASE + 20 * MIB, VM_ITEM_RESERVED, BASE + 20 * MIB, 2 * MIB);
    expect_kind(&world, BASE + GIB - PAGE_SIZE, BASE + GIB + PAGE_SIZE, VM_ITEM_GUARD, 2);
    world_end(&world);
}

/* A large mark is written as high as an operation allows, and the split stock is there then. */
MODE_TEST(vm_cursor_txn, marks_are_written_at_the_highest_level)
{
    struct world world = world_begin(*levels);
    uint64_t stores;

    mark_at(&world, BASE - PAGE_SIZE, PAGE_SIZE, GUARD); /* the tables on the way */
    EXPECT_EQ(vm_space_split_stock(world.space), 0);
    stores = counter_read(COUNTER_entry_stores);
    EXPECT_OK(TXN(&world, op_mark(BASE, GIB, RESERVED_RW, VM_MAP_EXCLUSIVE),
                  op_mark(BASE + GIB, GIB, GUARD, VM_MAP_EXCLUSIVE))
                  .status);
    EXPECT_EQ(vm_space_split_stock(world.space), 2 * (*levels - 1));
    EXPECT_EQ(counter_read(COUNTER_entry_stores) - stores, 2);
    expect_slot(&world, BASE, VM_ITEM_RESERVED, BASE, GIB);
    expect_slot(&world, BASE + GIB, VM_ITEM_GUARD, BASE + GIB, GIB);
    world_end(&world);
}

/* Code is seen as it is written. */
MODE_TEST(vm_cursor_txn, pages_that_become_executable_are)
{
    struct world world = world_with_pages(*levels);

    host_events_start();
    EXPECT_OK(TXN(&world, op_protect(page(0), PAGE_SIZE, VM_RX)).status);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_CODE_LOCAL), 1);
    world_end(&world);
}

MODE_TEST(vm_cursor_txn, what_the_cursor_owes_from_before_is_paid)
{
    struct world world = world_with_pages(*levels);
    struct vm_cursor cursor = cursor_open(&world, BASE, PAGES * PAGE_SIZE, VM_CURSOR_CHANGE);
    struct vm_change op = op_mark(page(0), 4 * PAGE_SIZE, RESERVED_RW, VM_MAP_EXCLUSIVE);
    struct vm_removed removed;
    unsigned failed;

    EXPECT_OK(vm_cursor_unmap(&cursor, 4 * PAGE_SIZE, &removed));
    host_events_start();
    EXPECT_OK(vm_cursor_txn(&cursor, &op, 1, &removed, &failed));
    EXPECT_EQ(vm_cursor_va(&cursor).raw, page(4));
    EXPECT_EQ(removed.ram_pages, 0);
    vm_cursor_close(&cursor);
    EXPECT_EQ(flushes(), 1);
    expect_kind(&world, page(0), page(4), VM_ITEM_RESERVED, 4);
    world_end(&world);
}
