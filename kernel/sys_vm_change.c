/* SPDX-License-Identifier: MIT */
/*
 * System calls that take mappings away or change their permissions, step by step
 * (kernel/vm_call.h).  A step first finds a mapped page without allocating, so that neither fails
 * for memory.
 */
#include "kernel/process.h"
#include "kernel/syscall.h"
#include "kernel/vm_call.h"

/* Moves the progress to the first page that is mapped, or as far as one look gets.
 * ERR_NOENT: no page was found so far. */
static status_t skip_absent(struct vm_call *call)
{
    struct vm_cursor cursor = {0};
    vaddr_t found;

    if (vm_call_is_complete(call)) {
        return ERR_NOENT;
    }
    status_t status =
        vm_cursor_open_bounded(&cursor, call->target.space, vm_call_step(call, UINT64_MAX),
                               VM_CURSOR_QUERY, VM_STEP_TABLES);

    if (status != OK) {
        return status;
    }
    status = vm_cursor_find_next(&cursor, cursor.range.end.raw - cursor.range.start.raw, &found);
    vm_call_progress_to(call, vm_cursor_va(&cursor));
    vm_cursor_close(&cursor);
    return status;
}

/* Opens a changing cursor at the first mapped page.  The tables that lead there exist, so nothing
 * is allocated.  The cursor is not open after an error; ERR_NOENT: nothing is mapped in what this
 * step looked at. */
static status_t open_at_mapped(struct vm_call *call, uint64_t back_to, uint64_t max_bytes,
                               struct vm_cursor *cursor)
{
    uint64_t step_start = call->args.range.start.raw + call->args.progress_bytes;
    status_t status = skip_absent(call);

    if (status != OK) {
        return status;
    }
    uint64_t found = call->args.range.start.raw + call->args.progress_bytes;
    uint64_t start = align_down(found, back_to);

    vm_call_progress_to(call, (vaddr_t){start > step_start ? start : step_start});
    return vm_cursor_open_bounded(cursor, call->target.space, vm_call_step(call, max_bytes),
                                  VM_CURSOR_CHANGE, VM_STEP_TABLES);
}

/* Unmaps the next piece that has something mapped: what one table covers, whole where the range
 * allows, so that the table goes too.  ERR_NOENT: nothing is left. */
static status_t unmap_piece(struct vm_cursor *cursor, struct vm_call *call)
{
    const uint64_t table_bytes = pte_level_bytes(1);
    struct vm_removed removed;
    uint64_t from = vm_cursor_va(cursor).raw;
    uint64_t end = cursor->range.end.raw;
    vaddr_t found;
    status_t status = vm_cursor_find_next(cursor, end - from, &found);

    if (status != OK) {
        return status;
    }
    uint64_t table = align_down(found.raw, table_bytes);
    uint64_t start = table > from ? table : from;
    uint64_t rest = table + table_bytes - start;

    status = vm_cursor_jump(cursor, (vaddr_t){start});
    if (status == OK) {
        status = vm_cursor_unmap(cursor, rest < end - start ? rest : end - start, &removed);
    }
    if (status == OK) {
        call->count += removed.ram_pages + removed.io_pages;
    }
    return status;
}

static status_t unmap_step(struct vm_call *call)
{
    struct vm_cursor cursor = {0};
    uint64_t before = call->count;
    status_t status = open_at_mapped(call, pte_level_bytes(1), UINT64_MAX, &cursor);

    while (status == OK && call->count - before < VM_STEP_UNMAP_PAGES) {
        status = unmap_piece(&cursor, call);
    }
    if (cursor.cover != NULL) {
        vm_call_progress_to(call, vm_cursor_va(&cursor));
        vm_cursor_close(&cursor);
    }
    return status;
}

static void protect_op(struct vm_rights *rights, void *context)
{
    const struct vm_call *call = context;

    rights->prop.prot = call->prot;
}

/* Device registers are never executable, and writable only where their mapping said so. */
static status_t protect_check(const struct vm_cursor *cursor, const struct vm_call *call)
{
    struct vm_slot slot;
    status_t status = vm_cursor_query(cursor, &slot);

    if (status != OK || slot.item.kind != VM_ITEM_IO) {
        return status;
    }
    if ((call->prot & VM_X) != 0) {
        return ERR_INVAL;
    }
    return (call->prot & ~slot.item.prop.prot & VM_W) == 0 ? OK : ERR_ACCES;
}

/* One mapped page at or after the position.  ERR_NOENT: none is left. */
static status_t protect_page(struct vm_cursor *cursor, struct vm_call *call)
{
    struct va_range changed;
    vaddr_t found;
    status_t status =
        vm_cursor_find_next(cursor, cursor->range.end.raw - vm_cursor_va(cursor).raw, &found);

    if (status == OK) {
        status = protect_check(cursor, call);
    }
    if (status == OK) {
        status = vm_cursor_protect_next(cursor, cursor->range.end.raw - found.raw, protect_op, call,
                                        &changed);
    }
    if (status == OK) {
        call->count += (changed.end.raw - changed.start.raw) / PAGE_SIZE;
    }
    return status;
}

static status_t protect_step(struct vm_call *call)
{
    struct vm_cursor cursor = {0};
    status_t status = open_at_mapped(call, PAGE_SIZE, VM_STEP_BYTES, &cursor);

    while (status == OK) {
        status = protect_page(&cursor, call);
    }
    if (cursor.cover == NULL) {
        return status;
    }
    vm_call_progress_to(call, vm_cursor_va(&cursor));
    vm_cursor_close(&cursor);
    status_t synced = vm_call_sync_code(call);

    return status == OK || status == ERR_NOENT ? synced : status;
}

/* Ends a step of a call that has `progress` and `count` as arguments from progress_arg on. */
static enum verdict step_end(struct user_frame *frame, status_t status, unsigned progress_arg,
                             struct vm_call *call)
{
    vm_target_put(&call->target);
    /* Nothing mapped was found; or what was found went meanwhile, and its tables with it. */
    if (status == ERR_NOENT || status == ERR_NOMEM) {
        status = OK;
    }
    if (status == OK && !vm_call_is_complete(call)) {
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
        status = vm_args_prot(user_frame_arg(frame, 3), &call.prot);
    }
    if (status == OK) {
        status = vm_call_range(frame, 4, &call);
    }
    if (status == OK) {
        status = protect_step(&call);
    }
    return step_end(frame, status, 4, &call);
}
