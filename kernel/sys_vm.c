/* SPDX-License-Identifier: MIT */
/*
 * System calls that change mappings of RAM: map, unmap, protect.
 *
 * Each is cut into steps of at most 256 pages and 64 tables.  A step opens a cursor, works, and
 * closes it, flush included; then the call restarts with its progress in the argument registers, so
 * that pending interrupts get in.  On an error the progress made is the result.
 */
#include "arch/arch.h"
#include "kernel/process.h"
#include "kernel/syscall.h"
#include "kernel/vm_args.h"
#include "kernel/vm_target.h"
#include "mm/vm_cursor.h"
#include "uapi/vm.h"

/* What a call works on. */
struct vm_call {
    struct vm_target target;
    struct vm_args args;
    enum vm_prot prot;
    enum vm_map_mode mode;
    uint64_t count; /* pages so far */
};

#define ARG_ADDRESS 1U
#define ARG_BYTES   2U

/* The range of a call, with its progress in the given argument; then the space. */
static status_t range_decode(struct user_frame *frame, unsigned progress_arg, struct vm_call *call)
{
    status_t status =
        vm_args_make(user_frame_arg(frame, ARG_ADDRESS), user_frame_arg(frame, ARG_BYTES),
                     user_frame_arg(frame, progress_arg), vm_space_user_limit(), &call->args);

    return status == OK ? vm_target_enter(&call->target) : status;
}

/* Where the call has come to, and the end of what is left, cut to max_bytes. */
static struct va_range step_range(const struct vm_call *call, uint64_t max_bytes)
{
    uint64_t rest = call->args.bytes - call->args.progress_bytes;
    vaddr_t start = vaddr_add(call->args.range.start, call->args.progress_bytes);

    return (struct va_range){start, vaddr_add(start, rest < max_bytes ? rest : max_bytes)};
}

static void progress_to(struct vm_call *call, vaddr_t va)
{
    call->args.progress_bytes = va.raw - call->args.range.start.raw;
}

static bool is_complete(const struct vm_call *call)
{
    return call->args.progress_bytes == call->args.bytes;
}

/* Code may lie in frames that were just made executable: no stale instruction may be fetched. */
static status_t sync_code(const struct vm_call *call)
{
    return (call->prot & VM_X) != 0 ? arch_icache_sync((struct hart_mask){0}) : OK;
}

/* ---- map ---- */

static status_t map_decode(struct user_frame *frame, struct vm_call *call)
{
    uint64_t flags = user_frame_arg(frame, 4);
    status_t status = vm_target_get(frame, RIGHT_MAP, &call->target);

    if (status == OK) {
        status = vm_args_prot(user_frame_arg(frame, 3), &call->prot);
    }
    if (status != OK) {
        return status;
    }
    if ((flags & ~VM_FLAG_REPLACE) != 0) {
        return ERR_INVAL;
    }
    call->mode = flags != 0 ? VM_MAP_REPLACE : VM_MAP_EXCLUSIVE;
    return range_decode(frame, 5, call);
}

static status_t map_page(struct vm_cursor *cursor, const struct vm_call *call)
{
    struct frame *frame;
    status_t status = frame_alloc(FRAME_USER, &frame);

    if (status != OK) {
        return status;
    }
    status = vm_cursor_map(cursor, frame, (struct vm_prop){call->prot, VM_MEM_PMA}, call->mode);
    if (status != OK) {
        frame_put(frame);
    }
    return status;
}

/* First occupied page of the cursor's range, or its end: found before memory is spent. */
static status_t first_occupied(struct vm_cursor *cursor, const struct vm_call *call, vaddr_t *stop)
{
    vaddr_t start = vm_cursor_va(cursor);
    vaddr_t end = cursor->range.end;

    *stop = end;
    if (call->mode == VM_MAP_REPLACE) {
        return OK;
    }
    if (vm_cursor_find_next(cursor, end.raw - start.raw, stop) != OK) {
        *stop = end;
    }
    return vm_cursor_jump(cursor, start);
}

