/* SPDX-License-Identifier: MIT */
/* A call that changes mappings: its range and its progress. */
#include "kernel/vm_call.h"

status_t vm_call_range(struct user_frame *frame, unsigned progress_arg, struct vm_call *call)
{
    status_t status =
        vm_args_make(user_frame_arg(frame, VM_ARG_ADDRESS), user_frame_arg(frame, VM_ARG_BYTES),
                     user_frame_arg(frame, progress_arg), vm_space_user_limit(), &call->args);

    return status == OK ? vm_target_enter(&call->target) : status;
}

struct va_range vm_call_step(const struct vm_call *call, uint64_t max_bytes)
{
    uint64_t rest = call->args.bytes - call->args.progress_bytes;
    vaddr_t start = vaddr_add(call->args.range.start, call->args.progress_bytes);

    return (struct va_range){start, vaddr_add(start, rest < max_bytes ? rest : max_bytes)};
}

void vm_call_progress_to(struct vm_call *call, vaddr_t va)
{
    call->args.progress_bytes = va.raw - call->args.range.start.raw;
}

bool vm_call_is_complete(const struct vm_call *call)
{
    return call->args.progress_bytes == call->args.bytes;
}
