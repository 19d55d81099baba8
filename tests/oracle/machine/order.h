/* SPDX-License-Identifier: MIT */
/*
 * Memory order: which values a load may see, and which stores a hart surely sees.
 *
 * The last stores, of all harts to all places, are kept in a ring.  A load may return what was
 * there before one of them unless its hart surely sees that store, or has read or written that
 * place since (coherence).  Older stores are seen by everybody.  The orders are those of C11:
 * releases carry the clock of their hart, acquires join it, read-modify-writes read the newest
 * value and pass on what it carries, full fences share one clock.
 */
#pragma once

#include <stdatomic.h>

#include "machine/state.h"

/* Forgets all stores: every hart sees what was done so far. */
void order_reset(void);

/* True if the hart surely sees that store of `writer`. */
bool order_sees(const struct clock *clock, unsigned writer, uint32_t step);

/* A load and a store of this hart at the step that has begun; the kind and place are told to the
 * driver. */
struct order_place {
    _Atomic(uint64_t) *word;
    uint64_t name; /* as drivers call it: a physical address for a slot, else the word's own */
};

static inline bool order_is_slot(struct order_place place)
{
    return place.name != (uintptr_t)place.word;
}

uint64_t order_load(struct order_place place, memory_order order);
void order_store(struct order_place place, uint64_t value, memory_order order);

/* Reads the newest value with that order and stores `value`. */
void order_change(struct order_place place, uint64_t value, memory_order order);

/* Reads the newest value, acquiring. */
uint64_t order_load_newest(struct order_place place);

/* Stores to slots that may not be seen yet, newest first: the n-th of them; false: no more. */
struct order_slot_store {
    uint64_t slot_pa, before, op;
    uint32_t step;
    unsigned writer;
};
bool order_recent_slot_store(size_t n, struct order_slot_store *out);

/* Adds the stores that everybody sees. */
void order_add_settled(struct clock *clock);
