/* SPDX-License-Identifier: MIT */
/* The system call that moves mappings. */
#include "kernel/syscall.h"

enum verdict sys_vm_move(struct user_frame *frame)
{
    return syscall_done(frame, ERR_NOSYS);
}
