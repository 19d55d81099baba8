/* SPDX-License-Identifier: MIT */
/*
 * Deadlines: a call with one returns when what it waits for has happened, or not before the
 * deadline; of several on one hart the earliest comes first; a thread that is killed, or woken in
 * time, leaves nothing behind.  How long anything takes is never asked.
 */
#include <stdatomic.h>

#include "support.h"
#include "team.h"

#define MS       UINT64_C(1000000)
#define SLEEPERS 24U
#define ROUNDS   40U
#define RUNS_MAX 25U

static uint64_t now_ns(void)
{
    uint64_t nanoseconds = 0;

    (void)sys_time_get(&nanoseconds, NULL);
    return nanoseconds;
}

/* ---- looking, and waiting in vain ---- */

static _Noreturn int spin(void *argument)
{
    (void)argument;
    for (;;) {
        __asm__ volatile("");
    }
}

static long process_look(handle_t process, uint64_t deadline)
{
    return sys_process_wait(process, deadline, NULL, NULL, NULL, NULL);
}

static void processes_check(void)
{
    handle_t process = HANDLE_NONE;
    uint64_t deadline;

    tap_status(user_fork_run(spin, NULL, &process), 0, "a child starts that never ends");
    tap_status(process_look(process, 0), -SYS_ETIMEDOUT, "a look says that it has not ended");
    tap_status(process_look(process, 1), -SYS_ETIMEDOUT, "so does a deadline long past");
    deadline = now_ns() + 3 * MS;
    tap_status(process_look(process, deadline), -SYS_ETIMEDOUT, "and one to come, in the end");
    tap_ok(now_ns() >= deadline, "not before that");
    (void)sys_process_kill(process);
    tap_status(process_look(process, UINT64_MAX - 1), 0, "a far deadline waits for the end");
    tap_status(process_look(process, 0), 0, "then a look finds it ended");
    tap_status(process_look(process, 1), 0, "whatever the deadline");
    (void)sys_handle_close(process);
    tap_status(process_look(user_self(), 0), -SYS_EDEADLK, "nobody looks for its own end");
}

static _Atomic(uint64_t) may_end;

static void wait_for_leave(void *argument)
{
    (void)argument;
    team_wait(&may_end, 1);
}

static void threads_check(void)
{
    struct user_thread thread;
    uint64_t deadline;

    tap_status(user_thread_start(&thread, wait_for_leave, NULL), 0, "a thread starts");
    tap_status(sys_thread_wait(thread.handle, 0), -SYS_ETIMEDOUT, "a look says that it runs");
    deadline = now_ns() + 3 * MS;
    tap_status(sys_thread_wait(thread.handle, deadline), -SYS_ETIMEDOUT, "so does a wait");
    tap_ok(now_ns() >= deadline, "not before its deadline");
    atomic_store_explicit(&may_end, 1, memory_order_release);
    tap_status(sys_thread_wait(thread.handle, now_ns() + 3600 * 1000 * MS), 0, "it ends in time");
    tap_status(sys_thread_wait(thread.handle, 0), 0, "and a look finds it ended");
    (void)user_thread_join(&thread);
}

/* ---- many deadlines ---- */

static uint32_t word; /* nobody ever wakes */

static long sleep_until(uint64_t deadline)
{
    return sys_futex_wait((uintptr_t)&word, 0, deadline, 0);
}

static void sleeps_work(unsigned member)
{
    uint64_t state = member + 1;

    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t deadline = now_ns() + random_next(&state) % (2 * MS);

        (void)team_is((uint64_t)sleep_until(deadline), (uint64_t)-SYS_ETIMEDOUT, "a sleep's end");
        if (now_ns() < deadline) {
            team_wrong(deadline, "a sleep ended before");
        }
    }
}

/* ---- order ---- */

