/* SPDX-License-Identifier: MIT */
/* System calls that look at an address space. */
#include "kernel/process.h"
#include "kernel/syscall.h"
#include "kernel/vm_call.h"
#include "uapi/vm.h"

/* The slot around an address that is below the user limit. */
static status_t query_slot(struct vm_space *space, vaddr_t va, struct vm_slot *slot)
{
    struct vm_cursor cursor = {0};
    vaddr_t page = {align_down(va.raw, PAGE_SIZE)};
    struct va_range range = {page, vaddr_add(page, PAGE_SIZE)};
    status_t status = vm_cursor_open(&cursor, space, range, VM_CURSOR_QUERY);

    if (status == OK) {
        status = vm_cursor_query(&cursor, slot);
        vm_cursor_close(&cursor);
    }
    return status;
}

/* What is told of a slot beside its rights: the physical address of a device, a cookie. */
static uint64_t where_of(const struct vm_item *item)
{
    if (item->kind == VM_ITEM_IO) {
        return item->pa.raw;
    }
    return item->kind == VM_ITEM_SWAPPED ? item->cookie : 0;
}

static void set_results(struct user_frame *frame, const struct vm_slot *slot)
{
    uint64_t kind = vm_call_kind(slot->item.kind);
    uint64_t flags = vm_call_flags(&slot->item);

    flags |= slot->item.accessed ? VM_STATE_ACCESSED : 0;
    flags |= slot->item.dirty ? VM_STATE_DIRTY : 0;
    user_frame_set_arg(frame, 1, slot->range.start.raw);
    user_frame_set_arg(frame, 2, slot->range.end.raw - slot->range.start.raw);
    user_frame_set_arg(frame, 3, kind);
    user_frame_set_arg(frame, 4, kind != VM_KIND_ABSENT ? slot->item.prop.prot : 0);
    user_frame_set_arg(frame, 5, kind != VM_KIND_ABSENT ? flags : 0);
    user_frame_set_arg(frame, 6, where_of(&slot->item));
}

enum verdict sys_vm_query(struct user_frame *frame)
{
    struct vm_target target = {0};
    struct vm_slot slot;
    vaddr_t va = {user_frame_arg(frame, 1)};
    status_t status = vm_target_get(frame, RIGHT_READ, &target);

    if (status == OK && va.raw >= vm_space_user_limit().raw) {
        status = ERR_RANGE;
    }
    if (status == OK) {
        status = vm_target_enter(&target);
    }
    if (status == OK) {
        status = query_slot(target.space, va, &slot);
    }
    vm_target_put(&target);
    enum verdict verdict = syscall_done_results(frame, status);

    if (status == OK) {
        set_results(frame, &slot);
    }
    return verdict;
}

/* Looks at up to VM_STEP_TABLES tables.  OK: *va is the first mapped page.  ERR_NOENT: nothing
 * before *va. */
static status_t find_step(struct vm_space *space, struct va_range range, vaddr_t *va)
{
    struct vm_cursor cursor = {0};
    vaddr_t found;
    status_t status =
        vm_cursor_open_bounded(&cursor, space, range, VM_CURSOR_QUERY, VM_STEP_TABLES);

    if (status != OK) {
        return status;
    }
    status = vm_cursor_find_next(&cursor, cursor.range.end.raw - range.start.raw, &found);
    *va = vm_cursor_va(&cursor);
    vm_cursor_close(&cursor);
    return status;
}

static status_t find_decode(struct user_frame *frame, struct vm_target *target,
                            struct vm_args *args)
{
    status_t status = vm_target_get(frame, RIGHT_READ, target);

    if (status == OK) {
        status = vm_args_make(user_frame_arg(frame, 1), user_frame_arg(frame, 2),
                              user_frame_arg(frame, 3), vm_space_user_limit(), args);
    }
    return status == OK ? vm_target_enter(target) : status;
}

enum verdict sys_vm_find_next(struct user_frame *frame)
{
    struct vm_target target = {0};
    struct vm_args args = {0};
    status_t status = find_decode(frame, &target, &args);
    vaddr_t va = vaddr_add(args.range.start, args.progress_bytes);
    bool has_more = false;

    if (status == OK && args.progress_bytes == args.bytes) {
        status = ERR_NOENT;
    } else if (status == OK) {
        status = find_step(target.space, (struct va_range){va, args.range.end}, &va);
        has_more = status == ERR_NOENT && va.raw < args.range.end.raw;
    }
    vm_target_put(&target);
    if (has_more) {
        user_frame_set_arg(frame, 3, va.raw - args.range.start.raw);
        return VERDICT_RESTART;
    }
    return syscall_done_with(frame, status, status == OK ? va.raw : 0);
}
