/* SPDX-License-Identifier: MIT */
/*
 * A call that changes the mappings of a range, cut into steps.
 *
 * A step does a bounded number of pages and tables (kernel/vm_target.h): it opens a cursor, works,
 * and closes it, flush included; then the call restarts with its progress in the argument
 * registers, so that pending interrupts get in.  On an error the progress made is the result.
 */
#pragma once

#include "arch/user_frame.h"
#include "kernel/vm_args.h"
#include "kernel/vm_target.h"
#include "mm/vm_cursor.h"

#define VM_ARG_ADDRESS 1U
#define VM_ARG_BYTES   2U

struct vm_call {
    struct vm_target target;
    struct vm_args args;
    enum vm_prot prot;
    enum vm_map_mode mode;
    uint64_t count; /* pages so far */
};

/* Decodes the range of a call, with its progress in the given argument; then takes the space.
 * Errors: those of vm_args_make and vm_target_enter. */
status_t vm_call_range(struct user_frame *frame, unsigned progress_arg, struct vm_call *call);

/* The progress to report with an error of decoding: what earlier steps left. */
uint64_t vm_call_progress_given(const struct user_frame *frame, unsigned progress_arg);

/* What is left of the range, cut to max_bytes. */
struct va_range vm_call_step(const struct vm_call *call, uint64_t max_bytes);

/* Everything before va is done. */
void vm_call_progress_to(struct vm_call *call, vaddr_t va);

bool vm_call_is_complete(const struct vm_call *call);

/* VM_KIND_* of what a slot holds. */
uint64_t vm_call_kind(enum vm_item_kind kind);

/* VM_STATE_PRIVATE, VM_STATE_VIEW or VM_STATE_UNCACHED, or none, of what a slot holds. */
uint64_t vm_call_flags(const struct vm_item *item);
