/* SPDX-License-Identifier: MIT */
/* Dispatch of system calls: one bounds check, one table call. */
#include "kernel/syscall.h"

#include "kernel/sched.h"
#include "lib/counter.h"

static enum verdict (*const handlers[])(struct user_frame *frame) = {
#define SYSCALL(number, name, ...) [number] = sys_##name,
#include "uapi/syscalls.def"
#undef SYSCALL
};

enum verdict syscall_dispatch(struct user_frame *frame)
{
    uint64_t number = user_frame_syscall(frame);

    counter_add(COUNTER_syscalls, 1);
    if (number >= sizeof(handlers) / sizeof(handlers[0])) {
        return syscall_done(frame, ERR_NOSYS);
    }
    enum verdict verdict = handlers[number](frame);

    if (verdict == VERDICT_RESTART) {
        counter_add(COUNTER_syscall_restarts, 1);
    }
    return verdict;
}

enum verdict sys_null(struct user_frame *frame)
{
    return syscall_done(frame, OK);
}

enum verdict sys_yield(struct user_frame *frame)
{
    (void)syscall_done(frame, OK);
    return VERDICT_YIELD;
}
