/* SPDX-License-Identifier: MIT */
/* The system call that marks addresses, step by step (kernel/vm_call.h). */
#include "kernel/mark_args.h"
#include "kernel/process.h"
#include "kernel/syscall.h"
#include "kernel/vm_call.h"

#define ARG_KIND     3U
#define ARG_PROT     4U
#define ARG_FLAGS    5U
#define ARG_PROGRESS 6U

static status_t mark_decode(struct user_frame *frame, struct vm_call *call, struct mark_args *args)
{
    status_t status = vm_target_get(frame, RIGHT_MAP, &call->target);

    if (status == OK) {
        status = mark_args_plain(user_frame_arg(frame, ARG_KIND), user_frame_arg(frame, ARG_PROT),
                                 user_frame_arg(frame, ARG_FLAGS), args);
    }
    return status == OK ? vm_call_range(frame, call) : status;
}

static status_t mark_step(struct vm_call *call, const struct mark_args *args)
{
    struct vm_cursor cursor;
    struct vm_removed removed;
    status_t status = vm_call_open(call, VM_CURSOR_CHANGE, UINT64_MAX, VM_STEP_TABLES, &cursor);

    if (status == OK) {
        status = vm_cursor_mark(&cursor, vm_call_bytes_open(&cursor), args->mark, args->mode,
                                VM_STEP_EDITS, &removed);
        vm_call_close(call, &cursor);
    }
    return status;
}

enum verdict sys_vm_mark(struct user_frame *frame)
{
    struct vm_call call = vm_call_begin(frame, ARG_PROGRESS, VM_CALL_TELLS_DONE);
    struct mark_args args = {0};
    status_t status = mark_decode(frame, &call, &args);

    if (status == OK && !vm_call_is_complete(&call)) {
        status = mark_step(&call, &args);
    }
    return vm_call_end(frame, status, &call);
}
