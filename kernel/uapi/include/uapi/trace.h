/* SPDX-License-Identifier: MIT */
/* Events that the kernel records in a ring for each hart while tracing is on (trace_control,
 * trace_read). */
#pragma once

#include <stdint.h>

#define TRACE_OFF 0UL
#define TRACE_ON  1UL

struct trace_event {
    uint64_t ticks;  /* of the machine's time base, since boot             */
    uint32_t thread; /* number of the thread that ran, 0: none             */
    uint16_t kind;   /* place in the list of kinds, lib/trace.def          */
    uint16_t hart;
    uint64_t a, b; /* as that list says                                  */
};
