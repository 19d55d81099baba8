/* SPDX-License-Identifier: MIT */
/*
 * A call that works on two ranges of one length, step by step (kernel/vm_call.h), with a cursor on
 * each: from, to, address, bytes, to_address, progress are its arguments.
 */
#pragma once

#include "kernel/syscall.h"
#include "mm/vm_cursor.h"

/* What a step does.  cookie: the argument after progress, and so many more as there are pages
 * before the step; most calls have none. */
typedef status_t vm_pair_work(struct vm_cursor *from, struct vm_cursor *to, uint64_t len_bytes,
                              unsigned max_edits, uint64_t cookie);

/* Both ranges may be of one process. */
enum vm_pair_kind {
    VM_PAIR_OF_TWO,
    VM_PAIR_OF_ANY,
};

/* Does a step of the call, all of it: its verdict. */
enum verdict vm_pair_step(struct user_frame *frame, enum vm_pair_kind kind, vm_pair_work *work);
