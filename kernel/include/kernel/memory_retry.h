/* SPDX-License-Identifier: MIT */
/*
 * What a call does that found no memory: it helps to get some, a bounded piece at a time, and tries
 * again, until there is nothing left to try.
 */
#pragma once

#include "kernel/syscall.h"
#include "lib/types.h"

struct vm_space;

#define SWEEP_PIECES 1024U /* of other processes' spaces, for one call */

/* How far a call has come that sweeps tables. */
struct sweep {
    vaddr_t swept;   /* in the space under way; the user limit: it is done        */
    uint32_t number; /* of the process whose space that is; 0: the call's own     */
    uint32_t pieces; /* of others' spaces, so far                                 */
};

/* After a step of a call of the running thread, with what it came to.  ERR_NOMEM: does one piece of
 * work that may bring memory back, and says whether the call is to restart:
 *   - what ended spaces and removed tables leave behind is given back;
 *   - while that is in other hands, and frames or what is left of the space's budget are few, there
 *     is something to wait for;
 *   - empty tables of `space` (NULL: of none) are swept, in one pass over it a call; then those of
 *     other processes that pay from the same budget, or of all where frames are few: SWEEP_PIECES
 *     pieces of 64 tables at most.
 * False: the call fails.  After any other status false, and the next call begins anew.
 * Context: no lock held, no cursor open. */
bool memory_retry(struct vm_space *space, status_t status);

/* How far a call has come that copies to or from the running thread's process. */
struct copied {
    uint64_t done, bytes; /* done <= bytes */
};

/* Ends a step of such a call: it restarts from `done`, which its argument of that index keeps, if
 * there is more to copy, if ERR_AGAIN says that a larger page is being made, or if memory may come
 * (memory_retry; the buffer may be reserved, and get its pages from the copy).  Else it is over,
 * with `done` as its result. */
enum verdict memory_retry_copy(struct user_frame *frame, status_t status, unsigned progress_arg,
                               struct copied copied);
