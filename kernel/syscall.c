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
#include "lib/trace.h"
#include "lib/types.h"

#define CALL_WAITS                 UINT64_C(2) /* results of TRACE_CALL_END, see lib/trace.def */
#define CALL_AGAIN                 UINT64_C(1)
#define CALL_EXITS                 UINT64_C(3)

#define SYSCALL(number, name, ...) +1
enum {
    CALL_COUNT = 0
#include "uapi/syscalls.def"
};
#undef SYSCALL

struct call_table {
    enum verdict (*of[CALL_COUNT])(struct user_frame *frame);
};

static const struct call_table plain = {{
#define SYSCALL(number, name, ...) [number] = sys_##name,
#include "uapi/syscalls.def"
#undef SYSCALL
}};

static uint64_t call_result(const struct user_frame *frame, enum verdict verdict)
{
    switch (verdict) {
    case VERDICT_RESTART:
        return CALL_AGAIN;
    case VERDICT_BLOCK:
        return CALL_WAITS;
    case VERDICT_EXIT:
        return CALL_EXITS;
    case VERDICT_DONE:
    case VERDICT_YIELD:
        break;
    }
    return user_frame_arg(frame, 0);
}

/* Every call while the trace is on. */
static enum verdict call_traced(struct user_frame *frame)
{
    uint64_t number = user_frame_syscall(frame);

    trace_note(TRACE_CALL, number, user_frame_arg(frame, 0));
    enum verdict verdict = plain.of[number](frame);

    trace_note(TRACE_CALL_END, number, call_result(frame, verdict));
    return verdict;
}

static const struct call_table traced = {{
#define SYSCALL(number, name, ...) [number] = call_traced,
#include "uapi/syscalls.def"
#undef SYSCALL
}};

/* The table in force.  It is loaded where its address would be computed else, so that the trace
 * costs a call nothing while it is off. */
static _Atomic(const struct call_table *) calls = &plain;

void syscall_follow_trace(void)
{
    bool is_on;

    do {
        is_on = trace_is_on();
        /* Relaxed: tables are constant. */
        atomic_store_explicit(&calls, is_on ? &traced : &plain, memory_order_relaxed);
        /* Whoever stores last sees the last change of the trace; pairs with itself. */
        atomic_thread_fence(memory_order_seq_cst);
    } while (is_on != trace_is_on());
}

static enum verdict call_unknown(struct user_frame *frame)
{
    uint64_t number = user_frame_syscall(frame);

    trace_note(TRACE_CALL, number, user_frame_arg(frame, 0));
    enum verdict verdict = syscall_done(frame, ERR_NOSYS);

    trace_note(TRACE_CALL_END, number, call_result(frame, verdict));
    return verdict;
}

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
    if (number < CALL_COUNT) {
        /* Relaxed: tables are constant. */
        verdict = atomic_load_explicit(&calls, memory_order_relaxed)->of[number](frame);
    } else {
        verdict = call_unknown(frame);
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
