/* SPDX-License-Identifier: MIT */
/*
 * Slots on the host: page-table entries in fake RAM.  The same names and promises as the machine's
 * version of this header; while the oracle is on, each step is a call into it.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "arch/oracle_effects.h"
#include "arch/pte.h"

struct pte_slot {
    _Atomic(uint64_t) raw;
};

_Static_assert(sizeof(struct pte_slot) == 8, "an entry is 8 bytes");

/* Acquire: what a table entry points to is seen as it was when the entry was stored. */
static inline pte_t pte_slot_load(struct pte_slot *slot)
{
    if (oracle_is_on) {
        return (pte_t){oracle_slot_load(&slot->raw)};
    }
    return (pte_t){atomic_load_explicit(&slot->raw, memory_order_acquire)};
}

/* Relaxed: an entry that leads nowhere, or nowhere that is looked at; whoever has the lock of its
 * node sees the last store. */
static inline pte_t pte_slot_load_locked(struct pte_slot *slot)
{
    if (oracle_is_on) {
        return (pte_t){oracle_slot_load(&slot->raw)};
    }
    return (pte_t){atomic_load_explicit(&slot->raw, memory_order_relaxed)};
}

/* Release: what the entry points to is visible before the entry; pairs with pte_slot_load. */
static inline void pte_slot_store(struct pte_slot *slot, pte_t entry)
{
    if (oracle_is_on) {
        oracle_slot_store(&slot->raw, entry.raw);
        return;
    }
    atomic_store_explicit(&slot->raw, entry.raw, memory_order_release);
}

/* Puts `entry` in and returns what was there. */
static inline pte_t pte_slot_exchange(struct pte_slot *slot, pte_t entry)
{
    if (oracle_is_on) {
        return (pte_t){oracle_slot_exchange(&slot->raw, entry.raw)};
    }
    return (pte_t){atomic_exchange_explicit(&slot->raw, entry.raw, memory_order_acq_rel)};
}

/* Clears, or sets, bits of an entry; hardware's A and D are kept.  Relaxed: neither makes anything
 * visible, and the flush that may be owed has orders of its own.  To the oracle one step that may
 * have to be tried again, as it is to a machine without such an instruction. */
static inline void pte_slot_clear(struct pte_slot *slot, uint64_t bits)
{
    if (oracle_is_on) {
        uint64_t seen = oracle_slot_load(&slot->raw);

        while (!oracle_slot_replace(&slot->raw, &seen, seen & ~bits)) {
            continue;
        }
        return;
    }
    (void)atomic_fetch_and_explicit(&slot->raw, ~bits, memory_order_relaxed);
}

static inline void pte_slot_set(struct pte_slot *slot, uint64_t bits)
{
    if (oracle_is_on) {
        uint64_t seen = oracle_slot_load(&slot->raw);

        while (!oracle_slot_replace(&slot->raw, &seen, seen | bits)) {
            continue;
        }
        return;
    }
    (void)atomic_fetch_or_explicit(&slot->raw, bits, memory_order_relaxed);
}

/* Flips bits of an entry, which none but the caller changes, and returns what was there; hardware's
 * A and D are kept.  Relaxed, and one step that may have to be tried again: as above. */
static inline pte_t pte_slot_flip(struct pte_slot *slot, uint64_t bits)
{
    if (oracle_is_on) {
        uint64_t seen = oracle_slot_load(&slot->raw);

        while (!oracle_slot_replace(&slot->raw, &seen, seen ^ bits)) {
            continue;
        }
        return (pte_t){seen};
    }
    return (pte_t){atomic_fetch_xor_explicit(&slot->raw, bits, memory_order_relaxed)};
}

/* Stores `entry` if the slot still holds *seen; else tells what it holds in *seen. */
static inline bool pte_slot_replace(struct pte_slot *slot, pte_t *seen, pte_t entry)
{
    if (oracle_is_on) {
        return oracle_slot_replace(&slot->raw, &seen->raw, entry.raw);
    }
    return atomic_compare_exchange_strong_explicit(&slot->raw, &seen->raw, entry.raw,
                                                   memory_order_acq_rel, memory_order_acquire);
}
