/* SPDX-License-Identifier: MIT */
/* The system call that does several changes at once. */
#include "kernel/syscall.h"

enum verdict sys_vm_txn(struct user_frame *frame)
{
    return syscall_done(frame, ERR_NOTSUP);
}
