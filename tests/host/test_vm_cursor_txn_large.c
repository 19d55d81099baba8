/* SPDX-License-Identifier: MIT */
/* Transactions over pages of 2 MiB: they come apart where an operation needs it, and nowhere else.
 */
#include "support_txn.h"

#define LARGE (2 * MIB)

static struct world world_with_large(unsigned levels, unsigned count, enum vm_prot prot)
{
    struct world world = world_begin_with(levels, 64 * MIB);
    struct vm_cursor cursor = cursor_open(&world, BASE, GIB, VM_CURSOR_CHANGE);

    for (unsigned i = 0; i < count; i++) {
        map_2m(&cursor, prot);
    }
    vm_cursor_close(&cursor);
    return world;
}

static void expect_extent(const struct world *world, uint64_t at, enum vm_item_kind kind,
                          uint64_t bytes)
{
    struct vm_slot slot = slot_at(world, at);

    EXPECT_EQ(slot.item.kind, kind);
    EXPECT_EQ(slot.range.end.raw - slot.range.start.raw, bytes);
}

MODE_TEST(vm_cursor_txn_large, whole_pages_stay_whole)
{
    struct world world = world_with_large(*levels, 5, VM_RW);
    uint64_t charged = vm_space_charged(world.space);

    host_events_start();
    EXPECT_EQ(TXN(&world, op_protect(BASE, LARGE, VM_R),
                  op_protect(BASE + LARGE, LARGE, VM_PROT_NONE), op_unmap(BASE + 2 * LARGE, LARGE),
                  op_mark(BASE + 3 * LARGE, LARGE, GUARD, VM_MAP_REPLACE))
                  .removed.ram_pages,
              2 * 512);
    EXPECT_EQ(flushes(), 1);
    EXPECT_EQ(vm_space_charged(world.space), charged - UINT64_C(2) * 512);
    expect_extent(&world, BASE, VM_ITEM_RAM, LARGE);
    EXPECT_EQ(item_at(&world, BASE).prop.prot, VM_R);
    expect_extent(&world, BASE + LARGE, VM_ITEM_HIDDEN, LARGE);
    expect_extent(&world, BASE + 2 * LARGE, VM_ITEM_ABSENT, LARGE);
    expect_extent(&world, BASE + 3 * LARGE, VM_ITEM_GUARD, LARGE);
    expect_extent(&world, BASE + 4 * LARGE, VM_ITEM_RAM, LARGE);
    world_end(&world);
}

MODE_TEST(vm_cursor_txn_large, parts_of_one_split_it_once)
{
    struct world world = world_with_large(*levels, 2, VM_RW);
    uint64_t charged = vm_space_charged(world.space);

    host_events_start();
    EXPECT_EQ(TXN(&world, op_unmap(BASE + MIB, 4 * PAGE_SIZE),
                  op_protect(BASE, 2 * PAGE_SIZE, VM_R),
                  op_mark(BASE + MIB, PAGE_SIZE, RESERVED_RW, VM_MAP_EXCLUSIVE),
                  op_protect(BASE + LARGE - PAGE_SIZE, PAGE_SIZE, VM_PROT_NONE))
                  .removed.ram_pages,
              4);
    EXPECT_EQ(flushes(), 1);
    EXPECT_EQ(vm_space_charged(world.space), charged + 1 - 4);
    EXPECT_EQ(item_at(&world, BASE).prop.prot, VM_R);
    EXPECT_EQ(item_at(&world, BASE + 2 * PAGE_SIZE).prop.prot, VM_RW);
    EXPECT_EQ(item_at(&world, BASE + MIB).kind, VM_ITEM_RESERVED);
    EXPECT_EQ(item_at(&world, BASE + MIB + PAGE_SIZE).kind, VM_ITEM_ABSENT);
    EXPECT_EQ(item_at(&world, BASE + LARGE - PAGE_SIZE).kind, VM_ITEM_HIDDEN);
    expect_extent(&world, BASE + LARGE, VM_ITEM_RAM, LARGE);
    world_end(&world);
}

