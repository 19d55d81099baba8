/* SPDX-License-Identifier: MIT */
/*
 * System calls on memory objects themselves: making, measuring, resizing, reading and writing.
 *
 * Bytes are copied page by page, with a reference on the page's frame and nothing locked.  Who
 * wants to cut the page off meanwhile is refused; between two pages the object may have become
 * shorter.
 */
#include "kernel/handle.h"
#include "kernel/memory_object.h"
#include "kernel/memory_retry.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/syscall.h"
#include "kernel/vm_args.h"
#include "mm/user_copy.h"

#define STEP_BYTES   (UINT64_C(16) * PAGE_SIZE)

#define ARG_OFFSET   1U
#define ARG_BUFFER   2U
#define ARG_BYTES    3U
#define ARG_PROGRESS 4U

/* The object of the handle in the first argument, with a reference. */
static status_t memory_get(const struct user_frame *frame, uint32_t rights,
                           struct memory_object **out)
{
    struct object *object;
    status_t status = handle_get(sched_current()->process, user_frame_arg(frame, 0), HANDLE_MEMORY,
                                 rights, &object);

    if (status == OK) {
        *out = LIST_ENTRY(object, struct memory_object, object);
    }
    return status;
}

/* ---- as a whole ---- */

static status_t create(uint64_t bytes, uint64_t flags, handle_t *handle)
{
    struct memory_object *memory;
    unsigned level;
    status_t status = vm_args_page_level(flags, 0, &level);

    if (status == OK && (level > MEM_OBJECT_LEVEL_MAX || !is_aligned(bytes, PAGE_SIZE))) {
        status = ERR_INVAL;
    }
    if (status == OK) {
        status = memory_object_create(bytes >> PAGE_SHIFT, level, &memory);
    }

    if (status == OK) {
        status = handle_insert(sched_current()->process,
                               (struct handle_entry){&memory->object, RIGHT_ALL}, handle);
        object_put(&memory->object);
    }
    return status;
}

enum verdict sys_memory_create(struct user_frame *frame)
{
    handle_t handle = HANDLE_NONE;
    status_t status = create(user_frame_arg(frame, 0), user_frame_arg(frame, 1), &handle);

    return memory_retry(sched_current()->process->space, status)
               ? VERDICT_RESTART
               : syscall_done_with(frame, status, handle);
}

enum verdict sys_memory_info(struct user_frame *frame)
{
    struct memory_object *memory;
    struct mem_object_state state = {0};
    status_t status = memory_get(frame, 0, &memory);

    if (status == OK) {
        state = mem_object_state(memory->memory);
        object_put(&memory->object);
    }
    enum verdict verdict = syscall_done_with(frame, status, state.pages << PAGE_SHIFT);

    user_frame_set_arg(frame, 2, state.frames << PAGE_SHIFT);
    return verdict;
}

enum verdict sys_memory_resize(struct user_frame *frame)
{
    struct memory_object *memory;
    uint64_t bytes = user_frame_arg(frame, 1);
    status_t status = memory_get(frame, RIGHT_MANAGE, &memory);

    if (status != OK) {
        return syscall_done(frame, status);
    }
    status = is_aligned(bytes, PAGE_SIZE) ? mem_object_resize(memory->memory, bytes >> PAGE_SHIFT)
                                          : ERR_INVAL;
    object_put(&memory->object);
    return status == ERR_AGAIN ? VERDICT_RESTART : syscall_done(frame, status);
}

/* ---- copying ---- */

enum copy_direction {
    COPY_READ,  /* from the object to the caller */
    COPY_WRITE, /* from the caller to the object */
};

struct copy_call {
    enum copy_direction direction;
    struct memory_object *memory; /* one reference, or NULL */
    uint64_t offset;
    uint64_t buffer;
    uint64_t bytes;
    uint64_t done;
};

static status_t copy_decode(struct user_frame *frame, struct copy_call *call)
{
    uint64_t end;
    uint32_t right = call->direction == COPY_READ ? RIGHT_READ : RIGHT_WRITE;
    status_t status = memory_get(frame, right, &call->memory);

    if (status != OK) {
        return status;
    }
    if (user_frame_arg(frame, ARG_PROGRESS) > call->bytes) {
        return ERR_INVAL;
    }
    status = checked_add(call->offset, call->bytes, &end);
    if (status == OK && end > mem_object_state(call->memory->memory).pages << PAGE_SHIFT) {
        status = ERR_RANGE;
    }
    return status == OK ? vm_args_check_bytes(call->buffer, call->bytes, vm_space_user_limit())
                        : status;
}

/* Copies up to the end of one page of the object.  One without a frame is read as zeroes. */
static status_t copy_page(struct copy_call *call, struct user_span *span)
{
    uint64_t at = call->offset + call->done;
    uint64_t offset = at & PAGE_MASK;
    bool is_read = call->direction == COPY_READ;
    uint64_t done = 0;
    struct frame *frame;
    status_t status = is_read ? OK : memory_object_prepare(call->memory, at >> PAGE_SHIFT);

    if (status != OK) {
        return status;
    }
    status = mem_object_page_get(call->memory->memory, at >> PAGE_SHIFT,
                                 is_read ? MEM_OBJECT_LOOK : MEM_OBJECT_MAKE, &frame);

    if (is_read && status == ERR_NOENT) {
        status = user_fill_zeros(span, PAGE_SIZE - offset, &done);
    } else if (status == OK) {
        uint8_t *bytes = (uint8_t *)frame_bytes(frame) + offset;

        status = is_read ? user_write(span, bytes, PAGE_SIZE - offset, &done)
                         : user_read(span, bytes, PAGE_SIZE - offset, &done);
        frame_put(frame);
    }
    call->done += done;
    return status;
}

static status_t copy_step(struct copy_call *call)
{
    struct user_span span;
    status_t status =
        user_span_make(sched_current()->process->space, (vaddr_t){call->buffer + call->done},
                       call->bytes - call->done, &span);

    if (status != OK) {
        return status;
    }
    user_span_limit(&span, STEP_BYTES);
    while (status == OK && span.remain_bytes != 0) {
        status = copy_page(call, &span);
    }
    return status;
}

static enum verdict copy_call(struct user_frame *frame, enum copy_direction direction)
{
    struct copy_call call = {
        .direction = direction,
        .offset = user_frame_arg(frame, ARG_OFFSET),
        .buffer = user_frame_arg(frame, ARG_BUFFER),
        .bytes = user_frame_arg(frame, ARG_BYTES),
    };
    uint64_t progress = user_frame_arg(frame, ARG_PROGRESS);
    status_t status = copy_decode(frame, &call);

    call.done = progress <= call.bytes ? progress : 0;
    if (status == OK) {
        status = copy_step(&call);
    }
    if (call.memory != NULL) {
        object_put(&call.memory->object);
    }
    return memory_retry_copy(frame, status, ARG_PROGRESS, (struct copied){call.done, call.bytes});
}

enum verdict sys_memory_read(struct user_frame *frame)
{
    return copy_call(frame, COPY_READ);
}

enum verdict sys_memory_write(struct user_frame *frame)
{
    return copy_call(frame, COPY_WRITE);
}
