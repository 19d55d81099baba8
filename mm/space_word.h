/* SPDX-License-Identifier: MIT */
/*
 * The one word of an address space: which harts run it, and how often it has been flushed.
 *
 *   63                    16 15            0
 *   generation                harts that run the space now, by logical index
 */
#pragma once

#include "lib/hart_mask.h"
#include "vm_space_priv.h"

/* Entries were removed or tightened: raises the generation and tells which harts run the space.
 * They must be fenced; those that do not run it will notice when they join.  Release: the entries
 * are stored before; acquire: the harts are read after. */
struct hart_mask space_word_dispatch(struct vm_space *space);

/* This hart is about to run the space.  True: it has missed a dispatch since it left, or runs the
 * space for the first time, so what it remembers of it must go before the space is used. */
bool space_word_join(struct vm_space *space, hart_idx_t hart);

/* This hart does not run the space any more: satp names another table. */
void space_word_leave(struct vm_space *space, hart_idx_t hart);

/* How often the space has been flushed. */
uint64_t space_word_generation(struct vm_space *space);

/* True if some hart runs the space. */
bool space_word_is_running(struct vm_space *space);
