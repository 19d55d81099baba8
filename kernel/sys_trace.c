/* SPDX-License-Identifier: MIT */
/* System calls of the trace: not built yet. */
#include "kernel/syscall.h"

enum verdict sys_trace_control(struct user_frame *frame)
{
    return syscall_done(frame, ERR_NOSYS);
}

enum verdict sys_trace_read(struct user_frame *frame)
{
    return syscall_done(frame, ERR_NOSYS);
}
