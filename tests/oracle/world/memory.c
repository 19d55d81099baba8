/* SPDX-License-Identifier: MIT */
/*
 * Allocation failure: a long history of three harts, once for each allocation in it, which then
 * fails.  The answer must be ERR_NOMEM with nothing changed, and in the end nothing may be lost.
 */
#include "lib/counter.h"
#include "world/main.h"
#include "world/ops.h"

#define SEEDS 16U

static struct world_history history;

/* The same history with the n-th allocation failing, counted from its first operation. */
static void with_failure(uint64_t seed, unsigned n)
{
    static const struct world_limits limits = {
        .harts = 3, .levels = 4, .asid_bits = 9, .ad = 0, .ops_least = 80, .ops_most = 80};
    unsigned kind = 0;

    world_random(seed, &limits, &history);
    while (ops_row(kind)->function != op_fail) {
        kind++;
    }
    for (size_t i = 0; i < history.op_count; i++) {
        if (history.ops[i].kind == kind) {
            history.ops[i].kind = 0; /* the only failure is ours */
        }
    }
    for (size_t i = history.op_count; i > 0; i--) {
        history.ops[i] = history.ops[i - 1];
    }
    history.ops[0] =
        (struct world_op){.kind = (uint8_t)kind, .arg = {(uint8_t)n, (uint8_t)(n >> 8)}};
    history.op_count++;
    history.setup_count++;
}

/* Allocations of the last run. */
static uint64_t allocations(void)
{
    return counter_read(COUNTER_frames_allocated);
}

int memory_run(uint64_t seed)
{
    uint64_t steps = 0;
    unsigned runs = 0;

    for (uint64_t end = seed + SEEDS; seed < end; seed++) {
        unsigned n = 0;

        do {
            struct world_result result;

            with_failure(seed, n);
            world_run(&history, &result, NULL);
            runs++;
            steps += result.steps;
            if (result.failed) {
                printf("seed %lu fails when allocation %u does:\n", (unsigned long)seed, n);
                world_shrink(&history, &result, 4000);
                world_story(&history, stdout);
                return 1;
            }
            n++;
        } while (n <= allocations());
    }
    printf("%u histories, in each another allocation failed; %lu steps\n", runs,
           (unsigned long)steps);
    return 0;
}
