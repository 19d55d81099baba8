/* SPDX-License-Identifier: MIT */
/* What a page fault means, by the page table alone. */
#include <string.h>

#include "mm/vm_fault.h"

#include "lib/counter.h"
#include "lib/spinlock.h"
#include "support.h"

#define BASE (4 * GIB)

static enum vm_fault_result fault(struct world *world, uint64_t at, enum vm_access access)
{
    enum vm_fault_result result = vm_space_fault(world->space, va(at), access);

    EXPECT_EQ(spinlock_held_count(), 0);
    return result;
}

/* Retry exactly where the entry grants the access. */
MODE_TEST(vm_fault, rights_decide)
{
    static const enum vm_prot prots[] = {VM_R, VM_X, VM_RW, VM_RX, VM_RWX};
    static const enum vm_prot needs[] = {
        [VM_ACCESS_READ] = VM_R, [VM_ACCESS_WRITE] = VM_W, [VM_ACCESS_EXECUTE] = VM_X};
    struct world world = world_begin(*levels);

    for (size_t i = 0; i < ARRAY_LEN(prots); i++) {
        map_at(&world, BASE, frame_new(), prots[i]);
        for (int access = VM_ACCESS_READ; access <= VM_ACCESS_EXECUTE; access++) {
            enum vm_fault_result want =
                (prots[i] & needs[access]) != 0 ? VM_FAULT_RETRY : VM_FAULT_BAD;

            EXPECT_EQ(fault(&world, BASE, (enum vm_access)access), want);
            EXPECT_EQ(fault(&world, BASE + PAGE_MASK, (enum vm_access)access), want);
            EXPECT_EQ(fault(&world, BASE - 1, (enum vm_access)access), VM_FAULT_BAD);
            EXPECT_EQ(fault(&world, BASE + PAGE_SIZE, (enum vm_access)access), VM_FAULT_BAD);
        }
    }
    world_end(&world);
}

MODE_TEST(vm_fault, addresses_outside_the_user_range_are_bad)
{
    struct world world = world_begin(*levels);
    uint64_t limit = vm_space_user_limit().raw;
    const uint64_t addresses[] = {
        limit,
        limit + 1,
        -limit - 1,
        -limit,
        UINT64_C(0xffffffff80000000),
        UINT64_MAX,
        UINT64_MAX - PAGE_MASK,
        UINT64_C(1) << 63,
    };

    for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
        for (int access = VM_ACCESS_READ; access <= VM_ACCESS_EXECUTE; access++) {
            EXPECT_EQ(fault(&world, addresses[i], (enum vm_access)access), VM_FAULT_BAD);
        }
    }
    EXPECT_EQ(fault(&world, 0, VM_ACCESS_READ), VM_FAULT_BAD);
    EXPECT_EQ(fault(&world, limit - 1, VM_ACCESS_READ), VM_FAULT_BAD);
    map_at(&world, limit - PAGE_SIZE, frame_new(), VM_R);
    EXPECT_EQ(fault(&world, limit - 1, VM_ACCESS_READ), VM_FAULT_RETRY);
    world_end(&world);
}

static void make_writable(struct vm_rights *rights, void *context)
{
    (void)context;
    rights->prop.prot = VM_RW;
}

/* A hart that cached fewer rights, and that the table was missing, faults twice at most; then it
 * gets what the entry grants. */
MODE_TEST(vm_fault, a_spurious_fault_is_cured_by_the_retry)
{
    struct world world = world_begin(*levels);
    struct vm_cursor cursor;
    struct va_range changed;
    uint64_t spurious = counter_read(COUNTER_spurious_faults);

    host_hart_set(1);
    vm_space_activate(world.space);
    host_hart_set(0);
    map_at(&world, BASE, frame_new(), VM_R);
    cr_assert(hart_may(1, BASE, ORACLE_READ, NULL));
    cursor = cursor_open(&world, BASE, PAGE_SIZE, VM_CURSOR_CHANGE);
    EXPECT_OK(vm_cursor_protect_next(&cursor, PAGE_SIZE, make_writable, NULL, &changed));
    vm_cursor_close(&cursor);
    host_hart_set(1);
    cr_assert(hart_may_fault(1, BASE, ORACLE_WRITE));
    EXPECT_EQ(fault(&world, BASE + 8, VM_ACCESS_WRITE), VM_FAULT_RETRY);
    EXPECT_EQ(fault(&world, BASE + 8, VM_ACCESS_WRITE), VM_FAULT_RETRY);
    cr_assert(!hart_may_fault(1, BASE, ORACLE_WRITE));
    EXPECT_EQ(counter_read(COUNTER_spurious_faults), spurious + 2);
    vm_space_activate(NULL);
    host_hart_set(0);
    world_end(&world);
}

