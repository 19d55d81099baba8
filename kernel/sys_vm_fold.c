/* SPDX-License-Identifier: MIT */
/*
 * The system call that folds, step by step (kernel/vm_call.h).
 *
 * A step ends where its tables do, so the extent of a table with others below it may take several.
 * When the last one has been done, that table is looked at again, by a cursor on its whole extent:
 * if it can be one entry, there are no tables left below it, and the cursor has few to lock.
 */
#include "kernel/process.h"
#include "kernel/syscall.h"
#include "kernel/vm_call.h"
#include "mm/vm_cursor_large.h"

/* Tables of a step: each is 512 entries to look at, and 512 owners. */
#define FOLD_TABLES 16U

/* Folds all that a cursor has open. */
static status_t fold_open(struct vm_call *call, struct vm_cursor *cursor)
{
    unsigned folded = 0;
    status_t status = vm_cursor_fold(cursor, vm_call_bytes_open(cursor), FOLD_TABLES, &folded);

    call->count += folded;
    return status;
}

/* The tables whose extent began before `start`, and ends where the call has come to. */
static status_t fold_above(struct vm_call *call, vaddr_t start)
{
    vaddr_t end = vaddr_add(call->args.range.start, call->args.progress_bytes);
    status_t status = OK;

    for (unsigned level = 2; status == OK && level < PTE_LEVELS_MAX; level++) {
        uint64_t bytes = pte_level_bytes(level);
        struct va_range extent = {{end.raw - bytes}, end};
        struct vm_cursor cursor;

        if (!is_aligned(end.raw, bytes) || call->args.progress_bytes < bytes) {
            break;
        }
        if (extent.start.raw >= start.raw) {
            continue;
        }
        status = vm_cursor_open_bounded(&cursor, call->target.space, extent, VM_CURSOR_EDIT,
                                        FOLD_TABLES);
        if (status == OK && cursor.range.end.raw == end.raw) {
            status = fold_open(call, &cursor);
        }
        vm_cursor_close(&cursor);
    }
    return status;
}

static status_t fold_step(struct vm_call *call)
{
    vaddr_t start = vaddr_add(call->args.range.start, call->args.progress_bytes);
    struct vm_cursor cursor;
    status_t status = vm_call_open(call, VM_CURSOR_EDIT, UINT64_MAX, FOLD_TABLES, &cursor);

    if (status == OK) {
        status = fold_open(call, &cursor);
        vm_call_close(call, &cursor);
    }
    return status == OK ? fold_above(call, start) : status;
}

enum verdict sys_vm_fold(struct user_frame *frame)
{
    struct vm_call call = vm_call_begin(frame, 3, VM_CALL_TELLS_COUNT);
    status_t status = vm_target_get(frame, RIGHT_READ | RIGHT_MAP, &call.target);

    if (status == OK) {
        status = vm_call_range(frame, &call);
    }
    if (status == OK && !vm_call_is_complete(&call)) {
        status = fold_step(&call);
    }
    return vm_call_end(frame, status, &call);
}
