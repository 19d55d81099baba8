/* SPDX-License-Identifier: MIT */
/* The system call that marks addresses, step by step (kernel/vm_call.h). */
#include "kernel/memory_retry.h"
#include "kernel/process.h"
#include "kernel/syscall.h"
#include "kernel/vm_call.h"
#include "uapi/vm.h"

#define ARG_KIND     3U
#define ARG_PROT     4U
#define ARG_FLAGS    5U
#define ARG_PROGRESS 6U

static status_t mark_decode_kind(struct user_frame *frame, struct vm_mark *mark)
{
    uint64_t prot = user_frame_arg(frame, ARG_PROT);

    switch (user_frame_arg(frame, ARG_KIND)) {
    case VM_KIND_RESERVED:
        mark->kind = VM_ITEM_RESERVED;
        return vm_args_prot_or_none(prot, &mark->prot);
    case VM_KIND_GUARD:
        mark->kind = VM_ITEM_GUARD;
        mark->prot = VM_PROT_NONE;
        return prot == VM_PROT_NONE ? OK : ERR_INVAL;
    default:
        return ERR_INVAL;
    }
}

static status_t mark_decode(struct user_frame *frame, struct vm_call *call, struct vm_mark *mark)
{
    uint64_t flags = user_frame_arg(frame, ARG_FLAGS);
    status_t status = vm_target_get(frame, RIGHT_MAP, &call->target);

    if (status == OK) {
        status = mark_decode_kind(frame, mark);
    }
    if (status == OK && (flags & ~VM_FLAG_REPLACE) != 0) {
        status = ERR_INVAL;
    }
    if (status != OK) {
        return status;
    }
    call->mode = flags != 0 ? VM_MAP_REPLACE : VM_MAP_EXCLUSIVE;
    return vm_call_range(frame, ARG_PROGRESS, call);
}

static status_t mark_step(struct vm_call *call, struct vm_mark mark)
{
    struct vm_cursor cursor;
    struct vm_removed removed;

    if (vm_call_is_complete(call)) {
        return OK;
    }
    status_t status =
        vm_cursor_open_bounded(&cursor, call->target.space, vm_call_step(call, UINT64_MAX),
                               VM_CURSOR_CHANGE, VM_STEP_TABLES);

    if (status != OK) {
        return status;
    }
    status = vm_cursor_mark(&cursor, cursor.range.end.raw - cursor.range.start.raw, mark,
                            call->mode, VM_STEP_EDITS, &removed);
    vm_call_progress_to(call, vm_cursor_va(&cursor));
    vm_cursor_close(&cursor);
    return status;
}

enum verdict sys_vm_mark(struct user_frame *frame)
{
    struct vm_call call = {0};
    struct vm_mark mark;
    status_t status = mark_decode(frame, &call, &mark);
    uint64_t done = vm_call_progress_given(frame, ARG_PROGRESS);

    if (status == OK) {
        status = mark_step(&call, mark);
        done = call.args.progress_bytes;
    }
    bool tries_again = memory_retry(call.target.space, status);

    vm_target_put(&call.target);
    if (tries_again || (status == OK && !vm_call_is_complete(&call))) {
        user_frame_set_arg(frame, ARG_PROGRESS, done);
        return VERDICT_RESTART;
    }
    return syscall_done_with(frame, status, done);
}