/* Fencing an address does not make a hart forget that a table was missing; so what faults again
 * gets a fence of everything. */
MODE_TEST(vm_fault, the_second_time_everything_is_flushed)
{
    struct world world = world_begin(*levels);

    map_at(&world, BASE, frame_new(), VM_RW);
    map_at(&world, BASE + PAGE_SIZE, frame_new(), VM_RW);
    host_events_start();
    EXPECT_EQ(fault(&world, BASE, VM_ACCESS_WRITE), VM_FAULT_RETRY);
    EXPECT_EQ(fault(&world, BASE + 8, VM_ACCESS_WRITE), VM_FAULT_RETRY);
    EXPECT_EQ(fault(&world, BASE, VM_ACCESS_READ), VM_FAULT_RETRY);
    EXPECT_EQ(fault(&world, BASE + PAGE_SIZE, VM_ACCESS_READ), VM_FAULT_RETRY);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_LOCAL), 4);
    for (size_t i = 0, flush = 0; i < host_event_count(); i++) {
        static const uint64_t bytes[] = {PAGE_SIZE, 0, PAGE_SIZE, PAGE_SIZE};

        if (host_event_at(i)->kind == HOST_EVENT_FLUSH_LOCAL) {
            EXPECT_EQ(host_event_at(i)->op.bytes, bytes[flush]);
            flush++;
        }
    }
    world_end(&world);
}

MODE_TEST(vm_fault, deciding_allocates_nothing)
{
    struct world world = world_begin(*levels);
    uint64_t free_before = frame_free_count();

    for (uint64_t at = 0; at < vm_space_user_limit().raw; at = at * 2 + PAGE_SIZE) {
        EXPECT_EQ(fault(&world, at, VM_ACCESS_WRITE), VM_FAULT_BAD);
    }
    EXPECT_EQ(frame_free_count(), free_before);
    world_end(&world);
}

/* Fences that do not reach the hart would make it fault for ever. */
MODE_TEST(vm_fault, the_same_fault_after_both_fences_is_an_error)
{
    struct world world = world_begin(*levels);

    map_at(&world, BASE, frame_new(), VM_RW);
    host_log_clear();
    EXPECT_EQ(fault(&world, BASE, VM_ACCESS_WRITE), VM_FAULT_RETRY);
    EXPECT_EQ(fault(&world, BASE, VM_ACCESS_WRITE), VM_FAULT_RETRY);
    cr_assert(strlen(host_log_text()) == 0);
    EXPECT_EQ(fault(&world, BASE, VM_ACCESS_WRITE), VM_FAULT_BAD);
    cr_assert(strstr(host_log_text(), "after two fences") != NULL);
    world_end(&world);
}

MODE_TEST(vm_fault, a_flush_or_a_switch_in_between_starts_the_count_anew)
{
    struct world world = world_begin(*levels);

    map_at(&world, BASE, frame_new(), VM_RW);
    map_at(&world, BASE + PAGE_SIZE, frame_new(), VM_RW);
    EXPECT_EQ(fault(&world, BASE, VM_ACCESS_WRITE), VM_FAULT_RETRY);
    EXPECT_EQ(fault(&world, BASE, VM_ACCESS_WRITE), VM_FAULT_RETRY);
    unmap_at(&world, BASE + PAGE_SIZE, PAGE_SIZE);
    EXPECT_EQ(fault(&world, BASE, VM_ACCESS_WRITE), VM_FAULT_RETRY);
    EXPECT_EQ(fault(&world, BASE, VM_ACCESS_WRITE), VM_FAULT_RETRY);
    vm_space_activate(NULL);
    vm_space_activate(world.space);
    EXPECT_EQ(fault(&world, BASE, VM_ACCESS_WRITE), VM_FAULT_RETRY);
    EXPECT_EQ(fault(&world, BASE, VM_ACCESS_WRITE), VM_FAULT_RETRY);
    EXPECT_EQ(fault(&world, BASE, VM_ACCESS_READ), VM_FAULT_RETRY);
    world_end(&world);
}
