/* SPDX-License-Identifier: MIT */
/*
 * Something to look at: maps more and more memory, a step each second, for as long as one lets it.
 * Try `steps &`, then `vmmap steps`, `ptdump steps`, a while later `ptdump --diff steps`, and
 * `kill steps`.  `steps 3` takes three steps at once and then waits to be ended.
 *
 * Step i maps and writes 2^i pages at USER_FREE_START + i GiB.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "user/vellum.h"
#include "vellum/calls.h"

#define STEPS_MAX   12UL
#define STEP_BYTES  UINT64_C(0x40000000)
#define NS_A_SECOND UINT64_C(1000000000)

static int step_take(uint64_t number)
{
    uint64_t start = USER_FREE_START + number * STEP_BYTES;
    uint64_t bytes = VM_PAGE_SIZE << number;
    long status = sys_vm_map(user_self(), start, bytes, VM_PROT_R | VM_PROT_W, 0, NULL);

    if (status != 0) {
        printf("steps: step %" PRIu64 ": error %ld\n", number, -status);
        return 1;
    }
    for (uint64_t at = 0; at < bytes; at += VM_PAGE_SIZE) {
        *(volatile uint64_t *)(uintptr_t)(start + at) = at;
    }
    return 0;
}

/* Sleeps until a moment since boot: nobody wakes this word. */
static void sleep_until(uint64_t deadline)
{
    static uint32_t word;

    while (sys_futex_wait((uintptr_t)&word, 0, deadline, 0) == 0) {
    }
}

int main(int argc, char **argv)
{
    uint64_t steps = argc > 1 ? strtoull(argv[1], NULL, 10) : STEPS_MAX;
    uint64_t now = 0;

    steps = steps > STEPS_MAX ? STEPS_MAX : steps;
    printf("steps: Ctrl-C, or kill steps, ends it\n");
    for (uint64_t i = 0; i < steps; i++) {
        if (step_take(i) != 0) {
            return 1;
        }
        if (argc == 1) {
            (void)sys_time_get(&now, NULL);
            sleep_until(now + NS_A_SECOND);
        }
    }
    if (argc > 1) {
        printf("steps: %" PRIu64 " taken; waits\n", steps);
    }
    sleep_until(WAIT_FOREVER);
    return 0;
}
