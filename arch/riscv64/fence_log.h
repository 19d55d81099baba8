/* SPDX-License-Identifier: MIT */
/* The last fences of each hart, kept always, for the report of a panic. */
#pragma once

#include "arch/arch.h"

enum fence_kind {
    FENCE_TLB,  /* sfence.vma */
    FENCE_CODE, /* fence.i    */
};

/* Notes a fence that this hart does, or asks others for.
 * targets:  the harts asked; empty: this hart itself. */
void fence_log_note(enum fence_kind kind, struct hart_mask targets, struct tlb_op op);

/* Prints those of every hart that runs, the oldest first.  For a hart that could not be stopped one
 * line may be a mixture of two. */
void fence_log_print(void);
