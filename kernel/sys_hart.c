/* SPDX-License-Identifier: MIT */
/* System calls on harts: which runs a thread, and instructions that programs write. */
#include "arch/arch.h"
#include "kernel/handle.h"
#include "kernel/process.h"
#include "kernel/run_queue.h"
#include "kernel/sched.h"
#include "kernel/syscall.h"
#include "kernel/vm_args.h"
#include "mm/vm_space.h"

enum verdict sys_icache_sync(struct user_frame *frame)
{
    struct vm_space *space = sched_current()->process->space;
    status_t status = vm_args_check_bytes(user_frame_arg(frame, 0), user_frame_arg(frame, 1),
                                          vm_space_user_limit());

    return syscall_done(frame, status == OK ? vm_space_icache_sync(space) : status);
}

enum verdict sys_thread_set_affinity(struct user_frame *frame)
{
    struct hart_mask harts = {user_frame_arg(frame, 1) & arch_harts().bits};
    struct object *object;
    status_t status = handle_get(sched_current()->process, user_frame_arg(frame, 0), HANDLE_THREAD,
                                 RIGHT_MANAGE, &object);

    if (status != OK) {
        return syscall_done(frame, status);
    }
    status = hart_mask_is_empty(harts)
                 ? ERR_INVAL
                 : run_queue_set_affinity(LIST_ENTRY(object, struct thread, object), harts);
    object_put(object);
    return status == ERR_AGAIN ? VERDICT_RESTART : syscall_done(frame, status);
}

enum verdict sys_hart_get(struct user_frame *frame)
{
    enum verdict verdict = syscall_done_with(frame, OK, hart_index());

    user_frame_set_arg(frame, 2, arch_harts().bits);
    return verdict;
}
