/* SPDX-License-Identifier: MIT */
/*
 * Something to look at: maps more and more memory, a step each second, for as long as one lets it.
 * Try `steps &`, then `vmmap steps`, `ptdump steps`, a while later `ptdump --diff steps`, and
 * `kill steps`.  `steps 3` takes three steps at once and then waits to be ended; `steps 3 1000`
 * also maps a crowd of 1000 single pages, every second one, for tools to cope with.
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
#define CROWD_START (USER_FREE_START + 64 * STEP_BYTES)
#define CROWD_MAX   10000UL
#define NS_A_SECOND UINT64_C(1000000000)

/* Maps and writes so many bytes. */
static int memory_take(uint64_t start, uint64_t bytes)
{
    long status = sys_vm_map(user_self(), start, bytes, VM_PROT_R | VM_PROT_W, 0, NULL);

    if (status != 0) {
        printf("steps: no memory at 0x%" PRIx64 ": error %ld\n", start, -status);
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
    uint64_t crowd = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;

    crowd = crowd > CROWD_MAX ? CROWD_MAX : crowd;
    steps = steps > STEPS_MAX ? STEPS_MAX : steps;
    printf("steps: Ctrl-C, or kill steps, ends it\n");
    for (uint64_t i = 0; i < steps; i++) {
        if (memory_take(USER_FREE_START + i * STEP_BYTES, VM_PAGE_SIZE << i) != 0) {
            return 1;
        }
        if (argc == 1) {
            (void)sys_time_get(&now, NULL);
            sleep_until(now + NS_A_SECOND);
        }
    }
    for (uint64_t i = 0; i < crowd; i++) {
        if (memory_take(CROWD_START + i * 2 * VM_PAGE_SIZE, VM_PAGE_SIZE) != 0) {
            return 1;
        }
    }
    if (argc > 1) {
        printf("steps: %" PRIu64 " taken; waits\n", steps);
    }
    sleep_until(WAIT_FOREVER);
    return 0;
}
