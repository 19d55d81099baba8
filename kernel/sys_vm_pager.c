/* SPDX-License-Identifier: MIT */
/* The system calls by which a pager keeps pages of others elsewhere. */
#include "kernel/vm_pair.h"
#include "mm/vm_cursor_pager.h"

enum verdict sys_vm_evict(struct user_frame *frame)
{
    return vm_pair_step(frame, VM_PAIR_OF_TWO, vm_cursor_evict);
}

enum verdict sys_vm_supply(struct user_frame *frame)
{
    return vm_pair_step(frame, VM_PAIR_OF_TWO, vm_cursor_supply);
}
