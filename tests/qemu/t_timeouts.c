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
#define RUNS_MAX 10U

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

/* Each has a deadline of its own, the later the higher its rank. */
static struct {
    uint64_t base;             /* the first deadline                        */
    uint64_t gap;              /* between two                               */
    _Atomic(uint64_t) pinned;  /* 1: all are on their hart, and base is set */
    uint32_t number[SLEEPERS]; /* by rank                                   */
    struct user_thread threads[SLEEPERS];
} sleepers;

/* They start in another order than that of their deadlines. */
static unsigned rank_of(unsigned sleeper)
{
    return (sleeper * 7 + 3) % SLEEPERS;
}

static void sleeper_run(void *argument)
{
    unsigned sleeper = (unsigned)(uintptr_t)argument;

    team_wait(&sleepers.pinned, 1);
    (void)sleep_until(sleepers.base + rank_of(sleeper) * sleepers.gap);
}

static void sleepers_start(void)
{
    uint64_t mask = UINT64_C(1) << hart_nth(1);
    uint64_t number = 0;

    for (unsigned i = 0; i < SLEEPERS; i++) {
        (void)user_thread_start(&sleepers.threads[i], sleeper_run, (void *)(uintptr_t)i);
        (void)sys_thread_set_affinity(sleepers.threads[i].handle, mask);
        (void)sys_handle_info(sleepers.threads[i].handle, NULL, NULL, &number);
        sleepers.number[rank_of(i)] = (uint32_t)number;
    }
}

/* Nonzero: the sleeper of that rank has not been woken yet. */
static int is_asleep(unsigned rank)
{
    struct thread_info info = {0};
    uint32_t number = sleepers.number[rank];

    return sys_thread_info(user_self(), number - 1, (uintptr_t)&info) == 0 &&
           info.number == number && info.state == THREAD_IS_WAITING;
}

/* What one look at all of them saw. */
struct look {
    unsigned asleep;
    int is_wrong; /* one was awake, and then one with an earlier deadline still asleep */
};

/* From the latest deadline to the earliest: who wakes meanwhile does not matter. */
static struct look look(void)
{
    struct look seen = {0};

    for (unsigned rank = SLEEPERS; rank-- > 0;) {
        if (is_asleep(rank)) {
            seen.is_wrong |= seen.asleep != SLEEPERS - 1 - rank;
            seen.asleep++;
        }
    }
    return seen;
}

/* Lets all sleep and wake once.  Returns how often some were awake and others not, or -1: they woke
 * in another order than that of their deadlines. */
static int sleepers_run(uint64_t gap)
{
    int mixed = 0;
    int is_wrong = 0;

    sleepers.gap = gap;
    atomic_store_explicit(&sleepers.pinned, 0, memory_order_relaxed);
    sleepers_start();
    sleepers.base = now_ns() + 10 * gap;
    atomic_store_explicit(&sleepers.pinned, 1, memory_order_release);
    while (look().asleep != SLEEPERS && now_ns() < sleepers.base) {
        (void)sys_yield();
    }
    int in_time = now_ns() < sleepers.base;

    for (unsigned asleep = SLEEPERS; in_time && asleep != 0;) {
        struct look seen = look();

        is_wrong |= seen.is_wrong;
        /* The same twice in a row: so it was in between, at one moment for all. */
        mixed += seen.asleep == asleep && asleep != 0 && asleep != SLEEPERS ? 1 : 0;
        asleep = seen.asleep;
    }
    for (unsigned i = 0; i < SLEEPERS; i++) {
        (void)user_thread_join(&sleepers.threads[i]);
    }
    return is_wrong ? -1 : mixed;
}

/* A run that was too fast to be watched says nothing; the next one is slower. */
static void order_check(void)
{
    int mixed = 0;

    for (unsigned run = 0; run < RUNS_MAX && mixed == 0; run++) {
        mixed = sleepers_run(MS << run);
    }
    tap_ok(mixed > 0, "sleepers of one hart wake in the order of their deadlines");
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
