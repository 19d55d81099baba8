/* SPDX-License-Identifier: MIT */
/*
 * Affinity: a pinned thread is where it was pinned, whatever else wants that hart; it moves at once
 * when it is pinned elsewhere, spinning, waiting or ready; new threads have their starter's
 * affinity; sets without a running hart are refused.
 */
#include <stdatomic.h>

#include "support.h"
#include "team.h"

#define LOOKS 200U
#define MOVES 40U

static void stay_work(unsigned member)
{
    for (unsigned look = 0; look < LOOKS; look++) {
        (void)team_is(hart_here(), hart_nth(member), "the hart of a pinned thread");
        if (look % 3 == 0) {
            (void)sys_yield();
        }
    }
}

static _Atomic(uint64_t) seen;      /* the last hart seen + 1, by the mover; acquired by main */
static _Atomic(uint64_t) looks;     /* how often it looked, likewise */
static _Atomic(uint64_t) may_leave; /* released by main */

static void move_run(void *argument)
{
    (void)argument;
    while (atomic_load_explicit(&may_leave, memory_order_acquire) == 0) {
        atomic_store_explicit(&seen, hart_here() + 1, memory_order_release);
        atomic_fetch_add_explicit(&looks, 1, memory_order_acq_rel);
    }
}

/* Main goes on while the thread runs, so the thread is pinned in all its states. */
static void move_check(void)
{
    struct user_thread thread;
    unsigned good = 0;

    tap_status(user_thread_start(&thread, move_run, NULL), 0, "a thread starts");
    for (unsigned move = 0; move < MOVES; move++) {
        unsigned hart = hart_nth(move);

        if (sys_thread_set_affinity(thread.handle, UINT64_C(1) << hart) != 0) {
            break;
        }
        /* The look that was under way may have asked before; the next one has not. */
        team_wait(&looks, atomic_load_explicit(&looks, memory_order_acquire) + 2);
        good += atomic_load_explicit(&seen, memory_order_acquire) == hart + 1 ? 1 : 0;
    }
    tap_is(good, MOVES, "each time it runs where it was pinned");
    atomic_store_explicit(&may_leave, 1, memory_order_release);
    tap_status(user_thread_join(&thread), 0, "it ends");
}

/* A thread's own child, where it is: child's hart + 1. */
static uint64_t child_hart[TEAM_MAX];

static void child_run(void *argument)
{
    unsigned member = (unsigned)(uintptr_t)argument;

    child_hart[member] = hart_here() + 1;
}

static void inherit_work(unsigned member)
{
    struct user_thread thread;

    (void)team_is((uint64_t)user_thread_start(&thread, child_run, (void *)(uintptr_t)member), 0,
                  "starting a thread");
    (void)team_is((uint64_t)user_thread_join(&thread), 0, "waiting for it");
    (void)team_is(child_hart[member], hart_nth(member) + 1, "the hart of a pinned thread's thread");
}

static _Atomic(uint64_t) wait_over; /* released by main, acquired by the waker */

static void waker_run(void *argument)
{
    (void)argument;
    team_wait(&wait_over, 1);
}

/* A thread is pinned to each hart in turn while it waits in the kernel for the waker. */
struct waiter {
    handle_t waker;
    uint64_t hart;
};

static void waiter_run(void *argument)
{
    struct waiter *waiter = argument;

    (void)sys_thread_wait(waiter->waker, WAIT_FOREVER);
    waiter->hart = hart_here() + 1;
}

static void waiting_check(unsigned hart)
{
    struct user_thread waker;
    struct user_thread thread;
    struct waiter waiter = {0};

    /* Relaxed: no thread exists yet. */
    atomic_store_explicit(&wait_over, 0, memory_order_relaxed);
    (void)user_thread_start(&waker, waker_run, NULL);
    waiter.waker = waker.handle;
    (void)user_thread_start(&thread, waiter_run, &waiter);
    for (unsigned i = 0; i < 20; i++) {
        (void)sys_yield();
    }
    tap_status(sys_thread_set_affinity(thread.handle, UINT64_C(1) << hart), 0,
               "a thread that waits is pinned to hart %u", hart);
    atomic_store_explicit(&wait_over, 1, memory_order_release);
    (void)user_thread_join(&waker);
    (void)user_thread_join(&thread);
    tap_is(waiter.hart, hart + 1, "it wakes there");
}

static void refusals_check(void)
{
    struct user_thread thread;
    handle_t weak = HANDLE_NONE;
    uint64_t all = 0;

    (void)sys_hart_get(NULL, &all);
    /* Relaxed: no thread exists yet. */
    atomic_store_explicit(&wait_over, 0, memory_order_relaxed);
    (void)user_thread_start(&thread, waker_run, NULL);
    tap_status(sys_thread_set_affinity(thread.handle, 0), -SYS_EINVAL, "no hart");
    tap_status(sys_thread_set_affinity(thread.handle, ~all), -SYS_EINVAL, "no running hart");
    tap_status(sys_thread_set_affinity(thread.handle, ~UINT64_C(0)), 0, "all, and more");
    tap_status(sys_handle_duplicate(thread.handle, RIGHT_READ, &weak), 0, "a handle to read only");
    tap_status(sys_thread_set_affinity(weak, all), -SYS_EACCES, "a handle that may not");
    tap_status(sys_thread_set_affinity(user_self(), all), -SYS_EBADF, "a process");
    tap_status(sys_thread_set_affinity(HANDLE_NONE, all), -SYS_EBADF, "nothing");
    atomic_store_explicit(&wait_over, 1, memory_order_release);
    (void)sys_thread_wait(thread.handle, WAIT_FOREVER);
    tap_status(sys_thread_set_affinity(thread.handle, all), -SYS_ESRCH, "a thread that has ended");
    (void)sys_handle_close(weak);
    (void)user_thread_join(&thread);
}

int main(void)
{
    unsigned members = team_size();
    struct machine_info machine = {0};

    (void)sys_machine_info(user_machine(), (uintptr_t)&machine);
    tap_is(harts_count(), machine.harts, "all %u harts run", (unsigned)machine.harts);
    tap_status(team_run(members, stay_work), 0, "a team of %u", members);
    team_report("each stays on its hart");
    tap_status(team_run(members, inherit_work), 0, "a team of %u starts threads", members);
    team_report("they run where their starters may");
    move_check();
    for (unsigned n = 0; n < harts_count() && n < 4; n++) {
        waiting_check(hart_nth(n));
    }
    refusals_check();
    return tap_done();
}
