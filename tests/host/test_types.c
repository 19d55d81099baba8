/* SPDX-License-Identifier: MIT */
/* Addresses, ranges and checked arithmetic; harts as sets; names of statuses and counters. */
#include "lib/types.h"

#include <criterion/criterion.h>
#include <criterion/theories.h>
#include <string.h>

#include "lib/counter.h"
#include "lib/hart_mask.h"
#include "support.h"

Test(types, alignment_down_and_up)
{
    EXPECT_EQ(align_down(0x1fff, 0x1000), 0x1000);
    EXPECT_EQ(align_down(0x1000, 0x1000), 0x1000);
    EXPECT_EQ(align_up(0x1001, 0x1000), 0x2000);
    EXPECT_EQ(align_up(0x1000, 0x1000), 0x1000);
    EXPECT_EQ(align_up(0, 0x1000), 0);
    EXPECT_EQ(align_up(UINT64_MAX, 0x1000), 0); /* wraps, as the header says */
    cr_assert(is_aligned(0x200000, 0x200000));
    cr_assert(!is_aligned(0x201000, 0x200000));
}

Test(types, checked_add_refuses_overflow_and_leaves_the_result)
{
    uint64_t sum = 7;

    EXPECT_OK(checked_add(UINT64_MAX - 1, 1, &sum));
    EXPECT_EQ(sum, UINT64_MAX);
    sum = 7;
    EXPECT_STATUS(checked_add(UINT64_MAX, 1, &sum), ERR_RANGE);
    EXPECT_EQ(sum, 7);
}

Test(types, checked_align_up_refuses_overflow_and_leaves_the_result)
{
    uint64_t up = 7;

    EXPECT_OK(checked_align_up(UINT64_MAX - PAGE_MASK, PAGE_SIZE, &up));
    EXPECT_EQ(up, UINT64_MAX - PAGE_MASK);
    up = 7;
    EXPECT_STATUS(checked_align_up(UINT64_MAX - PAGE_MASK + 1, PAGE_SIZE, &up), ERR_RANGE);
    EXPECT_EQ(up, 7);
}

TheoryDataPoints(types, align_up_is_the_least_multiple_not_below) = {
    DataPoints(uint64_t, 0, 1, 4095, 4096, 4097, 0x7fffffffffffffff),
    DataPoints(uint64_t, 1, 16, 4096, 0x200000),
};

Theory((uint64_t value, uint64_t unit), types, align_up_is_the_least_multiple_not_below)
{
    uint64_t up = align_up(value, unit);

    cr_assert(up >= value && up - value < unit && up % unit == 0);
}

Test(types, ranges_of_physical_addresses)
{
    struct pa_range range = pa_span(0x1000, 0x2000);

    EXPECT_EQ(pa_range_bytes(range), 0x2000);
    cr_assert(pa_ranges_overlap(range, pa_span(0x2fff, 1)));
    cr_assert(!pa_ranges_overlap(range, pa_span(0x3000, 0x1000)));
    cr_assert(!pa_ranges_overlap(range, pa_span(0, 0x1000)));
}

Test(types, sets_of_harts)
{
    struct hart_mask mask = {0};

    cr_assert(hart_mask_is_empty(mask));
    mask = hart_mask_with(hart_mask_with(mask, 0), HART_MAX - 1);
    cr_assert(hart_mask_has(mask, 0) && hart_mask_has(mask, HART_MAX - 1));
    cr_assert(!hart_mask_has(mask, 1));
    mask = hart_mask_without(mask, 0);
    cr_assert(!hart_mask_has(mask, 0) && !hart_mask_is_empty(mask));
}

Test(types, statuses_have_errno_names)
{
    cr_assert(strcmp(status_name(OK), "OK") == 0);
    cr_assert(strcmp(status_name(ERR_NOMEM), "ENOMEM") == 0);
    cr_assert(strcmp(status_name(ERR_DEADLK), "EDEADLK") == 0);
    cr_assert(strcmp(status_name(ERR_TIMEDOUT), "ETIMEDOUT") == 0);
    for (int status = ERR_TIMEDOUT - 3; status <= 3; status++) {
        cr_assert(status_name((status_t)status) != NULL);
    }
}

Test(types, counters_add_up_over_harts)
{
    EXPECT_EQ(counter_read(COUNTER_syscalls), 0);
    counter_add(COUNTER_syscalls, 2);
    host_hart_set(3);
    counter_add(COUNTER_syscalls, 5);
    host_hart_set(0);
    EXPECT_EQ(counter_read(COUNTER_syscalls), 7);
    EXPECT_EQ(counter_read(COUNTER_faults), 0);
    cr_assert(strcmp(counter_name(COUNTER_tlb_flush_local), "tlb_flush_local") == 0);
}
