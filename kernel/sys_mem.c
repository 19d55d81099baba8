/* SPDX-License-Identifier: MIT */
/*
 * System calls that copy memory between the caller and a process.
 *
 * Reading, the other side's page is looked up with a reference on its frame, and the caller's
 * buffer is touched when nothing is locked.  Writing, bytes move under a lock on the page, so that
 * they reach it and no other who shared its frame (mm/user_copy.h).  The two may be the same
 * process. A reserved page there is touched; one that shares its frame has another before it is
 * written to.
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

/* From the page at va of the other side to the caller. */
static status_t read_page(struct copy_call *call, vaddr_t va, struct user_span *span)
{
    uint64_t offset = va.raw & PAGE_MASK;
    uint64_t done = 0;
    struct vm_page page;
    status_t status = vm_space_page_get(call->target.space, va, &page);

    if (status == OK) {
        status = user_write(span, (uint8_t *)frame_bytes(page.frame) + offset, PAGE_SIZE - offset,
                            &done);
        frame_put(page.frame);
    }
    call->done += done;
    return status;
}

/* The other way round. */
static status_t write_page(struct copy_call *call, vaddr_t va, struct user_span *span)
{
    enum vm_prot prot;
    uint64_t done;
    status_t status = user_read_to_page(span, call->target.space, va, &prot, &done);

    call->wrote_code |= done > 0 && (prot & VM_X) != 0;
    call->done += done;
    return status;
}

/* Copies up to the end of one page of the other side. */
static status_t copy_page(struct copy_call *call, struct user_span *span)
{
    vaddr_t va = {call->address + call->done};

    return call->direction == COPY_READ ? read_page(call, va, span) : write_page(call, va, span);
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
    vm_target_put(&call.target);
    return memory_retry_copy(frame, status, ARG_PROGRESS, (struct copied){call.done, call.bytes});
}

enum verdict sys_vm_read(struct user_frame *frame)
{
    return copy_call(frame, COPY_READ);
}

enum verdict sys_vm_write(struct user_frame *frame)
{
    return copy_call(frame, COPY_WRITE);
}
