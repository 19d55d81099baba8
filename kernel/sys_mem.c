/* SPDX-License-Identifier: MIT */
/*
 * System calls that copy memory between the caller and a process.
 *
 * The other side's page is looked up with a reference on its frame, the cursor is closed, and only
 * then the caller's buffer is touched: nothing is locked while a copy may fault.  The two may be
 * the same process.  A reserved page there is touched; one that shares its frame has another before
 * it is written to.
 */
#include "arch/arch.h"
#include "kernel/memory_retry.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/syscall.h"
#include "kernel/vm_args.h"
#include "kernel/vm_target.h"
#include "mm/user_copy.h"
#include "mm/vm_fault.h"

#define STEP_BYTES   (UINT64_C(16) * PAGE_SIZE)

#define ARG_ADDRESS  1U
#define ARG_BUFFER   2U
#define ARG_BYTES    3U
#define ARG_PROGRESS 4U

enum copy_direction {
    COPY_READ,  /* from the process to the caller */
    COPY_WRITE, /* from the caller to the process */
};

struct copy_call {
    enum copy_direction direction;
    struct vm_target target;
    uint64_t address;
    uint64_t buffer;
    uint64_t bytes;
    uint64_t done;
    bool wrote_code;
};

static status_t copy_decode(struct user_frame *frame, struct copy_call *call)
{
    vaddr_t limit = vm_space_user_limit();
    uint32_t right = call->direction == COPY_READ ? RIGHT_READ : RIGHT_WRITE;
    status_t status = vm_target_get(frame, right, &call->target);

    call->address = user_frame_arg(frame, ARG_ADDRESS);
    call->buffer = user_frame_arg(frame, ARG_BUFFER);
    call->bytes = user_frame_arg(frame, ARG_BYTES);
    if (status != OK) {
        return status;
    }
    if (user_frame_arg(frame, ARG_PROGRESS) > call->bytes) {
        return ERR_INVAL;
    }
    status = vm_args_check_bytes(call->address, call->bytes, limit);
    if (status == OK) {
        status = vm_args_check_bytes(call->buffer, call->bytes, limit);
    }
    return status == OK ? vm_target_enter(&call->target) : status;
}

/* The frame at va in the other space, with a reference.  ERR_FAULT: no RAM there, or (reading) RAM
 * that may not be read; ERR_NOMEM: none for a reserved page. */
static status_t frame_at(struct copy_call *call, vaddr_t va, struct frame **frame)
{
    bool is_write = call->direction == COPY_WRITE;
    enum vm_prot prot;
    status_t status = vm_space_page_get(call->target.space, va,
                                        is_write ? VM_PAGE_FILL : VM_PAGE_READ, &prot, frame);

    call->wrote_code |= status == OK && is_write && (prot & VM_X) != 0;
    return status;
}

/* Copies up to the end of one page of the other side. */
static status_t copy_page(struct copy_call *call, struct user_span *span)
{
    vaddr_t va = {call->address + call->done};
    uint64_t offset = va.raw & PAGE_MASK;
    uint64_t piece = PAGE_SIZE - offset;
    uint64_t done = 0;
    struct frame *frame;
    status_t status = frame_at(call, va, &frame);

    if (status != OK) {
        return status;
    }
    uint8_t *bytes = (uint8_t *)frame_bytes(frame) + offset;

    if (call->direction == COPY_READ) {
        status = user_write(span, bytes, piece, &done);
    } else {
        status = user_read(span, bytes, piece, &done);
    }
    frame_put(frame);
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
    status_t synced = call->wrote_code ? vm_space_icache_sync(call->target.space) : OK;

    return status == OK ? synced : status;
}

static enum verdict copy_call(struct user_frame *frame, enum copy_direction direction)
{
    struct copy_call call = {.direction = direction};
    status_t status = copy_decode(frame, &call);
    uint64_t progress = user_frame_arg(frame, ARG_PROGRESS);

    call.done = progress <= call.bytes ? progress : 0;
    if (status == OK) {
        status = copy_step(&call);
    }
    /* The caller's buffer may be reserved memory, whose pages come with the first access. */
    bool tries_again = memory_retry(sched_current()->process->space, status);

    vm_target_put(&call.target);
    if (tries_again || (status == OK && call.done < call.bytes)) {
        user_frame_set_arg(frame, ARG_PROGRESS, call.done);
        return VERDICT_RESTART;
    }
    return syscall_done_with(frame, status, call.done);
}

enum verdict sys_vm_read(struct user_frame *frame)
{
    return copy_call(frame, COPY_READ);
}

enum verdict sys_vm_write(struct user_frame *frame)
{
    return copy_call(frame, COPY_WRITE);
}
