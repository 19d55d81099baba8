/* SPDX-License-Identifier: MIT */
/* The system call that moves what a range means. */
#include "kernel/vm_pair.h"

static status_t move_work(struct vm_cursor *from, struct vm_cursor *to, uint64_t len_bytes,
                          unsigned max_edits, uint64_t cookie)
{
    (void)cookie;
    return vm_cursor_move(from, to, len_bytes, max_edits);
}

enum verdict sys_vm_move(struct user_frame *frame)
{
    return vm_pair_step(frame, VM_PAIR_OF_ANY, move_work);
}
