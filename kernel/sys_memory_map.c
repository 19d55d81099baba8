/* SPDX-License-Identifier: MIT */
/*
 * The system call that maps a part of a memory object, step by step (kernel/vm_call.h).
 *
 * The call has no argument to spare for its progress: address, bytes and offset move on.  Pages to
 * be mapped now of an object whose memory comes in blocks have their block made first, in pieces.
 */
#include "kernel/mark_args.h"
#include "kernel/memory_object.h"
#include "kernel/memory_retry.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/syscall.h"
#include "kernel/thread.h"
#include "kernel/vm_call.h"
#include "lib/assert.h"
#include "uapi/vm.h"

#define ARG_PROT   3U
#define ARG_FLAGS  4U
#define ARG_MEMORY 5U
#define ARG_OFFSET 6U

struct map_call {
    struct vm_call vm;
    struct mark_args args;
    bool is_now;
};

/* What one step maps. */
struct step {
    enum vm_prot prot;
    uint64_t bytes;      /* at most: so many that pages to be mapped now are marked one by one */
    uint64_t page_bytes; /* of those mapped now */
};

/* The range in the process, and its space. */
static status_t decode_range(struct user_frame *frame, struct map_call *call)
{
    status_t status =
        vm_args_make(user_frame_arg(frame, VM_ARG_ADDRESS), user_frame_arg(frame, VM_ARG_BYTES), 0,
                     vm_space_user_limit(), &call->vm.args);

    return status == OK ? vm_target_enter(&call->vm.target) : status;
}

static status_t map_decode(struct user_frame *frame, struct map_call *call)
{
    uint64_t flags = user_frame_arg(frame, ARG_FLAGS);
    struct mark_args_part part = {.memory = user_frame_arg(frame, ARG_MEMORY),
                                  .offset = user_frame_arg(frame, ARG_OFFSET),
                                  .bytes = user_frame_arg(frame, VM_ARG_BYTES)};
    status_t status = vm_target_get(frame, RIGHT_MAP, &call->vm.target);

    if (status == OK) {
        status = mark_args_memory(part, user_frame_arg(frame, ARG_PROT), flags & ~VM_FLAG_NOW,
                                  &call->args);
    }
    call->is_now = (flags & VM_FLAG_NOW) != 0;
    if (status == OK && call->is_now && call->args.mark.prot == VM_PROT_NONE) {
        status = ERR_INVAL;
    }
    return status == OK ? decode_range(frame, call) : status;
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
static status_t map_now(struct vm_cursor *cursor, vaddr_t start, const struct step *step,
                        vaddr_t *next)
{
    enum vm_access access = strongest_access(step->prot);
    vaddr_t end = vm_cursor_va(cursor);
    struct vm_removed removed;
    status_t status = OK;

    for (*next = start; next->raw < end.raw; *next = vaddr_add(*next, step->page_bytes)) {
        status = vm_cursor_jump(cursor, *next);
        if (status == OK) {
            status = vm_cursor_touch_making(cursor, access, &sched_current()->making);
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

/* How much a step does, and in pages of what size: those of an object by the entry that maps its
 * block, where place and offset are aligned alike and the page is not to be copied. */
static struct step step_of(const struct map_call *call)
{
    const struct vm_args *range = &call->vm.args;
    uint64_t block = pte_level_bytes(mem_object_level(call->args.mark.object));
    uint64_t place = range->range.start.raw;
    uint64_t offset = call->args.mark.object_page << PAGE_SHIFT;
    struct step step = {.prot = call->args.mark.prot, .page_bytes = PAGE_SIZE};

    if (!call->is_now) {
        step.bytes = UINT64_MAX;
    } else if (block == PAGE_SIZE) {
        step.bytes = VM_STEP_BYTES;
    } else if (is_aligned(place | offset, block) && range->bytes >= block &&
               call->args.mark.share != VM_SHARE_NONE) {
        step.bytes = block;
        step.page_bytes = block;
    } else { /* to the block's end: the next one may do better */
        step.bytes = align_down(offset, block) + block - offset;
        step.bytes = step.bytes < VM_STEP_BYTES ? step.bytes : VM_STEP_BYTES;
    }
    return step;
}

static status_t map_step(struct map_call *call)
{
    struct vm_cursor cursor;
    struct vm_removed removed;
    struct step step = step_of(call);
    status_t status = OK;

    if (call->is_now && call->args.mark.share != VM_SHARE_NONE) { /* a private page is a copy */
        status = memory_object_prepare(call->args.memory, call->args.mark.object_page);
    }
    if (status == OK) {
        status = vm_call_open(&call->vm, VM_CURSOR_CHANGE, step.bytes, VM_STEP_TABLES, &cursor);
    }
    if (status != OK) {
        return status;
    }
    vaddr_t start = vm_cursor_va(&cursor);
    vaddr_t next = start;

    status = vm_cursor_mark(&cursor, vm_call_bytes_open(&cursor), call->args.mark, call->args.mode,
                            VM_STEP_EDITS, &removed);
    if (vm_cursor_va(&cursor).raw - start.raw < step.page_bytes) {
        step.page_bytes = PAGE_SIZE; /* what was there took too many edits for one step */
    }
    if (status == OK && call->is_now) {
        status = map_now(&cursor, start, &step, &next);
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
    mark_args_put(&call.args);
    bool tries_again = status == ERR_AGAIN || memory_retry(call.vm.target.space, status);
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
