/* SPDX-License-Identifier: MIT */
/* Reading instructions and counters. */
#include "bench.h"

#include <string.h>

#define NANOSECONDS_PER_TICK UINT64_C(100) /* virt's time base runs at 10 MHz */

static int by_instret;

const char *const count_names[] = {
    "sbi_calls",        "tlb_flush_local",
    "tlb_flush_remote", "frames_allocated",
    "tables_allocated", "node_locks",
    "node_lock_waits",  "lock_waits",
    "thread_switches",  "space_switches",
    "faults",           "spurious_faults",
    "time_reads",       NULL,
};
_Static_assert(sizeof(count_names) / sizeof(count_names[0]) <= COUNTS_MAX + 1);

uint64_t clock_instructions(void)
{
    uint64_t ticks = 0;

    __asm__ volatile("rdtime %0" : "=r"(ticks));
    return ticks * NANOSECONDS_PER_TICK;
}

uint64_t instructions_now(void)
{
    uint64_t count = 0;

    if (!by_instret) {
        return clock_instructions();
    }
    __asm__ volatile("csrr %0, instret" : "=r"(count));
    return count;
}

void instructions_by_instret(void)
{
    by_instret = 1;
}

struct counts counts_now(void)
{
    struct counts now = {0};
    struct counter_info counter;

    for (uint64_t i = 0; sys_counter_info(user_machine(), i, (uintptr_t)&counter) == 0; i++) {
        for (unsigned which = 0; count_names[which] != NULL; which++) {
            if (strcmp(counter.name, count_names[which]) == 0) {
                now.of[which] = counter.value;
            }
        }
    }
    return now;
}
