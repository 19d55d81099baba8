/* SPDX-License-Identifier: MIT */
/* The system call that moves what a range means. */
#include "kernel/vm_pair.h"

enum verdict sys_vm_move(struct user_frame *frame)
{
    return vm_pair_step(frame, VM_PAIR_OF_ANY, vm_cursor_move);
}
