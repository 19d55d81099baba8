/* SPDX-License-Identifier: MIT */
/* Which harts may walk to a slot, and so hold what it held. */
#pragma once

#include "machine/stale.h"

/* The slot is about to hold something else than `before`: notes who may still hold that. */
void reach_slot_changes(struct table *table, unsigned index, uint64_t before, uint64_t after);

/* The hart may hold `before`, which the slot held until a store it may not have seen. */
void reach_unseen(unsigned hart, struct table *table, unsigned index,
                  const struct order_slot_store *store);

/* Harts that may walk the way of the path, or from a table on it, as they stand. */
uint16_t reach_walkers(const struct table_path *path);

/* True if some hart may hold a pointer to a table on the path, of which it follows that the path's
 * slot has that level. */
bool reach_has_pointer(const struct table_path *path, unsigned level);
