/* SPDX-License-Identifier: MIT */
/*
 * What vm_map does for pages of 2 MiB and 1 GiB: one page a step, once its block has been made.
 *
 * The block is the calling thread's while it is made (mm/frame_block.h), 64 frames a step, and so
 * is there when the call restarts.  What of it is left when the call ends is given up.
 */
#include "kernel/vm_map_large.h"

#include "kernel/memory_retry.h"
#include "kernel/sched.h"
#include "kernel/thread.h"
#include "kernel/vm_call.h"
#include "mm/vm_cursor_large.h"
#include "uapi/vm.h"

static status_t large_decode(struct user_frame *frame, struct vm_call *call, unsigned *level)
{
    uint64_t flags = user_frame_arg(frame, 4);
    status_t status = vm_target_get(frame, RIGHT_MAP, &call->target);

    if (status == OK) {
        status = vm_args_prot(user_frame_arg(frame, 3), &call->prot);
    }
    if (status == OK) {
        status = vm_args_page_level(flags, VM_FLAG_REPLACE, level);
    }
    if (status == OK &&
        !is_aligned(user_frame_arg(frame, VM_ARG_ADDRESS) | user_frame_arg(frame, VM_ARG_BYTES) |
                        call->args.progress_bytes,
                    pte_level_bytes(*level))) {
        status = ERR_INVAL;
    }
    call->mode = (flags & VM_FLAG_REPLACE) != 0 ? VM_MAP_REPLACE : VM_MAP_EXCLUSIVE;
    return status == OK ? vm_call_range(frame, call) : status;
}

/* More tables lie below the page than a step may lock.  If it replaces, what is there goes first,
 * in steps.  Else ERR_BUSY: with empty tables swept there may be few enough. */
static status_t make_room(struct vm_cursor *cursor, enum vm_map_mode mode)
{
    struct vm_removed removed;
    status_t status = ERR_BUSY;

    if (mode == VM_MAP_REPLACE) {
        status =
            vm_cursor_unmap_bounded(cursor, vm_call_bytes_open(cursor), VM_STEP_EDITS, &removed);
    }
    return status == OK ? ERR_AGAIN : status;
}

/* Maps the block that is ready at the cursor's position. */
static status_t map_ready(struct vm_cursor *cursor, const struct vm_call *call, unsigned level,
                          struct frame_making *making)
{
    struct frame *block = frame_making_take(making);
    status_t status = vm_cursor_map_made(cursor, block, level,
                                         (struct vm_prop){call->prot, VM_MEM_PMA}, call->mode);

    if (status != OK) {
        frame_block_put(block, level);
    }
    return status;
}

/* ERR_AGAIN: nothing is mapped yet, and more is to be done. */
static status_t large_step(struct vm_call *call, unsigned level)
{
    struct frame_making *making = &sched_current()->making;
    struct vm_budget *payer = vm_space_budget(call->target.space);
    struct vm_cursor cursor;
    status_t status = OK;

    if (!frame_making_is_ready(making, level, payer)) {
        frame_making_want(making, level, payer);
        status = frame_making_step(making);
    }
    if (status == OK) {
        status =
            vm_call_open(call, VM_CURSOR_CHANGE, pte_level_bytes(level), VM_STEP_TABLES, &cursor);
    }
    if (status != OK) {
        return status;
    }
    if (vm_call_bytes_open(&cursor) < pte_level_bytes(level)) {
        status = make_room(&cursor, call->mode);
        vm_cursor_close(&cursor);
        return status;
    }
    status = map_ready(&cursor, call, level, making);
    vm_call_close(call, &cursor);
    return status;
}

enum verdict vm_map_large(struct user_frame *frame)
{
    struct vm_call call = vm_call_begin(frame, VM_MAP_PROGRESS_ARG, VM_CALL_TELLS_DONE);
    struct thread *thread = sched_current();
    unsigned level = 0;
    status_t status = large_decode(frame, &call, &level);

    if (status == OK && !vm_call_is_complete(&call)) {
        status = large_step(&call, level);
    }
    /* What memory_retry knows of the call stays while a block is made: that is no progress. */
    if (status == ERR_AGAIN || (status == ERR_BUSY && memory_retry(call.target.space, ERR_NOMEM))) {
        vm_target_put(&call.target);
        return VERDICT_RESTART;
    }
    enum verdict verdict = vm_call_end(frame, status == ERR_BUSY ? ERR_EXIST : status, &call);

    if (verdict != VERDICT_RESTART) {
        frame_making_drop(&thread->making);
    }
    return verdict;
}
