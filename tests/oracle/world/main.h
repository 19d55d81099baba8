/* SPDX-License-Identifier: MIT */
/* What the oracle's program can do.  Each returns the exit status. */
#pragma once

#include "world/small.h"
#include "world/world.h"

struct soak {
    double minutes; /* 0: no end by time            */
    uint64_t steps; /* of all jobs; 0: no end by steps */
    uint64_t seed;
    unsigned jobs;
    struct world_limits limits;
};

int soak_run(const struct soak *soak);
int small_run(uint64_t most, enum small_report report, unsigned odd);
int memory_run(uint64_t seed);
