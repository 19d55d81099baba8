/* SPDX-License-Identifier: MIT */
/*
 * Slots: page-table entries in memory.  Every load, store and atomic on one goes through here; the
 * host tests have their own version of this header, which lets a model see and reorder each step.
 *
 * Hardware walkers read slots at any moment and may set A and D in a valid leaf, so an entry is
 * never edited by load and store: it is stored whole, exchanged, or compared and exchanged.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "arch/pte.h"

struct pte_slot {
    _Atomic(uint64_t) raw;
};

_Static_assert(sizeof(struct pte_slot) == 8, "an entry is 8 bytes");

/* Acquire: what a table entry points to is seen as it was when the entry was stored.  Inline where
 * code is built for size, too: a call is no shorter, and spaces are made by a loop of these. */
__attribute__((always_inline)) static inline pte_t pte_slot_load(struct pte_slot *slot)
{
    return (pte_t){atomic_load_explicit(&slot->raw, memory_order_acquire)};
}

/* Relaxed: an entry that leads nowhere, or nowhere that is looked at; whoever has the lock of its
 * node sees the last store. */
static inline pte_t pte_slot_load_locked(struct pte_slot *slot)
{
    return (pte_t){atomic_load_explicit(&slot->raw, memory_order_relaxed)};
}

/* Release: what the entry points to is visible before the entry; pairs with pte_slot_load and with
 * the walkers of all harts (after a fence where one is due). */
static inline void pte_slot_store(struct pte_slot *slot, pte_t entry)
{
    atomic_store_explicit(&slot->raw, entry.raw, memory_order_release);
}

/* Puts `entry` in and returns what was there, hardware's last A and D included. */
static inline pte_t pte_slot_exchange(struct pte_slot *slot, pte_t entry)
{
    return (pte_t){atomic_exchange_explicit(&slot->raw, entry.raw, memory_order_acq_rel)};
}

/* Clears, or sets, bits of an entry; hardware's A and D are kept.  Relaxed: neither makes anything
 * visible, and the flush that may be owed has orders of its own. */
static inline void pte_slot_clear(struct pte_slot *slot, uint64_t bits)
{
    (void)atomic_fetch_and_explicit(&slot->raw, ~bits, memory_order_relaxed);
}

static inline void pte_slot_set(struct pte_slot *slot, uint64_t bits)
{
    (void)atomic_fetch_or_explicit(&slot->raw, bits, memory_order_relaxed);
}

/* Flips bits of an entry, which none but the caller changes, and returns what was there; hardware's
 * A and D are kept.  Relaxed: as above. */
static inline pte_t pte_slot_flip(struct pte_slot *slot, uint64_t bits)
{
    return (pte_t){atomic_fetch_xor_explicit(&slot->raw, bits, memory_order_relaxed)};
}

/* Stores `entry` if the slot still holds *seen; else tells what it holds in *seen. */
static inline bool pte_slot_replace(struct pte_slot *slot, pte_t *seen, pte_t entry)
{
    return atomic_compare_exchange_strong_explicit(&slot->raw, &seen->raw, entry.raw,
                                                   memory_order_acq_rel, memory_order_acquire);
}
