/* SPDX-License-Identifier: MIT */
/*
 * System calls that take mappings away or change what their entries say, step by step
 * (kernel/vm_call.h).  They take memory only where the range ends inside of a mark, which then has
 * to be split.
 */
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
    struct vm_removed removed = {0};
    status_t status = vm_call_open(call, VM_CURSOR_EDIT, UINT64_MAX, VM_STEP_TABLES, &cursor);

    if (status == OK) {
        status =
            vm_cursor_unmap_bounded(&cursor, vm_call_bytes_open(&cursor), VM_STEP_EDITS, &removed);
        call->count += removed.ram_pages + removed.io_pages;
        vm_call_close(call, &cursor);
    }
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

/* The page at the position, which is a region's, as much of it as is open. */
static status_t protect_device(struct vm_cursor *cursor, struct vm_call *call)
{
    struct va_range changed = {0};
    status_t status = protect_check(cursor, call);

    if (status == OK) {
        status =
            vm_cursor_protect_next(cursor, vm_call_bytes_open(cursor), protect_op, call, &changed);
    }
    call->count += (changed.end.raw - changed.start.raw) / PAGE_SIZE;
    return status;
}

/* Changes pages from the position on, so many at most, until marks have taken the rest of one
 * piece's work, or the cursor's tables end. */
static status_t protect_pages(struct vm_cursor *cursor, struct vm_call *call, uint64_t max_pages)
{
    uint64_t max = max_pages;
    status_t status = OK;

    while (status == OK && max > 0 && vm_call_bytes_open(cursor) > 0) {
        uint64_t pages = 0;

        status = vm_cursor_protect(cursor, vm_call_bytes_open(cursor), call->prot, max, &pages);
        call->count += pages;
        max -= pages;
        if (status != OK || max == 0 || vm_call_bytes_open(cursor) == 0 || !is_at_device(cursor)) {
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
    status_t status = vm_call_open(call, VM_CURSOR_EDIT, UINT64_MAX, PROTECT_TABLES, &cursor);

    if (status == OK) {
        status = protect_pages(&cursor, call, PROTECT_PAGES);
        vm_call_close(call, &cursor);
    }
    return status;
}

static status_t clear_accessed_step(struct vm_call *call)
{
    struct vm_cursor cursor;
    uint64_t accessed = 0;
    status_t status = vm_call_open(call, VM_CURSOR_EDIT, UINT64_MAX, VM_STEP_TABLES, &cursor);

    if (status == OK) {
        status = vm_cursor_clear_accessed(&cursor, vm_call_bytes_open(&cursor), VM_STEP_EDITS,
                                          &accessed);
        call->count += accessed;
        vm_call_close(call, &cursor);
    }
    return status;
}

enum verdict sys_vm_unmap(struct user_frame *frame)
{
    struct vm_call call = vm_call_begin(frame, 3, VM_CALL_TELLS_COUNT);
    status_t status = vm_target_get(frame, RIGHT_MAP, &call.target);

    if (status == OK) {
        status = vm_call_range(frame, &call);
    }
    if (status == OK && !vm_call_is_complete(&call)) {
        status = unmap_step(&call);
    }
    return vm_call_end(frame, status, &call);
}

enum verdict sys_vm_protect(struct user_frame *frame)
{
    struct vm_call call = vm_call_begin(frame, 4, VM_CALL_TELLS_COUNT);
    status_t status = vm_target_get(frame, RIGHT_MAP, &call.target);

    if (status == OK) {
        status = vm_args_prot_or_none(user_frame_arg(frame, 3), &call.prot);
    }
    if (status == OK) {
        status = vm_call_range(frame, &call);
    }
    if (status == OK && !vm_call_is_complete(&call)) {
        status = protect_step(&call);
    }
    return vm_call_end(frame, status, &call);
}

enum verdict sys_vm_clear_accessed(struct user_frame *frame)
{
    struct vm_call call = vm_call_begin(frame, 3, VM_CALL_TELLS_COUNT);
    status_t status = vm_target_get(frame, RIGHT_READ | RIGHT_MAP, &call.target);

    if (status == OK) {
        status = vm_call_range(frame, &call);
    }
    if (status == OK && !vm_call_is_complete(&call)) {
        status = clear_accessed_step(&call);
    }
    return vm_call_end(frame, status, &call);
}
