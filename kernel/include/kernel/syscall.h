/* SPDX-License-Identifier: MIT */
/*
 * System calls inside the kernel: verdicts, and the handlers that the table in uapi/syscalls.def
 * names.
 *
 * A handler decodes its arguments (every mistake of a program ends there, before anything changes),
 * performs, and returns a verdict.  It does not sleep and does not switch: a call that must wait
 * puts its thread in a queue and is made again when the thread wakes; a call with much to do does a
 * bounded piece, keeps its place in the argument registers and is made again at once.
 */
#pragma once

#include "arch/upcall.h"
#include "arch/user_frame.h"
#include "kernel/object.h"
#include "kernel/user_status.h"
#include "lib/status.h"

enum verdict {
    /* 0 and less: the call is over, this is its status as the program sees it, and there are no
     * results. */
    VERDICT_STATUS_MIN = -4095,
    VERDICT_STATUS_OK = 0,
    VERDICT_DONE = KERNEL_CALL_RESULTS, /* the registers are final           */
    VERDICT_RESTART,                    /* make the call again; interrupts get in between       */
    VERDICT_BLOCK,                      /* the thread waits in a queue; then the call restarts  */
    VERDICT_YIELD,                      /* the registers are final; others run first            */
    VERDICT_EXIT,                       /* the thread has ended                                 */
};

static inline bool verdict_is_status(enum verdict verdict)
{
    return verdict <= VERDICT_STATUS_OK;
}

/* As it comes to a0. */
static inline uint64_t verdict_status(enum verdict verdict)
{
    return (uint64_t)(int64_t)verdict;
}

#define SYSCALL(number, name, ...) enum verdict sys_##name(struct user_frame *frame);
#include "uapi/syscalls.def"
#undef SYSCALL

/* Makes system calls leave events, or not, as the trace is on or off (lib/trace.h).  Called after
 * that has changed. */
void syscall_follow_trace(void);

/* Checks the first argument of a call on the console or the machine, which always are: a handle of
 * that type with those rights.  Errors: as handle_get. */
status_t syscall_check_handle(struct user_frame *frame, enum handle_type type, uint32_t rights);

/* Ends a call without results: the verdict to return. */
static inline enum verdict syscall_done(struct user_frame *frame, status_t status)
{
    (void)frame; /* the trap entry finishes it */
    return (enum verdict)user_status(status);
}

/* Ends a call whose results are set afterwards, as args 1, 2, ... */
static inline enum verdict syscall_done_results(struct user_frame *frame, status_t status)
{
    user_frame_finish_call(frame);
    user_frame_set_arg(frame, 0, user_status(status));
    return VERDICT_DONE;
}

/* Ends a call with one result, which is there whatever the status. */
static inline enum verdict syscall_done_with(struct user_frame *frame, status_t status,
                                             uint64_t result)
{
    enum verdict verdict = syscall_done_results(frame, status);

    user_frame_set_arg(frame, 1, result);
    return verdict;
}
