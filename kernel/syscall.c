/* SPDX-License-Identifier: MIT */
/*
 * Dispatch of system calls: one bounds check, one table call, and straight back unless the call or
 * somebody else wants more.  Calls are counted in the thread, whose registers are at hand; the
 * scheduler adds them to the hart's counter.
 */
#include "kernel/syscall.h"

#include "arch/upcall.h"
#include "kernel/sched.h"
#include "lib/assert.h"
#include "lib/counter.h"
#include "lib/spinlock.h"
#include "lib/types.h"

static enum verdict (*const handlers[])(struct user_frame *frame) = {
#define SYSCALL(number, name, ...) [number] = sys_##name,
#include "uapi/syscalls.def"
#undef SYSCALL
};

/* Out of line, so that the short way saves no registers for it. */
__attribute__((noinline)) static struct user_frame *leave_slowly(struct user_frame *frame,
                                                                 enum verdict verdict)
{
    struct thread *self = thread_of_frame(frame);

    if (verdict == VERDICT_RESTART) {
        counter_add(COUNTER_syscall_restarts, 1);
        if (!self->must_look) {
            return frame;
        }
    }
    return sched_leave(self, verdict);
}

struct user_frame *kernel_on_syscall(struct user_frame *frame)
{
    struct thread *self = thread_of_frame(frame);
    uint64_t number = user_frame_syscall(frame);
    enum verdict verdict;

    self->calls++;
    if (number < ARRAY_LEN(handlers)) {
        verdict = handlers[number](frame);
    } else {
        verdict = syscall_done(frame, ERR_NOSYS);
    }
    DASSERT(spinlock_held_count() == 0);
    if (verdict == VERDICT_DONE && !self->must_look) {
        return frame;
    }
    return leave_slowly(frame, verdict);
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
