/* SPDX-License-Identifier: MIT */
/* System calls of the trace: recording on and off, and reading what a hart recorded. */
#include "arch/arch.h"
#include "kernel/handle.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/syscall.h"
#include "kernel/vm_args.h"
#include "lib/trace.h"
#include "mm/user_copy.h"
#include "uapi/trace.h"

#define BATCH 32U /* events that one call copies at most */

_Static_assert(TRACE_KIND_COUNT <= UINT16_MAX && HART_MAX <= UINT16_MAX, "uapi/trace.h has room");

enum verdict sys_trace_control(struct user_frame *frame)
{
    uint64_t mode = user_frame_arg(frame, 1);
    status_t status = syscall_check_handle(frame, HANDLE_MACHINE, RIGHT_MANAGE);

    if (status == OK && mode != TRACE_OFF && mode != TRACE_ON) {
        status = ERR_INVAL;
    }
    if (status != OK) {
        return syscall_done(frame, status);
    }
    if (mode == TRACE_ON) {
        trace_start();
    } else {
        trace_stop();
    }
    syscall_follow_trace();
    return syscall_done(frame, OK);
}

/* Checks the arguments of trace_read. */
static status_t read_decode(struct user_frame *frame)
{
    uint64_t hart = user_frame_arg(frame, 1);
    uint64_t bytes = 0;
    status_t status = syscall_check_handle(frame, HANDLE_MACHINE, RIGHT_READ);

    if (status != OK) {
        return status;
    }
    if (hart >= HART_MAX || !hart_mask_has(arch_harts(), (hart_idx_t)hart)) {
        return ERR_NOENT;
    }
    if (__builtin_mul_overflow(user_frame_arg(frame, 4), sizeof(struct trace_event), &bytes)) {
        return ERR_RANGE;
    }
    return vm_args_check_bytes(user_frame_arg(frame, 3), bytes, vm_space_user_limit());
}

/* Copies a batch to the program.  On errors *part is as if nothing had been asked for. */
static status_t read_perform(struct user_frame *frame, struct trace_part *part)
{
    hart_idx_t hart = (hart_idx_t)user_frame_arg(frame, 1);
    uint64_t from = user_frame_arg(frame, 2);
    uint64_t room = user_frame_arg(frame, 4);
    struct trace_record records[BATCH];
    struct trace_event events[BATCH];
    struct trace_part found = trace_copy(hart, from, records, room < BATCH ? room : BATCH);

    for (uint64_t i = 0; i < found.events; i++) {
        events[i] = (struct trace_event){.ticks = records[i].ticks,
                                         .thread = records[i].thread,
                                         .kind = (uint16_t)records[i].kind,
                                         .hart = (uint16_t)hart,
                                         .a = records[i].a,
                                         .b = records[i].b};
    }
    status_t status =
        user_write_object(sched_current()->process->space, (vaddr_t){user_frame_arg(frame, 3)},
                          events, found.events * sizeof(events[0]));

    if (status == OK) {
        *part = found;
    }
    return status;
}

enum verdict sys_trace_read(struct user_frame *frame)
{
    struct trace_part part = {.next = user_frame_arg(frame, 2)};
    status_t status = read_decode(frame);

    if (status == OK) {
        status = read_perform(frame, &part);
    }
    enum verdict verdict = syscall_done_with(frame, status, part.events);

    user_frame_set_arg(frame, 2, part.next);
    user_frame_set_arg(frame, 3, part.lost);
    return verdict;
}
