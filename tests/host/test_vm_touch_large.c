/* SPDX-License-Identifier: MIT */
/*
 * Touching inside marks above level 0: tables take their place on the way to the page, nothing else
 * changes its meaning, and a touch that finds no memory changes none at all.
 */
#include "lib/counter.h"
#include "mm/vm_fault.h"
#include "support_touch.h"

#define INSIDE (BASE + 300 * 2 * MIB + 7 * PAGE_SIZE)

/* [BASE, BASE + 1 GiB) is one entry, reserved. */
static struct world world_with_a_large_mark(unsigned levels)
{
    struct world world = world_begin(levels);
    struct vm_cursor cursor = cursor_open(&world, BASE, GIB, VM_CURSOR_CHANGE);
    struct vm_removed removed;

    EXPECT_OK(vm_cursor_mark(&cursor, GIB,
                             (struct vm_mark){.kind = VM_ITEM_RESERVED, .prot = VM_RW},
                             VM_MAP_EXCLUSIVE, 8, &removed));
    vm_cursor_close(&cursor);
    return world;
}

/* Every address but those of the page is reserved still. */
static void expect_reserved_around(struct world *world, uint64_t page, uint64_t page_bytes)
{
    struct vm_cursor cursor = cursor_open(world, BASE, GIB, VM_CURSOR_QUERY);
    struct vm_slot slot;

    while (vm_cursor_next(&cursor, &slot) == OK) {
        bool is_page = slot.range.start.raw == page && page_bytes != 0;

        EXPECT_EQ(slot.item.kind, is_page ? VM_ITEM_RAM : VM_ITEM_RESERVED);
        EXPECT_EQ(slot.item.prop.prot, VM_RW);
    }
    vm_cursor_close(&cursor);
}

MODE_TEST(vm_touch_large, the_first_touch_makes_the_tables_of_its_way)
{
    struct world world = world_with_a_large_mark(*levels);
    uint64_t tables = counter_read(COUNTER_tables_allocated);
    uint64_t charged = vm_space_charged(world.space);

    host_events_start();
    EXPECT_EQ(vm_space_fault(world.space, va(INSIDE + 9), VM_ACCESS_WRITE), VM_FAULT_RETRY);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_LOCAL), 0);
    EXPECT_EQ(counter_read(COUNTER_tables_allocated), tables + 2);
    EXPECT_EQ(vm_space_charged(world.space), charged + 3);
    expect_mapped(&world, INSIDE, frame_at(&world, INSIDE), VM_RW);
    expect_reserved_around(&world, INSIDE, PAGE_SIZE);
    /* The next one finds its table there. */
    EXPECT_EQ(vm_space_fault(world.space, va(INSIDE + PAGE_SIZE), VM_ACCESS_READ), VM_FAULT_RETRY);
    EXPECT_EQ(counter_read(COUNTER_tables_allocated), tables + 2);
    world_end(&world);
}

/* What is refused needs no table. */
MODE_TEST(vm_touch_large, what_is_refused_splits_nothing)
{
    struct world world = world_with_a_large_mark(*levels);
    uint64_t free_before = frame_free_count();

    EXPECT_EQ(vm_space_fault(world.space, va(INSIDE), VM_ACCESS_EXECUTE), VM_FAULT_BAD);
    EXPECT_EQ(vm_space_fault(world.space, va(BASE - 1), VM_ACCESS_READ), VM_FAULT_BAD);
    EXPECT_EQ(vm_space_fault(world.space, va(BASE + GIB), VM_ACCESS_READ), VM_FAULT_BAD);
    EXPECT_EQ(frame_free_count(), free_before);
    expect_reserved_around(&world, 0, 0);
    world_end(&world);
}

MODE_TEST(vm_touch_large, a_fault_without_memory_keeps_every_meaning)
{
    struct world world = world_with_a_large_mark(*levels);
    enum vm_fault_result result = VM_FAULT_NOMEM;
    uint64_t allowed;

    for (allowed = 0; result == VM_FAULT_NOMEM; allowed++) {
        frame_fail_after(allowed);
        result = vm_space_fault(world.space, va(INSIDE), VM_ACCESS_WRITE);
        frame_fail_after(UINT64_MAX);
        expect_reserved_around(&world, INSIDE, result == VM_FAULT_RETRY ? PAGE_SIZE : 0);
        world_check(&world);
    }
    EXPECT_EQ(result, VM_FAULT_RETRY);
    cr_assert(allowed > 2, "a table and a page at least had to be made");
    world_end(&world);
}

/* The same under a cursor on all of it. */
MODE_TEST(vm_touch_large, a_call_without_memory_keeps_every_meaning)
{
    struct world world = world_with_a_large_mark(*levels);
    status_t status = ERR_NOMEM;
    uint64_t allowed;

    for (allowed = 0; status == ERR_NOMEM; allowed++) {
        struct vm_cursor cursor = cursor_open(&world, BASE, GIB, VM_CURSOR_CHANGE);

        EXPECT_OK(vm_cursor_jump(&cursor, va(INSIDE)));
        frame_fail_after(allowed);
        status = vm_cursor_touch(&cursor, VM_ACCESS_WRITE);
        frame_fail_after(UINT64_MAX);
        EXPECT_EQ(vm_cursor_va(&cursor).raw, INSIDE);
        vm_cursor_close(&cursor);
        expect_reserved_around(&world, INSIDE, status == OK ? PAGE_SIZE : 0);
        world_check(&world);
    }
    EXPECT_OK(status);
    cr_assert(allowed > 2, "a table and a page at least had to be made");
    world_end(&world);
}

/* A cursor that unmapped, marked and touches: what was there is forgotten before the page comes. */
MODE_TEST(vm_touch_large, what_the_same_cursor_removed_is_flushed_first)
{
    struct world world = world_begin(*levels);
    struct frame *old = frame_new();
    struct vm_cursor cursor;
    struct vm_removed removed;

    map_at(&world, INSIDE, old, VM_RW);
    another_hart_runs(&world);
    cr_assert(hart_may(1, INSIDE, ORACLE_READ, NULL));
    cursor = cursor_open(&world, BASE, GIB, VM_CURSOR_CHANGE);
    EXPECT_OK(vm_cursor_mark(&cursor, GIB,
                             (struct vm_mark){.kind = VM_ITEM_RESERVED, .prot = VM_RW},
                             VM_MAP_REPLACE, 64, &removed));
    EXPECT_EQ(removed.ram_pages, 1);
    EXPECT_OK(vm_cursor_jump(&cursor, va(INSIDE)));
    EXPECT_OK(vm_cursor_touch(&cursor, VM_ACCESS_READ));
    vm_cursor_close(&cursor);
    expect_mapped(&world, INSIDE, frame_zero(), VM_R);
    another_hart_leaves();
    world_end(&world);
}
