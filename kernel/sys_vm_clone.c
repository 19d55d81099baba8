/* SPDX-License-Identifier: MIT */
/* The system call that clones a range into another process. */
#include "kernel/vm_pair.h"

enum verdict sys_vm_clone(struct user_frame *frame)
{
    return vm_pair_step(frame, VM_PAIR_OF_TWO, vm_cursor_clone);
}
