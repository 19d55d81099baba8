/* SPDX-License-Identifier: MIT */
/*
 * The tables of system calls, which the trap entry calls through, and what follows a call that is
 * not simply over.
 */
#include "kernel/syscall.h"

#include "arch/upcall.h"
#include "kernel/handle.h"
#include "kernel/sched.h"
#include "kernel/thread.h"
#include "lib/assert.h"
#include "lib/counter.h"
#include "lib/spinlock.h"
#include "lib/trace.h"
#include "lib/types.h"

#define CALL_WAITS UINT64_C(2) /* results of TRACE_CALL_END, see lib/trace.def */
#define CALL_AGAIN UINT64_C(1)
#define CALL_EXITS UINT64_C(3)

/* Numbers have no holes, so the place of the last entry is how many there are. */
enum {
#define SYSCALL(number, name, ...) CALL_##name,
#include "uapi/syscalls.def"
#undef SYSCALL
    CALL_COUNT
};

/* For all numbers that are no call: the row behind the last one. */
static enum verdict call_unknown(struct user_frame *frame)
{
    return syscall_done(frame, ERR_NOSYS);
}

static kernel_call *const plain[] = {
#define SYSCALL(number, name, ...) [number] = sys_##name,
#include "uapi/syscalls.def"
#undef SYSCALL
    [CALL_COUNT] = call_unknown,
};

const uint64_t kernel_call_count = CALL_COUNT;

/* Makes the call that the registers ask for. */
static enum verdict call_plain(struct user_frame *frame)
{
    uint64_t number = user_frame_syscall(frame);
    enum verdict verdict = (enum verdict)plain[number < CALL_COUNT ? number : CALL_COUNT](frame);

    DASSERT(spinlock_held_count() == 0);
    return verdict;
}

status_t syscall_check_handle(struct user_frame *frame, enum handle_type type, uint32_t rights)
{
    return handle_check(sched_current()->process, user_frame_arg(frame, 0), type, rights);
}

static uint64_t call_result(const struct user_frame *frame, enum verdict verdict)
{
    if (verdict == VERDICT_RESTART) {
        return CALL_AGAIN;
    }
    if (verdict == VERDICT_BLOCK) {
        return CALL_WAITS;
    }
    if (verdict == VERDICT_EXIT) {
        return CALL_EXITS;
    }
    return verdict_is_status(verdict) ? verdict_status(verdict) : user_frame_arg(frame, 0);
}

static enum verdict call_traced(struct user_frame *frame)
{
    uint64_t number = user_frame_syscall(frame);

    trace_note(TRACE_CALL, number, user_frame_arg(frame, 0));
    enum verdict verdict = call_plain(frame);

    trace_note(TRACE_CALL_END, number, call_result(frame, verdict));
    return verdict;
}

/* All rows while the trace is on. */
static kernel_call *const traced[] = {
#define SYSCALL(number, name, ...) [number] = call_traced,
#include "uapi/syscalls.def"
#undef SYSCALL
    [CALL_COUNT] = call_traced,
};

#ifdef VELLUM_DEBUG
/* All rows else: with what call_plain asserts. */
static kernel_call *const untraced[] = {
#    define SYSCALL(number, name, ...) [number] = call_plain,
#    include "uapi/syscalls.def"
#    undef SYSCALL
    [CALL_COUNT] = call_plain,
};
#else
#    define untraced plain
#endif

/* The table in force.  It is loaded where its address would be computed else, so that the trace
 * costs a call nothing while it is off. */
kernel_call *const *_Atomic kernel_calls = untraced;

void syscall_follow_trace(void)
{
    bool is_on;

    do {
        is_on = trace_is_on();
        /* Relaxed: tables are constant. */
        atomic_store_explicit(&kernel_calls, is_on ? traced : untraced, memory_order_relaxed);
        /* Whoever stores last sees the last change of the trace; pairs with itself. */
        atomic_thread_fence(memory_order_seq_cst);
    } while (is_on != trace_is_on());
}

struct user_frame *kernel_on_verdict(struct user_frame *frame, int result)
{
    enum verdict verdict = (enum verdict)result;

    if (verdict_is_status(verdict)) {
        user_frame_finish_call(frame);
        user_frame_set_arg(frame, 0, verdict_status(verdict));
        verdict = VERDICT_DONE;
    } else if (verdict == VERDICT_RESTART) {
        counter_add(COUNTER_syscall_restarts, 1);
        if (!sched_must_look()) {
            return frame;
        }
    }
    return sched_leave(thread_of_frame(frame), verdict);
}

enum verdict sys_null(struct user_frame *frame)
{
    return syscall_done(frame, OK);
}

enum verdict sys_yield(struct user_frame *frame)
{
    (void)syscall_done_results(frame, OK);
    return VERDICT_YIELD;
}
