/* SPDX-License-Identifier: MIT */
/*
 * A call that changes the mappings of a range, cut into steps.
 *
 * A step does a bounded number of pages and tables (kernel/vm_target.h): it opens a cursor, works,
 * and closes it, flush included; then the call restarts with its progress in the argument
 * registers, so that pending interrupts get in.  On an error the progress made is the result.
 */
#pragma once

#include "kernel/syscall.h"
#include "kernel/vm_args.h"
#include "kernel/vm_target.h"
#include "mm/vm_cursor.h"

#define VM_ARG_ADDRESS 1U
#define VM_ARG_BYTES   2U

/* What a call tells in the end, and keeps in its arguments from progress_arg on. */
enum vm_call_tells {
    VM_CALL_TELLS_DONE,  /* bytes; keeps its progress                 */
    VM_CALL_TELLS_COUNT, /* pages; keeps its progress, then its count */
};

struct vm_call {
    struct vm_target target;
    struct vm_args args;
    unsigned progress_arg;
    enum vm_call_tells tells;
    enum vm_prot prot;
    enum vm_map_mode mode;
    uint64_t count; /* pages so far */
};

/* A call before anything is decoded, as earlier steps left it. */
static inline struct vm_call vm_call_begin(const struct user_frame *frame, unsigned progress_arg,
                                           enum vm_call_tells tells)
{
    uint64_t progress = user_frame_arg(frame, progress_arg);
    struct vm_call call = {.progress_arg = progress_arg, .tells = tells};

    if (progress <= user_frame_arg(frame, VM_ARG_BYTES)) {
        call.args.progress_bytes = progress;
    }
    if (tells == VM_CALL_TELLS_COUNT) {
        call.count = user_frame_arg(frame, progress_arg + 1);
    }
    return call;
}

/* Decodes the range of a call, with its progress; then takes the space.
 * Errors: those of vm_args_make and vm_target_enter. */
status_t vm_call_range(const struct user_frame *frame, struct vm_call *call);

/* Opens a cursor for a step: on what is left, cut to max_bytes and to max_tables.  The call is not
 * complete.  Errors: as vm_cursor_open_bounded. */
status_t vm_call_open(const struct vm_call *call, enum vm_cursor_mode mode, uint64_t max_bytes,
                      unsigned max_tables, struct vm_cursor *cursor);

/* Closes it; everything before its position is done. */
void vm_call_close(struct vm_call *call, struct vm_cursor *cursor);

/* Bytes from a cursor's position to its end. */
static inline uint64_t vm_call_bytes_open(const struct vm_cursor *cursor)
{
    return cursor->range.end.raw - vm_cursor_va(cursor).raw;
}

/* Ends a step that came to `status`: gives the target back, and lets the call restart if there is
 * more to do, or memory may come back. */
enum verdict vm_call_end(struct user_frame *frame, status_t status, struct vm_call *call);

/* What is left of the range, cut to max_bytes. */
struct va_range vm_call_step(const struct vm_call *call, uint64_t max_bytes);

/* Everything before va is done. */
void vm_call_progress_to(struct vm_call *call, vaddr_t va);

bool vm_call_is_complete(const struct vm_call *call);

/* VM_KIND_* of what a slot holds. */
uint64_t vm_call_kind(enum vm_item_kind kind);

/* VM_STATE_* of what a slot holds, but for accessed and dirty. */
uint64_t vm_call_flags(const struct vm_item *item);
