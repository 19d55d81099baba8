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

#include "arch/user_frame.h"
#include "kernel/user_status.h"
#include "lib/status.h"

enum verdict {
    VERDICT_DONE,    /* the registers are final                              */
    VERDICT_RESTART, /* make the call again; interrupts get in between       */
    VERDICT_BLOCK,   /* the thread waits in a queue; then the call restarts  */
    VERDICT_YIELD,   /* the registers are final; others run first            */
    VERDICT_EXIT,    /* the thread has ended                                 */
};

#define SYSCALL(number, name, ...) enum verdict sys_##name(struct user_frame *frame);
#include "uapi/syscalls.def"
#undef SYSCALL

/* Makes system calls leave events, or not, as the trace is on or off (lib/trace.h).  Called after
 * that has changed. */
void syscall_follow_trace(void);

/* Ends a call without results.  Results, if any, are set afterwards as args 1, 2, ... */
static inline enum verdict syscall_done(struct user_frame *frame, status_t status)
{
    user_frame_finish_call(frame);
    user_frame_set_arg(frame, 0, user_status(status));
    return VERDICT_DONE;
}

/* Ends a call with one result, which is there whatever the status. */
static inline enum verdict syscall_done_with(struct user_frame *frame, status_t status,
                                             uint64_t result)
{
    enum verdict verdict = syscall_done(frame, status);

    user_frame_set_arg(frame, 1, result);
    return verdict;
}
