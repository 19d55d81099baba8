/* SPDX-License-Identifier: MIT */
/*
 * Vector clocks: for each hart, the step of its last store that is surely seen.  What a clock
 * covers may not be missed; what it does not cover may be seen or missed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "machine/oracle.h"

struct clock {
    uint32_t at[ORACLE_HARTS_MAX];
};

static inline void clock_join(struct clock *into, const struct clock *from)
{
    for (unsigned i = 0; i < ORACLE_HARTS_MAX; i++) {
        into->at[i] = into->at[i] > from->at[i] ? into->at[i] : from->at[i];
    }
}

static inline bool clock_covers(const struct clock *clock, unsigned writer, uint32_t step)
{
    return clock->at[writer] >= step;
}
