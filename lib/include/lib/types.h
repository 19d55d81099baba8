/* SPDX-License-Identifier: MIT */
/*
 * The words everything is said in: physical and virtual addresses, ranges of them, pages.
 *
 * Addresses are wrapped, so that the compiler refuses one kind where the other is meant; they are
 * never cast.  Ranges are half-open, [start, end); the last page of the address space can therefore
 * not be named, and nothing is ever put there.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/status.h"

typedef struct paddr {
    uint64_t raw;
} paddr_t; /* physical byte address */

typedef struct vaddr {
    uint64_t raw;
} vaddr_t; /* virtual byte address */

struct va_range {
    vaddr_t start, end;
}; /* [start, end) */

struct pa_range {
    paddr_t start, end;
}; /* [start, end) */

#define PAGE_SHIFT       12U
#define PAGE_SIZE        UINT64_C(4096)
#define PAGE_MASK        (PAGE_SIZE - 1)

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

static inline uint64_t align_down(uint64_t value, uint64_t power_of_two)
{
    return value & ~(power_of_two - 1);
}

/* Wraps to 0 at the top; callers that take numbers from outside use checked_align_up. */
static inline uint64_t align_up(uint64_t value, uint64_t power_of_two)
{
    return align_down(value + (power_of_two - 1), power_of_two);
}

static inline bool is_aligned(uint64_t value, uint64_t power_of_two)
{
    return (value & (power_of_two - 1)) == 0;
}

/* *sum = a + b, or ERR_RANGE if it does not fit 64 bits. */
static inline status_t checked_add(uint64_t a, uint64_t b, uint64_t *sum)
{
    uint64_t result;

    if (__builtin_add_overflow(a, b, &result)) {
        return ERR_RANGE;
    }
    *sum = result;
    return OK;
}

/* *up = value rounded up, or ERR_RANGE if that does not fit 64 bits. */
static inline status_t checked_align_up(uint64_t value, uint64_t power_of_two, uint64_t *up)
{
    uint64_t sum;

    if (__builtin_add_overflow(value, power_of_two - 1, &sum)) {
        return ERR_RANGE;
    }
    *up = align_down(sum, power_of_two);
    return OK;
}

static inline vaddr_t vaddr_add(vaddr_t va, uint64_t bytes)
{
    return (vaddr_t){va.raw + bytes};
}

static inline paddr_t paddr_add(paddr_t pa, uint64_t bytes)
{
    return (paddr_t){pa.raw + bytes};
}

static inline uint64_t pa_range_bytes(struct pa_range range)
{
    return range.end.raw - range.start.raw;
}

static inline bool pa_ranges_overlap(struct pa_range a, struct pa_range b)
{
    return a.start.raw < b.end.raw && b.start.raw < a.end.raw;
}
