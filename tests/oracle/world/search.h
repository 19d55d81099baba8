/* SPDX-License-Identifier: MIT */
/* Every interleaving of one small history, each up to steps that commute once. */
#pragma once

#include "world/run.h"

enum search_mode {
    SEARCH_REDUCED, /* one order of steps that commute */
    SEARCH_PLAIN,   /* every order                     */
};

struct search_result {
    uint64_t executions; /* that came to an end               */
    uint64_t abandoned;  /* cut short: their end was known    */
    uint64_t steps;
    bool is_cut; /* there are more than `most` executions   */
    bool failed;
    struct world_result first; /* of the execution that failed */
};

/* Runs `history` (its seed and choices are not used) in every way, or until one fails.
 *
 * ended: told of each execution that came to an end well.
 * taken: NULL, or it becomes the failing history with its choices. */
void search_run(const struct world_history *history, enum search_mode mode, uint64_t most,
                void (*ended)(void), struct search_result *result, struct world_history *taken);
