/* SPDX-License-Identifier: MIT */
/* Memory that is out: all frames held, as many given back as a test wants. */
#pragma once

#include "support.h"

struct held {
    struct frame *frames[8192];
    unsigned count;
};

/* Takes all frames there are. */
static inline void hold_all(struct held *held)
{
    while (frame_alloc(FRAME_KERNEL, &held->frames[held->count]) == OK) {
        cr_assert(++held->count < ARRAY_LEN(held->frames));
    }
}

static inline void let_go_of(struct held *held, unsigned count)
{
    for (; count > 0 && held->count > 0; count--) {
        frame_put(held->frames[--held->count]);
    }
}

static inline void let_go(struct held *held)
{
    let_go_of(held, held->count);
}
