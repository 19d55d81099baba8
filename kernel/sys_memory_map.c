/* SPDX-License-Identifier: MIT */
/*
 * The system call that maps a part of a memory object, step by step (kernel/vm_call.h).
 *
 * What a mapping may become is decided here, once: a page of an object can be read in every mapping
 * (who sees it may change its rights to VM_PROT_R), so READ is needed for each; stores reach the
 * object only from mappings that were made with WRITE.  The call has no argument to spare for its
 * progress: address, bytes and offset move on.
 */
#include "kernel/handle.h"
#include "kernel/memory_object.h"
#include "kernel/memory_retry.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/syscall.h"
#include "kernel/vm_call.h"
#include "lib/assert.h"
#include "uapi/vm.h"

#define ARG_PROT   3U
#define ARG_FLAGS  4U
#define ARG_MEMORY 5U
#define ARG_OFFSET 6U

#define FLAGS_ALL  (VM_FLAG_REPLACE | VM_FLAG_PRIVATE | VM_FLAG_NOW)

struct map_call {
    struct vm_call vm;
    struct memory_object *memory; /* one reference, or NULL */
    struct vm_mark mark;
    bool is_now;
};

/* Whose the pages are, by the flags and by what the handle says. */
static status_t decode_share(struct map_call *call, uint64_t flags, uint32_t rights)
{
    if ((flags & VM_FLAG_PRIVATE) != 0) {
        call->mark.share = VM_SHARE_NONE;
        return OK;
    }
    call->mark.share = (rights & RIGHT_WRITE) != 0 ? VM_SHARE_ALL : VM_SHARE_VIEW;
    return call->mark.share == VM_SHARE_ALL || (call->vm.prot & VM_W) == 0 ? OK : ERR_ACCES;
}

static status_t decode_memory(struct user_frame *frame, struct map_call *call)
{
    struct handle_entry entry;
    uint32_t need = RIGHT_MAP | RIGHT_READ | ((call->vm.prot & VM_X) != 0 ? RIGHT_EXECUTE : 0U);
    status_t status =
        handle_find(sched_current()->process, user_frame_arg(frame, ARG_MEMORY), &entry);

    if (status != OK) {
        return status;
    }
    if (entry.object->type != HANDLE_MEMORY) {
        object_put(entry.object);
        return ERR_BADF;
    }
    call->memory = LIST_ENTRY(entry.object, struct memory_object, object);
    call->mark.object = call->memory->memory;
    return (entry.rights & need) == need
               ? decode_share(call, user_frame_arg(frame, ARG_FLAGS), entry.rights)
               : ERR_ACCES;
}

/* The range in the process, and that of the object, which must have all of it. */
static status_t decode_ranges(struct user_frame *frame, struct map_call *call)
{
    uint64_t offset = user_frame_arg(frame, ARG_OFFSET);
    uint64_t end;
    status_t status =
        vm_args_make(user_frame_arg(frame, VM_ARG_ADDRESS), user_frame_arg(frame, VM_ARG_BYTES), 0,
                     vm_space_user_limit(), &call->vm.args);

    if (status == OK && !is_aligned(offset, PAGE_SIZE)) {
        status = ERR_INVAL;
    }
    if (status == OK) {
        status = checked_add(offset, call->vm.args.bytes, &end);
    }
    if (status == OK && end >> PAGE_SHIFT > mem_object_state(call->mark.object).pages) {
        status = ERR_RANGE;
    }
    call->mark.object_page = offset >> PAGE_SHIFT;
    return status == OK ? vm_target_enter(&call->vm.target) : status;
}

