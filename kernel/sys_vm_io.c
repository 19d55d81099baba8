/* SPDX-License-Identifier: MIT */
/* The system call that maps device registers. */
#include "kernel/handle.h"
#include "kernel/io_object.h"
#include "kernel/memory_retry.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/syscall.h"
#include "kernel/vm_args.h"
#include "kernel/vm_target.h"
#include "mm/vm_cursor.h"
#include "uapi/vm.h"

/* All is done in one step, or nothing: so many entries, of the largest size that fits. */
#define MAP_IO_ENTRIES VM_STEP_EDITS

struct io_call {
    struct vm_target target;
    struct io_object *io; /* one reference, or NULL */
    struct vm_args args;
    struct vm_prop prop;
    enum vm_map_mode mode;
    uint64_t offset_bytes;
};

/* The two handles: process, and region with the rights that prot asks for. */
static status_t io_decode_handles(struct user_frame *frame, struct io_call *call)
{
    uint64_t prot = user_frame_arg(frame, 3);
    uint32_t rights = RIGHT_MAP;
    struct object *object;
    status_t status = vm_target_get(frame, RIGHT_MAP, &call->target);

    if (status != OK) {
        return status;
    }
    rights |= (prot & VM_PROT_R) != 0 ? RIGHT_READ : 0;
    rights |= (prot & VM_PROT_W) != 0 ? RIGHT_WRITE : 0;
    status =
        handle_get(sched_current()->process, user_frame_arg(frame, 5), HANDLE_IO, rights, &object);
    if (status == OK) {
        call->io = LIST_ENTRY(object, struct io_object, object);
    }
    return status;
}

static status_t io_decode_values(struct user_frame *frame, struct io_call *call)
{
    uint64_t flags = user_frame_arg(frame, 4);
    status_t status = vm_args_prot(user_frame_arg(frame, 3), &call->prop.prot);

    call->offset_bytes = user_frame_arg(frame, 6);
    if (status != OK) {
        return status;
    }
    if ((call->prop.prot & VM_X) != 0 || (flags & ~(VM_FLAG_REPLACE | VM_FLAG_NC)) != 0 ||
        !is_aligned(call->offset_bytes, PAGE_SIZE)) {
        return ERR_INVAL;
    }
    call->prop.mem = (flags & VM_FLAG_NC) != 0 ? VM_MEM_NC : VM_MEM_IO;
    call->mode = (flags & VM_FLAG_REPLACE) != 0 ? VM_MAP_REPLACE : VM_MAP_EXCLUSIVE;
    return vm_args_make(user_frame_arg(frame, 1), user_frame_arg(frame, 2), 0,
                        vm_space_user_limit(), &call->args);
}

/* ERR_2BIG: it takes more entries than one step makes. */
static status_t io_check_size(const struct io_call *call)
{
    struct pa_range region = io_mem_range(call->io->io);
    uint64_t left = pa_range_bytes(region) - call->offset_bytes;
    uint64_t bytes = call->args.bytes < left ? call->args.bytes : left;
    uint64_t ends = call->args.range.start.raw | (region.start.raw + call->offset_bytes) | bytes;
    unsigned level = PTE_LEVEL_RAM_MAX;

    while (level > 0 && !is_aligned(ends, pte_level_bytes(level))) {
        level--;
    }
    return call->args.bytes <= MAP_IO_ENTRIES * pte_level_bytes(level) ? OK : ERR_2BIG;
}

static status_t io_decode(struct user_frame *frame, struct io_call *call)
{
    status_t status = io_decode_handles(frame, call);

    if (status == OK) {
        status = io_decode_values(frame, call);
    }
    if (status == OK && call->offset_bytes >= pa_range_bytes(io_mem_range(call->io->io))) {
        status = ERR_RANGE;
    }
    if (status == OK) {
        status = io_check_size(call);
    }
    return status == OK ? vm_target_enter(&call->target) : status;
}

static status_t io_perform(struct io_call *call, uint64_t *done)
{
    struct vm_cursor cursor = {0};
    status_t status = vm_cursor_open_bounded(&cursor, call->target.space, call->args.range,
                                             VM_CURSOR_CHANGE, VM_STEP_TABLES);

    if (status != OK) {
        return status;
    }
    if (cursor.range.end.raw < call->args.range.end.raw) {
        status = ERR_2BIG;
    } else {
        status = vm_cursor_map_iomem(&cursor, call->io->io, call->prop, call->args.bytes,
                                     call->offset_bytes, call->mode, done);
    }
    vm_cursor_close(&cursor);
    return status;
}

enum verdict sys_vm_map_io(struct user_frame *frame)
{
    struct io_call call = {0};
    uint64_t done = 0;
    status_t status = io_decode(frame, &call);

    if (status == OK) {
        status = io_perform(&call, &done);
    }
    if (call.io != NULL) {
        object_put(&call.io->object);
    }
    bool tries_again = memory_retry(call.target.space, status);

    vm_target_put(&call.target);
    return tries_again ? VERDICT_RESTART
                       : syscall_done_with(frame, status, status == OK ? done : 0);
}
