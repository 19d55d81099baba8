/* SPDX-License-Identifier: MIT */
/* A set of harts by logical index, as a plain value. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/hart.h"

struct hart_mask {
    uint64_t bits; /* bit i = hart with logical index i */
};

_Static_assert(HART_MAX <= 64, "a hart mask is one word");

static inline bool hart_mask_has(struct hart_mask mask, hart_idx_t hart)
{
    return ((mask.bits >> hart) & 1U) != 0;
}

static inline struct hart_mask hart_mask_with(struct hart_mask mask, hart_idx_t hart)
{
    return (struct hart_mask){mask.bits | (UINT64_C(1) << hart)};
}

static inline struct hart_mask hart_mask_without(struct hart_mask mask, hart_idx_t hart)
{
    return (struct hart_mask){mask.bits & ~(UINT64_C(1) << hart)};
}

static inline unsigned hart_mask_count(struct hart_mask mask)
{
    unsigned count = 0;

    for (; mask.bits != 0; mask.bits &= mask.bits - 1) {
        count++;
    }
    return count;
}

/* The hart of the set with the smallest index; the set is not empty. */
static inline hart_idx_t hart_mask_first(struct hart_mask mask)
{
    return (hart_idx_t)__builtin_ctzll(mask.bits);
}

static inline bool hart_mask_is_empty(struct hart_mask mask)
{
    return mask.bits == 0;
}
