/* SPDX-License-Identifier: MIT */
/* The system call that maps fresh RAM, step by step (kernel/vm_call.h). */
#include "kernel/process.h"
#include "kernel/syscall.h"
#include "kernel/vm_call.h"
#include "kernel/vm_map_large.h"
#include "uapi/vm.h"

/* Pages that one step replaces: it holds the new frames before it takes the old ones away. */
#define REPLACE_PAGES UINT64_C(64)

static status_t map_decode(struct user_frame *frame, struct vm_call *call)
{
    status_t status = vm_target_get(frame, RIGHT_MAP, &call->target);

    if (status == OK) {
        status = vm_args_prot(user_frame_arg(frame, 3), &call->prot);
    }
    if (status != OK) {
        return status;
    }
    call->mode = user_frame_arg(frame, VM_MAP_FLAGS_ARG) != 0 ? VM_MAP_REPLACE : VM_MAP_EXCLUSIVE;
    return vm_call_range(frame, call);
}

/* Replaces what is in the cursor's range, all of it with one flush, or nothing. */
static status_t map_replacing(struct vm_cursor *cursor, const struct vm_call *call)
{
    struct frame *frames[REPLACE_PAGES];
    uint64_t pages = (cursor->range.end.raw - cursor->range.start.raw) / PAGE_SIZE;
    uint64_t count = 0;
    status_t status = OK;

    while (status == OK && count < pages) {
        status = frame_alloc(FRAME_USER, &frames[count]);
        count += status == OK ? 1 : 0;
    }
    if (status == OK) {
        status = vm_cursor_map_frames(cursor, frames, count,
                                      (struct vm_prop){call->prot, VM_MEM_PMA}, VM_MAP_REPLACE);
    }
    while (status != OK && count > 0) {
        frame_put(frames[--count]);
    }
    return status;
}

static status_t map_step(struct vm_call *call)
{
    bool replaces = call->mode == VM_MAP_REPLACE;
    uint64_t max_bytes = replaces ? REPLACE_PAGES * PAGE_SIZE : VM_STEP_BYTES;
    struct vm_cursor cursor;
    status_t status = vm_call_open(call, VM_CURSOR_CHANGE, max_bytes, VM_STEP_TABLES, &cursor);

    if (status == OK) {
        status = replaces ? map_replacing(&cursor, call)
                          : vm_cursor_fill(&cursor, vm_call_bytes_open(&cursor),
                                           (struct vm_prop){call->prot, VM_MEM_PMA});
        vm_call_close(call, &cursor);
    }
    return status;
}

enum verdict sys_vm_map(struct user_frame *frame)
{
    if (user_frame_arg(frame, VM_MAP_FLAGS_ARG) > VM_FLAG_REPLACE) {
        return vm_map_large(frame);
    }
    struct vm_call call = vm_call_begin(frame, VM_MAP_PROGRESS_ARG, VM_CALL_TELLS_DONE);
    status_t status = map_decode(frame, &call);

    if (status == OK && !vm_call_is_complete(&call)) {
        status = map_step(&call);
    }
    return vm_call_end(frame, status, &call);
}
