/* SPDX-License-Identifier: MIT */
/* The system call that folds, step by step (kernel/vm_call.h). */
#include "kernel/syscall.h"

enum verdict sys_vm_fold(struct user_frame *frame)
{
    return syscall_done(frame, ERR_NOTSUP);
}
