/* SPDX-License-Identifier: MIT */
/*
 * The process whose memory a call works on: taken from the call's first argument, and given back at
 * its end.
 */
#pragma once

#include "arch/user_frame.h"
#include "lib/types.h"
#include "mm/vm_space.h"

struct process;

/* One bounded piece of a long call: pages that it maps or changes, tables that it locks, entries
 * that an unmap edits (a whole table is one). */
#define VM_STEP_BYTES  (UINT64_C(256) * PAGE_SIZE)
#define VM_STEP_TABLES 64U
#define VM_STEP_EDITS  256U

struct vm_target {
    struct process *process; /* one reference, or NULL */
    struct vm_space *space;  /* one reference, or NULL */
};

/* Finds the process that the handle in the first argument names.
 * Errors: ERR_BADF, ERR_ACCES as handle_get. */
status_t vm_target_get(const struct user_frame *frame, uint32_t rights, struct vm_target *target);

/* The same for the handle in argument `arg`. */
status_t vm_target_get_at(const struct user_frame *frame, unsigned arg, uint32_t rights,
                          struct vm_target *target);

/* Takes its space.  Errors: ERR_SRCH the process has ended. */
status_t vm_target_enter(struct vm_target *target);

/* Gives back whatever was taken; a zeroed target too. */
void vm_target_put(struct vm_target *target);
