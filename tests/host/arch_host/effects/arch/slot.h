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

/* Stores `entry` if the slot still holds *seen; else tells what it holds in *seen. */
static inline bool pte_slot_replace(struct pte_slot *slot, pte_t *seen, pte_t entry)
{
    if (oracle_is_on) {
        return oracle_slot_replace(&slot->raw, &seen->raw, entry.raw);
    }
    return atomic_compare_exchange_strong_explicit(&slot->raw, &seen->raw, entry.raw,
                                                   memory_order_acq_rel, memory_order_acquire);
}
