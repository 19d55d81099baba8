/* SPDX-License-Identifier: MIT */
/*
 * The system call that clones a range into another process, step by step (kernel/vm_call.h).  A
 * step has a cursor on each side, opened in the one order that this hart may wait in: the space
 * with the lower root first.
 */
#include "kernel/memory_retry.h"
#include "kernel/process.h"
#include "kernel/syscall.h"
#include "kernel/vm_call.h"

struct clone_call {
    struct vm_call from; /* the range, its progress and its target */
    struct vm_target to;
    uint64_t to_address;
};

static status_t clone_decode(struct user_frame *frame, struct clone_call *call)
{
    struct vm_args there;
    status_t status = vm_target_get(frame, RIGHT_READ | RIGHT_MAP, &call->from.target);

    call->to_address = user_frame_arg(frame, 4);
    if (status == OK) {
        status = vm_target_get_at(frame, 1, RIGHT_MAP, &call->to);
    }
    if (status == OK && call->to.process == call->from.target.process) {
        status = ERR_INVAL;
    }
    if (status == OK) {
        status = vm_args_make(user_frame_arg(frame, 2), user_frame_arg(frame, 3),
                              user_frame_arg(frame, 5), vm_space_user_limit(), &call->from.args);
    }
    if (status == OK) {
        status =
            vm_args_make(call->to_address, call->from.args.bytes, 0, vm_space_user_limit(), &there);
    }
    if (status == OK) {
        status = vm_target_enter(&call->from.target);
    }
    return status == OK ? vm_target_enter(&call->to) : status;
}

/* Opens the side of the step that begins at `start`, and cuts *bytes to what it has locked. */
static status_t open_side(struct vm_cursor *cursor, struct vm_space *space, vaddr_t start,
                          enum vm_cursor_mode mode, uint64_t *bytes)
{
    status_t status = vm_cursor_open_bounded(
        cursor, space, (struct va_range){start, vaddr_add(start, *bytes)}, mode, VM_STEP_TABLES);

    if (status == OK) {
        *bytes = cursor->range.end.raw - cursor->range.start.raw;
    }
    return status;
}

static status_t open_both(const struct clone_call *call, struct vm_cursor *from,
                          struct vm_cursor *to, uint64_t *bytes)
{
    struct va_range step = vm_call_step(&call->from, UINT64_MAX);
    vaddr_t there = {call->to_address + call->from.args.progress_bytes};
    bool from_first =
        vm_space_root(call->from.target.space).raw < vm_space_root(call->to.space).raw;
    status_t status = OK;

    *bytes = step.end.raw - step.start.raw;
    if (from_first) {
        status = open_side(from, call->from.target.space, step.start, VM_CURSOR_EDIT, bytes);
    }
    if (status == OK) {
        status = open_side(to, call->to.space, there, VM_CURSOR_CHANGE, bytes);
    }
    if (status == OK && !from_first) {
        status = open_side(from, call->from.target.space, step.start, VM_CURSOR_EDIT, bytes);
    }
    return status;
}

static status_t clone_step(struct clone_call *call)
{
    struct vm_cursor from = {0};
    struct vm_cursor to = {0};
    uint64_t bytes;

    if (vm_call_is_complete(&call->from)) {
        return OK;
    }
    status_t status = open_both(call, &from, &to, &bytes);

    if (status == OK) {
        status = vm_cursor_clone(&from, &to, bytes, VM_STEP_EDITS);
        vm_call_progress_to(&call->from, vm_cursor_va(&from));
    }
    vm_cursor_close(&from); /* with the flush that is due; one that is not open is left alone */
    vm_cursor_close(&to);
    return status;
}

enum verdict sys_vm_clone(struct user_frame *frame)
{
    struct clone_call call = {0};
    status_t status = clone_decode(frame, &call);
    uint64_t done =
        user_frame_arg(frame, 5) <= user_frame_arg(frame, 3) ? user_frame_arg(frame, 5) : 0;

    if (status == OK) {
        status = clone_step(&call);
        done = call.from.args.progress_bytes;
    }
    bool tries_again = memory_retry(call.to.space, status);

    vm_target_put(&call.to);
    vm_target_put(&call.from.target);
    if (tries_again || (status == OK && !vm_call_is_complete(&call.from))) {
        user_frame_set_arg(frame, 5, done);
        return VERDICT_RESTART;
    }
    return syscall_done_with(frame, status, done);
}