static struct {
    uint64_t base;            /* no deadline is before this               */
    unsigned order[SLEEPERS]; /* sleepers, as they woke                   */
    _Atomic(uint64_t) woken;  /* how many; releases what is in order[]    */
    _Atomic(uint64_t) pinned; /* 1: all are on their hart                 */
    struct user_thread threads[SLEEPERS];
} sleepers;

/* Their deadlines rise in another order than they start in. */
static unsigned rank_of(unsigned sleeper)
{
    return (sleeper * 7 + 3) % SLEEPERS;
}

static void sleeper_run(void *argument)
{
    unsigned sleeper = (unsigned)(uintptr_t)argument;

    team_wait(&sleepers.pinned, 1);
    (void)sleep_until(sleepers.base + rank_of(sleeper) * 1000);
    uint64_t place = atomic_fetch_add_explicit(&sleepers.woken, 1, memory_order_acq_rel);

    sleepers.order[place] = sleeper;
}

/* Nonzero: all sleepers wait in the kernel. */
static int all_wait(void)
{
    struct thread_info info = {0};
    unsigned waiting = 0;

    while (sys_thread_info(user_self(), info.number, (uintptr_t)&info) == 0) {
        waiting += info.state == THREAD_IS_WAITING ? 1 : 0;
    }
    return waiting == SLEEPERS;
}

static void sleepers_start(void)
{
    unsigned hart = hart_nth(1);

    for (unsigned i = 0; i < SLEEPERS; i++) {
        (void)user_thread_start(&sleepers.threads[i], sleeper_run, (void *)(uintptr_t)i);
        (void)sys_thread_set_affinity(sleepers.threads[i].handle, UINT64_C(1) << hart);
    }
}

/* Lets all sleep and wake once.  Nonzero: they woke in the order of their deadlines. */
static int sleepers_run(uint64_t head_start)
{
    unsigned in_place = 0;

    sleepers.base = now_ns() + head_start;
    atomic_store_explicit(&sleepers.woken, 0, memory_order_relaxed);
    atomic_store_explicit(&sleepers.pinned, 0, memory_order_relaxed);
    sleepers_start();
    atomic_store_explicit(&sleepers.pinned, 1, memory_order_release);
    while (!all_wait() && atomic_load_explicit(&sleepers.woken, memory_order_acquire) == 0) {
        (void)sys_yield();
    }
    int in_time = now_ns() < sleepers.base;

    for (unsigned i = 0; i < SLEEPERS; i++) {
        (void)user_thread_join(&sleepers.threads[i]);
        in_place += rank_of(sleepers.order[i]) == i ? 1 : 0;
    }
    return in_time && in_place == SLEEPERS;
}

/* A run says nothing if not all slept before the first deadline, or if one was interrupted between
 * its waking and its note.  That does not happen always; and the right order does not come about by
 * chance. */
static void order_check(void)
{
    uint64_t head_start = 20 * MS;
    int in_order = 0;

    for (unsigned run = 0; run < RUNS_MAX && !in_order; run++) {
        in_order = sleepers_run(head_start);
        head_start += head_start / 4;
    }
    tap_ok(in_order, "sleepers of one hart wake in the order of their deadlines");
}

/* ---- ends ---- */

static void sleep_long(void *argument)
{
    (void)sleep_until(now_ns() + (uintptr_t)argument * MS);
}

static int many_asleep(void *argument)
{
    struct user_thread threads[40];

    for (uintptr_t i = 0; i < COUNT_OF(threads); i++) {
        (void)user_thread_start(&threads[i], sleep_long, (void *)(i % 4 == 0 ? 1 : 100000 + i));
    }
    (void)user_thread_join(&threads[0]);
    return (int)(uintptr_t)argument;
}

int main(void)
{
    processes_check();
    threads_check();
    (void)team_run(team_size(), sleeps_work);
    team_report("threads on all harts sleep %u times each, never too short", ROUNDS);
    order_check();
    for (int i = 0; i < 8; i++) {
        check_child(many_asleep, (void *)5, 5, "a process ends while its threads sleep");
    }
    return tap_done();
}
