/* SPDX-License-Identifier: MIT */
/*
 * Slots on the host: page-table entries in fake RAM.  The same names and promises as the machine's
 * version of this header; here each step is a call into arch_host/slot.c, where the model of the
 * machine sees it, and may act before and after it as other harts and hardware walkers would.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "arch/pte.h"

struct pte_slot {
    _Atomic(uint64_t) raw;
};

_Static_assert(sizeof(struct pte_slot) == 8, "an entry is 8 bytes");

/* Acquire: what a table entry points to is seen as it was when the entry was stored. */
pte_t pte_slot_load(struct pte_slot *slot);

/* Release: what the entry points to is visible before the entry. */
void pte_slot_store(struct pte_slot *slot, pte_t entry);

/* Puts `entry` in and returns what was there. */
pte_t pte_slot_exchange(struct pte_slot *slot, pte_t entry);

/* Stores `entry` if the slot still holds *seen; else tells what it holds in *seen. */
bool pte_slot_replace(struct pte_slot *slot, pte_t *seen, pte_t entry);
