/* SPDX-License-Identifier: MIT */
/*
 * Calls on two ranges.  Of two processes a step opens its cursors in the one order that this hart
 * may wait in: the space with the lower root first.  Of one process it opens both at once.
 */
#include "kernel/vm_pair.h"

#include "kernel/memory_retry.h"
#include "kernel/process.h"
#include "kernel/vm_call.h"

#define ARG_TO         1U
#define ARG_ADDRESS    2U
#define ARG_BYTES      3U
#define ARG_TO_ADDRESS 4U
#define ARG_PROGRESS   5U
#define ARG_COOKIE     6U

struct pair_call {
    struct vm_call from; /* the range, its progress and its target */
    struct vm_target to;
    vaddr_t to_start;
    uint64_t cookie;
};

static bool is_one_process(const struct pair_call *call)
{
    return call->to.process == call->from.target.process;
}

static status_t pair_decode_ranges(const struct user_frame *frame, struct pair_call *call)
{
    uint64_t bytes = user_frame_arg(frame, ARG_BYTES);
    struct vm_args there;
    status_t status =
        vm_args_make(user_frame_arg(frame, ARG_ADDRESS), bytes, user_frame_arg(frame, ARG_PROGRESS),
                     vm_space_user_limit(), &call->from.args);

    if (status == OK) {
        status = vm_args_make(user_frame_arg(frame, ARG_TO_ADDRESS), bytes, 0,
                              vm_space_user_limit(), &there);
    }
    if (status != OK) {
        return status;
    }
    call->to_start = there.range.start;
    if (is_one_process(call) && there.range.start.raw < call->from.args.range.end.raw &&
        call->from.args.range.start.raw < there.range.end.raw) {
        return ERR_INVAL;
    }
    return OK;
}

static status_t pair_decode(const struct user_frame *frame, enum vm_pair_kind kind,
                            struct pair_call *call)
{
    status_t status = vm_target_get(frame, RIGHT_READ | RIGHT_MAP, &call->from.target);

    if (status == OK) {
        status = vm_target_get_at(frame, ARG_TO, RIGHT_MAP, &call->to);
    }
    if (status == OK && kind == VM_PAIR_OF_TWO && is_one_process(call)) {
        status = ERR_INVAL;
    }
    if (status == OK) {
        status = pair_decode_ranges(frame, call);
    }
    if (status == OK) {
        status = vm_target_enter(&call->from.target);
    }
    return status == OK ? vm_target_enter(&call->to) : status;
}

/* Opens one side of a step, and cuts *bytes to what it has locked. */
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

static status_t open_in_two(const struct pair_call *call, const vaddr_t starts[2], uint64_t *bytes,
                            struct vm_cursor cursors[2])
{
    static const enum vm_cursor_mode modes[2] = {VM_CURSOR_EDIT, VM_CURSOR_CHANGE};
    struct vm_space *spaces[2] = {call->from.target.space, call->to.space};
    unsigned a = vm_space_root(spaces[0]).raw < vm_space_root(spaces[1]).raw ? 0 : 1;
    unsigned b = 1 - a;
    status_t status = open_side(&cursors[a], spaces[a], starts[a], modes[a], bytes);

    if (status == OK) {
        status = open_side(&cursors[b], spaces[b], starts[b], modes[b], bytes);
        if (status != OK) {
            vm_cursor_close(&cursors[a]);
        }
    }
    return status;
}

/* Opens both sides of a step, from and to, or none. */
static status_t open_both(const struct pair_call *call, uint64_t *bytes,
                          struct vm_cursor cursors[2])
{
    struct va_range step = vm_call_step(&call->from, UINT64_MAX);
    vaddr_t there = vaddr_add(call->to_start, call->from.args.progress_bytes);

    *bytes = step.end.raw - step.start.raw;
    if (!is_one_process(call)) {
        return open_in_two(call, (const vaddr_t[2]){step.start, there}, bytes, cursors);
    }
    status_t status = vm_cursor_open_two_bounded(
        cursors, call->to.space,
        (const struct va_range[2]){step, {there, vaddr_add(there, *bytes)}}, VM_CURSOR_CHANGE,
        2 * VM_STEP_TABLES);

    if (status == OK) {
        *bytes = cursors[0].range.end.raw - step.start.raw;
    }
    return status;
}

/* With the flush that is due: `from`'s, before the other side is unlocked. */
static void close_both(const struct pair_call *call, struct vm_cursor cursors[2])
{
    if (is_one_process(call)) {
        vm_cursor_close_two(cursors);
    } else {
        vm_cursor_close(&cursors[0]);
        vm_cursor_close(&cursors[1]);
    }
}

static status_t pair_step(struct pair_call *call, vm_pair_work *work)
{
    struct vm_cursor cursors[2]; /* from, to */
    uint64_t bytes;
    status_t status = open_both(call, &bytes, cursors);

    if (status == OK) {
        status = work(&cursors[0], &cursors[1], bytes, VM_STEP_EDITS,
                      call->cookie + call->from.args.progress_bytes / PAGE_SIZE);
        vm_call_progress_to(&call->from, vm_cursor_va(&cursors[0]));
        close_both(call, cursors);
    }
    return status;
}

enum verdict vm_pair_step(struct user_frame *frame, enum vm_pair_kind kind, vm_pair_work *work)
{
    struct pair_call call = {.cookie = user_frame_arg(frame, ARG_COOKIE)};
    status_t status = pair_decode(frame, kind, &call);
    uint64_t progress = user_frame_arg(frame, ARG_PROGRESS);
    uint64_t done = progress <= user_frame_arg(frame, ARG_BYTES) ? progress : 0;

    if (status == OK && !vm_call_is_complete(&call.from)) {
        status = pair_step(&call, work);
        done = call.from.args.progress_bytes;
    }
    /* Others are at the tables all the time: again, when this hart has looked for interrupts. */
    bool tries_again = status == ERR_BUSY || memory_retry(call.to.space, status);

    vm_target_put(&call.to);
    vm_target_put(&call.from.target);
    if (tries_again || (status == OK && !vm_call_is_complete(&call.from))) {
        user_frame_set_arg(frame, ARG_PROGRESS, done);
        return VERDICT_RESTART;
    }
    return syscall_done_with(frame, status, done);
}
