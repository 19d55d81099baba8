/* SPDX-License-Identifier: MIT */
/* Counters: one row a hart, so that counting never touches a line another hart writes. */
#include "lib/counter.h"

#include <stdatomic.h>

#include "lib/hart.h"

/* Only the hart of a row writes it; readers may see a sum that is a moment old.  Rows share no
 * cache line. */
static struct {
    _Alignas(64) _Atomic(uint64_t) of[COUNTER_COUNT];
} counts[HART_MAX];

/* Inline, so that a kernel that is optimised as one program has it where it counts. */
inline void counter_add(enum counter_id id, uint64_t n)
{
    _Atomic(uint64_t) *count = &counts[hart_index()].of[id];

    /* Relaxed: a statistic orders nothing. */
    atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

uint64_t counter_read(enum counter_id id)
{
    uint64_t sum = 0;

    for (hart_idx_t hart = 0; hart < HART_MAX; hart++) {
        sum += atomic_load_explicit(&counts[hart].of[id], memory_order_relaxed);
    }
    return sum;
}

const char *counter_name(enum counter_id id)
{
    static const char *const names[] = {
#define COUNTER(name, text) #name,
#include "lib/counters.def"
#undef COUNTER
    };

    return names[id];
}
