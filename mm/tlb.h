/* SPDX-License-Identifier: MIT */
/* When translations go: one flush for every hart that may use them. */
#pragma once

#include "mm/vm_cursor.h"

/* What a cursor has to flush, in words of the space.  Adds the leaf at `page` to it. */
void tlb_owe_page(struct vm_cursor *cursor, struct va_range page);

/* A node was detached: walk caches must go too. */
void tlb_owe_space(struct vm_cursor *cursor);

/* Pays it: this hart if it runs the space, and all others that do, in one call.  When it returns,
 * no hart can use what was owed.  Context: node locks held. */
void tlb_pay(struct vm_cursor *cursor);
