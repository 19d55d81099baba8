/* SPDX-License-Identifier: MIT */
/* The system call that marks addresses, step by step (kernel/vm_call.h). */
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
    return vm_call_range(frame, call);
}

static status_t mark_step(struct vm_call *call, struct vm_mark mark)
{
    struct vm_cursor cursor;
    struct vm_removed removed;
    status_t status = vm_call_open(call, VM_CURSOR_CHANGE, UINT64_MAX, VM_STEP_TABLES, &cursor);

    if (status == OK) {
        status = vm_cursor_mark(&cursor, vm_call_bytes_open(&cursor), mark, call->mode,
                                VM_STEP_EDITS, &removed);
        vm_call_close(call, &cursor);
    }
    return status;
}

enum verdict sys_vm_mark(struct user_frame *frame)
{
    struct vm_call call = vm_call_begin(frame, ARG_PROGRESS, VM_CALL_TELLS_DONE);
    struct vm_mark mark = {0};
    status_t status = mark_decode(frame, &call, &mark);

    if (status == OK && !vm_call_is_complete(&call)) {
        status = mark_step(&call, mark);
    }
    return vm_call_end(frame, status, &call);
}
