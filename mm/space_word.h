/* SPDX-License-Identifier: MIT */
/*
 * The words of an address space: which harts run it, how often it has been flushed, and how often
 * its code has changed.
 *
 *   word   63                    16 15            0      code   63             0
 *          generation                harts that run             generation of the
 *                                    the space now              instructions
 */
#pragma once

#include "lib/hart_mask.h"
#include "vm_space_priv.h"

/* Entries were removed or tightened: raises the generation and tells which harts run the space.
 * They must be fenced; those that do not run it will notice when they join.  Release: the entries
 * are stored before; acquire: the harts are read after. */
struct hart_mask space_word_dispatch(struct vm_space *space);

/* Code was written, or may be executed from now on: raises the generation of the instructions and
 * tells which harts run the space.  They must do a fence.i; those that do not run it will notice
 * when they join. */
struct hart_mask space_word_dispatch_code(struct vm_space *space, uint64_t *generation);

/* This hart has done a fence.i after that dispatch. */
void space_word_code_seen(struct vm_space *space, hart_idx_t hart, uint64_t generation);

/* What a hart has not done while it did not run the space. */
struct missed {
    bool translations; /* a dispatch, or it never ran the space: translations must be forgotten */
    bool code;         /* a dispatch of code: a fence.i is due                                   */
};

/* This hart is about to run the space.  What it has missed is to be made up for before the space is
 * used. */
struct missed space_word_join(struct vm_space *space, hart_idx_t hart);

/* This hart does not run the space any more: satp names another table. */
void space_word_leave(struct vm_space *space, hart_idx_t hart);

/* How often the space has been flushed. */
uint64_t space_word_generation(struct vm_space *space);

/* True if some hart runs the space. */
bool space_word_is_running(struct vm_space *space);
