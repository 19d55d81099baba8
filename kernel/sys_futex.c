/* SPDX-License-Identifier: MIT */
/* System calls of the futex: not built yet. */
#include "kernel/syscall.h"

enum verdict sys_futex_wait(struct user_frame *frame)
{
    return syscall_done(frame, ERR_NOSYS);
}

enum verdict sys_futex_wake(struct user_frame *frame)
{
    return syscall_done(frame, ERR_NOSYS);
}
