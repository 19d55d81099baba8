/* SPDX-License-Identifier: MIT */
/* When translations and instructions go: from every hart that may use them. */
#pragma once

#include "lib/types.h"
#include "mm/vm_space.h"

/* Entries of the space were removed or tightened and are stored: when this returns no hart can use
 * what they were.  pages: those of leaves alone; empty: the whole space, pointers to tables too.
 * Context: node locks may be held. */
void tlb_flush(struct vm_space *space, struct va_range pages);

/* vm_space_icache_sync for callers that cannot report a failure: panics if the firmware refuses. */
void tlb_sync_code(struct vm_space *space);