static status_t map_pages(struct vm_cursor *cursor, const struct vm_call *call)
{
    vaddr_t stop;
    status_t status = first_occupied(cursor, call, &stop);

    while (status == OK && vm_cursor_va(cursor).raw < stop.raw) {
        status = map_page(cursor, call);
    }
    if (status == OK && stop.raw < cursor->range.end.raw) {
        return ERR_EXIST;
    }
    return status;
}

static status_t map_step(struct vm_call *call)
{
    struct vm_cursor cursor = {0};
    struct va_range range = step_range(call, VM_STEP_BYTES);

    if (is_complete(call)) {
        return OK;
    }
    status_t status = vm_cursor_open_bounded(&cursor, call->target.space, range, VM_CURSOR_CHANGE,
                                             VM_STEP_TABLES);

    if (status != OK) {
        return status;
    }
    status = map_pages(&cursor, call);
    progress_to(call, vm_cursor_va(&cursor));
    vm_cursor_close(&cursor);
    status_t synced = sync_code(call);

    return status == OK ? synced : status;
}

/* The progress to report with an error of decoding: what earlier steps left. */
static uint64_t progress_so_far(const struct user_frame *frame, unsigned progress_arg)
{
    uint64_t progress = user_frame_arg(frame, progress_arg);

    return progress <= user_frame_arg(frame, ARG_BYTES) ? progress : 0;
}

enum verdict sys_vm_map(struct user_frame *frame)
{
    struct vm_call call = {0};
    status_t status = map_decode(frame, &call);
    uint64_t done = progress_so_far(frame, 5);

    if (status == OK) {
        status = map_step(&call);
        done = call.args.progress_bytes;
    }
    vm_target_put(&call.target);
    if (status == OK && !is_complete(&call)) {
        user_frame_set_arg(frame, 5, done);
        return VERDICT_RESTART;
    }
    return syscall_done_with(frame, status, done);
}

/* ---- unmap and protect ---- */

/* Moves the progress to the first page that is mapped, or as far as one look gets.
 * ERR_NOENT: no page was found so far. */
static status_t skip_absent(struct vm_call *call)
{
    struct vm_cursor cursor = {0};
    vaddr_t found;

    if (is_complete(call)) {
        return ERR_NOENT;
    }
    status_t status = vm_cursor_open_bounded(
        &cursor, call->target.space, step_range(call, UINT64_MAX), VM_CURSOR_QUERY, VM_STEP_TABLES);

    if (status != OK) {
        return status;
    }
    status = vm_cursor_find_next(&cursor, cursor.range.end.raw - cursor.range.start.raw, &found);
    progress_to(call, vm_cursor_va(&cursor));
    vm_cursor_close(&cursor);
    return status;
}

/* Opens a changing cursor at the first mapped page.  The tables that lead there exist, so nothing
 * is allocated.  OK with cursor->cover NULL: nothing to do in this step. */
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

    progress_to(call, (vaddr_t){start > step_start ? start : step_start});
    return vm_cursor_open_bounded(cursor, call->target.space, step_range(call, max_bytes),
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

    while (status == OK && call->count - before < VM_STEP_BYTES / PAGE_SIZE) {
        status = unmap_piece(&cursor, call);
    }
    if (cursor.cover != NULL) {
        progress_to(call, vm_cursor_va(&cursor));
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
    progress_to(call, vm_cursor_va(&cursor));
    vm_cursor_close(&cursor);
    status_t synced = sync_code(call);

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
    if (status == OK && !is_complete(call)) {
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
        status = range_decode(frame, 3, &call);
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
        status = range_decode(frame, 4, &call);
    }
    if (status == OK) {
        status = protect_step(&call);
    }
    return step_end(frame, status, 4, &call);
}
