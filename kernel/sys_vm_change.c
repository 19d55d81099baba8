/* SPDX-License-Identifier: MIT */
/*
 * System calls that take mappings away or change what their entries say, step by step
 * (kernel/vm_call.h).  They take memory only where the range ends inside of a mark, which then has
 * to be split.
 */
#include "kernel/memory_retry.h"
#include "kernel/process.h"
#include "kernel/syscall.h"
#include "kernel/vm_call.h"
#include "mm/vm_cursor_pager.h"

/* A step of a change of permissions: an entry takes a tenth of what a page takes that is mapped, so
 * a step has four times as many (vm_target.h), and its tables are few, those of these pages. */
#define PROTECT_PAGES  1024U
#define PROTECT_TABLES 4U

/* Unmaps one step's worth: whole tables where the range allows, so that they go too. */
static status_t unmap_step(struct vm_call *call)
{
    struct vm_cursor cursor;
    struct vm_removed removed;

    if (vm_call_is_complete(call)) {
        return OK;
    }
    status_t status =
        vm_cursor_open_bounded(&cursor, call->target.space, vm_call_step(call, UINT64_MAX),
                               VM_CURSOR_EDIT, VM_STEP_TABLES);

    if (status != OK) {
        return status;
    }
    status = vm_cursor_unmap_bounded(&cursor, cursor.range.end.raw - cursor.range.start.raw,
                                     VM_STEP_EDITS, &removed);
    if (status == OK) {
        call->count += removed.ram_pages + removed.io_pages;
    }
    vm_call_progress_to(call, vm_cursor_va(&cursor));
    vm_cursor_close(&cursor);
    return status;
}

static void protect_op(struct vm_rights *rights, void *context)
{
    const struct vm_call *call = context;

    rights->prop.prot = call->prot;
}

/* Device registers are never executable nor hidden, and writable only where their mapping said so.
 */
static status_t protect_check(const struct vm_cursor *cursor, const struct vm_call *call)
{
    struct vm_slot slot;
    status_t status = vm_cursor_query(cursor, &slot);

    if (status != OK || slot.item.kind != VM_ITEM_IO) {
        return status;
    }
    if (call->prot == VM_PROT_NONE || (call->prot & VM_X) != 0) {
        return ERR_INVAL;
    }
    return (call->prot & ~slot.item.prop.prot & VM_W) == 0 ? OK : ERR_ACCES;
}

static bool is_at_device(const struct vm_cursor *cursor)
{
    struct vm_slot slot;

    return vm_cursor_query(cursor, &slot) == OK && slot.item.kind == VM_ITEM_IO;
}

/* The page at the position, which is a region's. */
static status_t protect_device(struct vm_cursor *cursor, struct vm_call *call)
{
    struct va_range changed;
    status_t status = protect_check(cursor, call);

    if (status == OK) {
        status = vm_cursor_protect_next(cursor, PAGE_SIZE, protect_op, call, &changed);
    }
    call->count += status == OK ? 1 : 0;
    return status;
}

static uint64_t bytes_left(const struct vm_cursor *cursor)
{
    return cursor->range.end.raw - vm_cursor_va(cursor).raw;
}

/* Changes pages from the position on, so many at most, until marks have taken the rest of one
 * piece's work, or the cursor's tables end. */
static status_t protect_pages(struct vm_cursor *cursor, struct vm_call *call, uint64_t max_pages)
{
    uint64_t max = max_pages;
    status_t status = OK;

    while (status == OK && max > 0 && bytes_left(cursor) > 0) {
        uint64_t pages = 0;

        status = vm_cursor_protect(cursor, bytes_left(cursor), call->prot, max, &pages);
        call->count += pages;
        max -= pages;
        if (status != OK || max == 0 || bytes_left(cursor) == 0 || !is_at_device(cursor)) {
            return status;
        }
        status = protect_device(cursor, call);
        max--;
    }
    return status;
}

static status_t protect_step(struct vm_call *call)
{
    struct vm_cursor cursor;

    if (vm_call_is_complete(call)) {
        return OK;
    }
    status_t status =
        vm_cursor_open_bounded(&cursor, call->target.space, vm_call_step(call, UINT64_MAX),
                               VM_CURSOR_EDIT, PROTECT_TABLES);

    if (status != OK) {
        return status;
    }
    status = protect_pages(&cursor, call, PROTECT_PAGES);
    vm_call_progress_to(call, vm_cursor_va(&cursor));
    vm_cursor_close(&cursor);
    return status;
}

static status_t clear_accessed_step(struct vm_call *call)
{
    struct vm_cursor cursor;
    uint64_t accessed = 0;

    if (vm_call_is_complete(call)) {
        return OK;
    }
    status_t status =
        vm_cursor_open_bounded(&cursor, call->target.space, vm_call_step(call, UINT64_MAX),
                               VM_CURSOR_EDIT, VM_STEP_TABLES);

    if (status != OK) {
        return status;
    }
    status = vm_cursor_clear_accessed(&cursor, bytes_left(&cursor), VM_STEP_EDITS, &accessed);
    call->count += accessed;
    vm_call_progress_to(call, vm_cursor_va(&cursor));
    vm_cursor_close(&cursor);
    return status;
}

/* Ends a step of a call that has `progress` and `count` as arguments from progress_arg on. */
static enum verdict step_end(struct user_frame *frame, status_t status, unsigned progress_arg,
                             struct vm_call *call)
{
    bool tries_again = memory_retry(call->target.space, status);

    vm_target_put(&call->target);
    if (tries_again || (status == OK && !vm_call_is_complete(call))) {
        user_frame_set_arg(frame, progress_arg, call->args.progress_bytes);
        user_frame_set_arg(frame, progress_arg + 1, call->count);
        return VERDICT_RESTART;
    }
    return syscall_done_with(frame, status, call->count);
}

enum verdict sys_vm_unmap(struct user_frame *frame)
{
    struct vm_call call = {.count = user_frame_arg(frame, 4)};
    status_t status = vm_target_get(frame, RIGHT_MAP, &call.target);

    if (status == OK) {
        status = vm_call_range(frame, 3, &call);
    }
    if (status == OK) {
        status = unmap_step(&call);
    }
    return step_end(frame, status, 3, &call);
}

enum verdict sys_vm_protect(struct user_frame *frame)
{
    struct vm_call call = {.count = user_frame_arg(frame, 5)};
    status_t status = vm_target_get(frame, RIGHT_MAP, &call.target);

    if (status == OK) {
        status = vm_args_prot_or_none(user_frame_arg(frame, 3), &call.prot);
    }
    if (status == OK) {
        status = vm_call_range(frame, 4, &call);
    }
    if (status == OK) {
        status = protect_step(&call);
    }
    return step_end(frame, status, 4, &call);
}

enum verdict sys_vm_clear_accessed(struct user_frame *frame)
{
    struct vm_call call = {.count = user_frame_arg(frame, 4)};
    status_t status = vm_target_get(frame, RIGHT_READ | RIGHT_MAP, &call.target);

    if (status == OK) {
        status = vm_call_range(frame, 3, &call);
    }
    if (status == OK) {
        status = clear_accessed_step(&call);
    }
    return step_end(frame, status, 3, &call);
}