/* Operations whose ends lie in it, but that come to the same for all of it. */
MODE_TEST(vm_cursor_txn_large, ends_that_come_to_nothing_split_nothing)
{
    struct world world = world_with_large(*levels, 2, VM_RW);
    uint64_t charged = vm_space_charged(world.space);

    EXPECT_OK(TXN(&world, op_protect(BASE, MIB, VM_R), op_protect(BASE + MIB, MIB, VM_R)).status);
    expect_extent(&world, BASE, VM_ITEM_RAM, LARGE);
    EXPECT_EQ(TXN(&world, op_unmap(BASE, MIB), op_unmap(BASE + MIB, MIB)).removed.ram_pages, 512);
    EXPECT_STATUS(TXN(&world, op_unmap(BASE + LARGE, PAGE_SIZE),
                      op_mark(BASE + LARGE + MIB, PAGE_SIZE, GUARD, VM_MAP_EXCLUSIVE))
                      .status,
                  ERR_EXIST);
    expect_extent(&world, BASE + LARGE, VM_ITEM_RAM, LARGE);
    EXPECT_EQ(vm_space_charged(world.space), charged - 512);
    world_end(&world);
}

/* W of a private page is a question to all its frames. */
MODE_TEST(vm_cursor_txn_large, granting_w_counts_more)
{
    struct world world = world_with_large(*levels, 5, VM_R);

    EXPECT_STATUS(TXN(&world, op_protect(BASE, 5 * LARGE, VM_RW)).status, ERR_2BIG);
    EXPECT_EQ(item_at(&world, BASE).prop.prot, VM_R);
    EXPECT_OK(TXN(&world, op_protect(BASE, 4 * LARGE, VM_RW)).status);
    EXPECT_OK(TXN(&world, op_protect(BASE, 5 * LARGE, VM_RW)).status); /* four have it */
    EXPECT_EQ(item_at(&world, BASE + 4 * LARGE).prop.prot, VM_RW);
    EXPECT_OK(TXN(&world, op_protect(BASE, 5 * LARGE, VM_R)).status);
    expect_extent(&world, BASE, VM_ITEM_RAM, LARGE);
    world_end(&world);
}

/* Too much work is seen when it is split already: it means what it did, and a flush is paid. */
MODE_TEST(vm_cursor_txn_large, what_is_split_for_nothing_means_what_it_did)
{
    struct world world = world_with_large(*levels, 1, VM_RW);
    static struct meaning before[512], after[512];

    meanings_read(world.space, va_span(BASE, LARGE), before);
    host_events_start();
    EXPECT_STATUS(TXN(&world, op_unmap(BASE, LARGE - PAGE_SIZE)).status, ERR_2BIG);
    EXPECT_EQ(flushes(), 1);
    meanings_read(world.space, va_span(BASE, LARGE), after);
    expect_meanings(after, before, 512);
    world_end(&world);
}

/* A page that this cursor has removed already is dying where a part of it is to be marked. */
MODE_TEST(vm_cursor_txn_large, what_is_dying_makes_way)
{
    struct world world = world_with_large(*levels, 1, VM_RW);
    struct vm_cursor cursor = cursor_open(&world, BASE, GIB, VM_CURSOR_CHANGE);
    struct vm_change op = op_mark(BASE + MIB, PAGE_SIZE, RESERVED_RW, VM_MAP_EXCLUSIVE);
    struct vm_removed removed;
    unsigned failed;

    EXPECT_OK(vm_cursor_unmap(&cursor, LARGE, &removed));
    EXPECT_OK(vm_cursor_txn(&cursor, &op, 1, &removed, &failed));
    vm_cursor_close(&cursor);
    world_check(&world);
    EXPECT_EQ(item_at(&world, BASE + MIB).kind, VM_ITEM_RESERVED);
    EXPECT_EQ(item_at(&world, BASE + MIB - PAGE_SIZE).kind, VM_ITEM_ABSENT);
    world_end(&world);
}
