/* SPDX-License-Identifier: MIT */
/* The process whose memory a call works on. */
#include "kernel/vm_target.h"

#include "kernel/handle.h"
#include "kernel/process.h"
#include "kernel/sched.h"

status_t vm_target_get_at(const struct user_frame *frame, unsigned arg, uint32_t rights,
                          struct vm_target *target)
{
    struct object *object;
    status_t status = handle_get(sched_current()->process, user_frame_arg(frame, arg),
                                 HANDLE_PROCESS, rights, &object);

    if (status == OK) {
        target->process = LIST_ENTRY(object, struct process, object);
    }
    return status;
}

status_t vm_target_get(const struct user_frame *frame, uint32_t rights, struct vm_target *target)
{
    return vm_target_get_at(frame, 0, rights, target);
}

status_t vm_target_enter(struct vm_target *target)
{
    return process_space_get(target->process, &target->space);
}

void vm_target_put(struct vm_target *target)
{
    if (target->space != NULL) {
        process_space_put(target->process, target->space);
    }
    if (target->process != NULL) {
        object_put(&target->process->object);
    }
    *target = (struct vm_target){0};
}