static status_t map_decode(struct user_frame *frame, struct map_call *call)
{
    uint64_t flags = user_frame_arg(frame, ARG_FLAGS);
    status_t status = vm_target_get(frame, RIGHT_MAP, &call->vm.target);

    if (status == OK) {
        status = vm_args_prot_or_none(user_frame_arg(frame, ARG_PROT), &call->vm.prot);
    }
    if (status != OK) {
        return status;
    }
    call->is_now = (flags & VM_FLAG_NOW) != 0;
    if ((flags & ~FLAGS_ALL) != 0 || (call->is_now && call->vm.prot == VM_PROT_NONE)) {
        return ERR_INVAL;
    }
    call->mark.kind = VM_ITEM_PAGED;
    call->mark.prot = call->vm.prot;
    call->vm.mode = (flags & VM_FLAG_REPLACE) != 0 ? VM_MAP_REPLACE : VM_MAP_EXCLUSIVE;
    status = decode_memory(frame, call);
    return status == OK ? decode_ranges(frame, call) : status;
}

/* The access that makes a page all it can be. */
static enum vm_access strongest_access(enum vm_prot prot)
{
    if ((prot & VM_W) != 0) {
        return VM_ACCESS_WRITE;
    }
    return (prot & VM_R) != 0 ? VM_ACCESS_READ : VM_ACCESS_EXECUTE;
}

/* Maps the pages that were just marked, [start, the position), and tells how far it came.  What is
 * only marked then is taken away again: a step that is tried again finds nothing in its way. */
static status_t map_now(struct vm_cursor *cursor, vaddr_t start, enum vm_prot prot, vaddr_t *next)
{
    enum vm_access access = strongest_access(prot);
    vaddr_t end = vm_cursor_va(cursor);
    struct vm_removed removed;
    status_t status = OK;

    for (*next = start; next->raw < end.raw; *next = vaddr_add(*next, PAGE_SIZE)) {
        status = vm_cursor_jump(cursor, *next);
        if (status == OK) {
            status = vm_cursor_touch(cursor, access);
        }
        if (status != OK) {
            break;
        }
    }
    /* Marks of single pages: removing some of them splits none, so it cannot fail. */
    status_t undone = status == OK ? OK : vm_cursor_unmap(cursor, end.raw - next->raw, &removed);

    ASSERT(undone == OK);
    return status;
}

static status_t map_step(struct map_call *call)
{
    struct vm_cursor cursor;
    struct vm_removed removed;
    /* Less than a table's extent, so that pages to be mapped now are marked one by one. */
    uint64_t max_bytes = call->is_now ? VM_STEP_BYTES : UINT64_MAX;
    status_t status = vm_call_open(&call->vm, VM_CURSOR_CHANGE, max_bytes, VM_STEP_TABLES, &cursor);

    if (status != OK) {
        return status;
    }
    vaddr_t start = vm_cursor_va(&cursor);
    vaddr_t next = start;

    status = vm_cursor_mark(&cursor, vm_call_bytes_open(&cursor), call->mark, call->vm.mode,
                            VM_STEP_EDITS, &removed);
    if (status == OK && call->is_now) {
        status = map_now(&cursor, start, call->vm.prot, &next);
    } else if (status == OK) {
        next = vm_cursor_va(&cursor);
    }
    vm_call_progress_to(&call->vm, next);
    vm_cursor_close(&cursor);
    return status;
}

enum verdict sys_memory_map(struct user_frame *frame)
{
    struct map_call call = {0};
    status_t status = map_decode(frame, &call);

    if (status == OK) {
        status = map_step(&call);
    }
    if (call.memory != NULL) {
        object_put(&call.memory->object);
    }
    bool tries_again = memory_retry(call.vm.target.space, status);
    uint64_t done = call.vm.args.progress_bytes;
    uint64_t next = user_frame_arg(frame, VM_ARG_ADDRESS) + done;

    vm_target_put(&call.vm.target);
    if (tries_again || (status == OK && !vm_call_is_complete(&call.vm))) {
        user_frame_set_arg(frame, VM_ARG_ADDRESS, next);
        user_frame_set_arg(frame, VM_ARG_BYTES, user_frame_arg(frame, VM_ARG_BYTES) - done);
        user_frame_set_arg(frame, ARG_OFFSET, user_frame_arg(frame, ARG_OFFSET) + done);
        return VERDICT_RESTART;
    }
    return syscall_done_with(frame, status, next);
}
