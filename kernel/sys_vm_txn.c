/* SPDX-License-Identifier: MIT */
/*
 * The system call that does several changes at once.
 *
 * The operations are copied in one by one, once, and decoded; then one cursor has all their ranges.
 * There are no steps: a transaction is as much as may be done under a lock, or is refused.
 */
#include "kernel/mark_args.h"
#include "kernel/memory_object.h"
#include "kernel/memory_retry.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/syscall.h"
#include "kernel/vm_args.h"
#include "kernel/vm_target.h"
#include "mm/user_copy.h"
#include "mm/vm_cursor_txn.h"
#include "uapi/vm.h"

#define ARG_OPS   1U
#define ARG_COUNT 2U

_Static_assert(VM_TXN_OPS == VM_CHANGES_MAX, "what a program may ask for is what a cursor does");
_Static_assert(sizeof(struct vm_txn_op) == 56, "its layout is the same for all programs");

struct txn_call {
    struct vm_target target;
    struct vm_change changes[VM_CHANGES_MAX];
    struct memory_object *memory[VM_CHANGES_MAX]; /* one reference each, or NULL */
    struct va_range hull;                         /* of all ranges               */
    unsigned count;
    unsigned failed; /* the operation that an error is about */
};

static status_t decode_mark(const struct vm_txn_op *op, struct vm_change *change,
                            struct memory_object **memory)
{
    struct mark_args_part part = {op->memory, op->offset, op->bytes};
    struct mark_args args = {0};
    status_t status = op->op == VM_TXN_MARK ? mark_args_plain(op->kind, op->prot, op->flags, &args)
                                            : mark_args_memory(part, op->prot, op->flags, &args);

    *memory = args.memory;
    change->kind = VM_CHANGE_MARK;
    change->mark = args.mark;
    change->mode = args.mode;
    return status;
}

static status_t decode(const struct vm_txn_op *op, struct vm_change *change,
                       struct memory_object **memory)
{
    struct vm_args args;
    status_t status = vm_args_make(op->address, op->bytes, 0, vm_space_user_limit(), &args);

    if (status != OK) {
        return status;
    }
    change->range = args.range;
    switch (op->op) {
    case VM_TXN_UNMAP:
        change->kind = VM_CHANGE_UNMAP;
        return OK;
    case VM_TXN_PROTECT:
        change->kind = VM_CHANGE_PROTECT;
        return vm_args_prot_or_none(op->prot, &change->prot);
    case VM_TXN_MARK:
    case VM_TXN_MEMORY:
        return decode_mark(op, change, memory);
    default:
        return ERR_INVAL;
    }
}

static void hull_add(struct va_range *hull, struct va_range range)
{
    hull->start.raw = range.start.raw < hull->start.raw ? range.start.raw : hull->start.raw;
    hull->end.raw = range.end.raw > hull->end.raw ? range.end.raw : hull->end.raw;
}

static status_t decode_all(uint64_t ops, struct txn_call *call)
{
    struct vm_space *from = sched_current()->process->space;
    status_t status =
        vm_args_check_bytes(ops, call->count * sizeof(struct vm_txn_op), vm_space_user_limit());

    call->hull = (struct va_range){vm_space_user_limit(), {0}};
    for (unsigned i = 0; status == OK && i < call->count; i++) {
        vaddr_t at = {ops + i * sizeof(struct vm_txn_op)};
        struct vm_txn_op op;

        call->failed = i;
        status = user_read_object(from, at, &op, sizeof(op));
        if (status == OK) {
            status = decode(&op, &call->changes[i], &call->memory[i]);
        }
        if (status == OK) {
            hull_add(&call->hull, call->changes[i].range);
        }
    }
    return status;
}

/* The first operation that a cursor has no room for. */
static unsigned first_past(const struct txn_call *call, vaddr_t end)
{
    unsigned i = 0;

    while (call->changes[i].range.end.raw <= end.raw) {
        i++;
    }
    return i;
}

static status_t perform(struct txn_call *call)
{
    struct vm_removed removed;
    struct vm_cursor cursor;
    status_t status = vm_cursor_open_bounded(&cursor, call->target.space, call->hull,
                                             VM_CURSOR_CHANGE, VM_STEP_TABLES);

    call->failed = 0;
    if (status != OK) {
        return status;
    }
    if (cursor.range.end.raw < call->hull.end.raw) {
        call->failed = first_past(call, cursor.range.end);
        status = ERR_2BIG;
    } else {
        status = vm_cursor_txn(&cursor, call->changes, call->count, &removed, &call->failed);
    }
    vm_cursor_close(&cursor);
    return status;
}

static void memory_put_all(struct txn_call *call)
{
    for (unsigned i = 0; i < call->count; i++) {
        if (call->memory[i] != NULL) {
            object_put(&call->memory[i]->object);
        }
    }
}

/* Not inline: the operations lie on the stack no longer than they are worked on. */
__attribute__((noinline)) static status_t run(struct user_frame *frame, struct vm_target *target,
                                              unsigned *failed)
{
    struct txn_call call = {.target = *target, .count = (unsigned)user_frame_arg(frame, ARG_COUNT)};
    status_t status = decode_all(user_frame_arg(frame, ARG_OPS), &call);

    if (status == OK) {
        status = perform(&call);
    }
    memory_put_all(&call);
    *failed = call.failed;
    return status;
}

static status_t check_count(uint64_t count)
{
    if (count == 0) {
        return ERR_INVAL;
    }
    return count <= VM_TXN_OPS ? OK : ERR_2BIG;
}

enum verdict sys_vm_txn(struct user_frame *frame)
{
    struct vm_target target = {0};
    unsigned failed = 0;
    status_t status = vm_target_get(frame, RIGHT_MAP, &target);

    if (status == OK) {
        status = check_count(user_frame_arg(frame, ARG_COUNT));
    }
    if (status == OK) {
        status = vm_target_enter(&target);
    }
    if (status == OK) {
        status = run(frame, &target, &failed);
    }
    bool tries_again = memory_retry(target.space, status);

    vm_target_put(&target);
    return tries_again ? VERDICT_RESTART : syscall_done_with(frame, status, failed);
}
