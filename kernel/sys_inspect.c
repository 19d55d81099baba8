/* SPDX-License-Identifier: MIT */
/* System calls that show processes, threads and spaces: not built yet. */
#include "kernel/syscall.h"

enum verdict sys_process_info(struct user_frame *frame)
{
    return syscall_done(frame, ERR_NOSYS);
}

enum verdict sys_process_open(struct user_frame *frame)
{
    return syscall_done(frame, ERR_NOSYS);
}

enum verdict sys_thread_info(struct user_frame *frame)
{
    return syscall_done(frame, ERR_NOSYS);
}

enum verdict sys_vm_ranges(struct user_frame *frame)
{
    return syscall_done(frame, ERR_NOSYS);
}

enum verdict sys_vm_table(struct user_frame *frame)
{
    return syscall_done(frame, ERR_NOSYS);
}

enum verdict sys_children_wait(struct user_frame *frame)
{
    return syscall_done(frame, ERR_NOSYS);
}
