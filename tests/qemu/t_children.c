/* SPDX-License-Identifier: MIT */
/*
 * Waiting for any of the processes that one has made: each end counts once, however it comes about,
 * is seen by whoever sees the count, and wakes every thread that waits; a maker that ends before
 * what it made leaves nothing behind; nor does one that is killed as its deadlines come.
 */
#include <stdatomic.h>

#include "support.h"
#include "team.h"

#define CHILDREN 12U
#define CHAIN    24U
#define WAITERS  40U
#define KILLS    20U
#define LATE_NS  UINT64_C(1000000) /* the longest wait of a process that is killed */
#define WAITS_IN SYS_NR_CHILDREN_WAIT

static uint64_t count_now(void)
{
    uint64_t ended = 0;

    (void)sys_children_wait(UINT64_MAX, 0, &ended);
    return ended;
}

/* Waits until that many have ended. */
static uint64_t count_wait(uint64_t least)
{
    uint64_t ended = count_now();

    while (ended < least) {
        (void)sys_children_wait(ended, WAIT_FOREVER, &ended);
    }
    return ended;
}

static handle_t process_make(void)
{
    handle_t process = HANDLE_NONE;

    (void)sys_process_create((uintptr_t) "made", 4, 0, &process);
    return process;
}

static int exit_with(void *argument)
{
    return (int)(uintptr_t)argument;
}

static void counting_check(void)
{
    uint64_t before = count_now();
    uint64_t ended = 0;
    handle_t process = process_make();

    tap_status(sys_children_wait(before, 0, &ended), -SYS_ETIMEDOUT, "one is made and none ends");
    tap_is(ended, before, "the count is told all the same");
    tap_status(sys_children_wait(before, 1, NULL), -SYS_ETIMEDOUT, "a deadline may be past");
    tap_status(sys_process_kill(process), 0, "one is killed");
    tap_status(sys_children_wait(before, WAIT_FOREVER, &ended), 0, "that ends the wait");
    tap_is(ended, before + 1, "and counts");
    (void)sys_process_kill(process);
    (void)sys_handle_close(process);
    tap_is(count_now(), before + 1, "killing it again and forgetting it does not");
    (void)sys_handle_close(process_make());
    tap_is(count_wait(before + 2), before + 2, "one that goes with its last handle counts");
}

/* Each end is seen by process_wait once the count says so. */
static void ends_check(void)
{
    handle_t children[CHILDREN];
    uint64_t before = count_now();
    unsigned unseen = 0;

    for (uintptr_t i = 0; i < CHILDREN; i++) {
        (void)user_fork_run(exit_with, (void *)i, &children[i]);
    }
    for (uint64_t ended = before; ended < before + CHILDREN;) {
        unsigned seen = 0;

        (void)sys_children_wait(ended, WAIT_FOREVER, &ended);
        for (unsigned i = 0; i < CHILDREN; i++) {
            seen += sys_process_wait(children[i], 0, NULL, NULL, NULL, NULL) == 0 ? 1 : 0;
        }
        unseen += seen < ended - before ? 1 : 0;
    }
    tap_is(unseen, 0, "every end that was counted is seen");
    tap_is(count_now(), before + CHILDREN, "all are counted");
    for (unsigned i = 0; i < CHILDREN; i++) {
        (void)sys_handle_close(children[i]);
    }
}

static _Atomic(uint64_t) woken;

static void waiter_run(void *argument)
{
    (void)count_wait((uintptr_t)argument);
    atomic_fetch_add_explicit(&woken, 1, memory_order_acq_rel);
}

static void waiting_wait(unsigned count)
{
    while (threads_waiting_in(user_self(), WAITS_IN) != count) {
        (void)sys_yield();
    }
}

/* They wait for two ends, and so again after the first. */
static void many_waiters_check(void)
{
    struct user_thread threads[WAITERS];
    handle_t process = process_make();
    uint64_t before = count_now();

    for (unsigned i = 0; i < WAITERS; i++) {
        (void)user_thread_start(&threads[i], waiter_run, (void *)(uintptr_t)(before + 2));
    }
    waiting_wait(WAITERS);
    (void)sys_handle_close(process_make());
    (void)sys_quiesce(user_machine());
    waiting_wait(WAITERS);
    (void)sys_process_kill(process);
    for (unsigned i = 0; i < WAITERS; i++) {
        (void)user_thread_join(&threads[i]);
    }
    tap_is(atomic_load_explicit(&woken, memory_order_acquire), WAITERS,
           "one end wakes all threads that wait");
    (void)sys_handle_close(process);
}

/* Each makes the next one, and ends before it: the last one's maker is long gone. */
static int chain_run(void *argument)
{
    uintptr_t left = (uintptr_t)argument;
    handle_t process = HANDLE_NONE;

    if (left != 0) {
        (void)user_fork_run(chain_run, (void *)(left - 1), &process);
    }
    return 0;
}

static unsigned processes_count(void)
{
    struct process_info info = {0};
    unsigned count = 0;

    while (sys_process_info(user_machine(), info.number, (uintptr_t)&info) == 0) {
        count++;
    }
    return count;
}

static void chain_check(void)
{
    unsigned before = processes_count();

    check_child(chain_run, (void *)(uintptr_t)CHAIN, 0, "makers that end first");
    while (processes_count() != before) {
        (void)sys_yield();
    }
    tap_ok(1, "what they made ends too, and is gone");
}

static void count_down(unsigned member)
{
    for (unsigned i = 0; i < CHILDREN; i++) {
        handle_t process = process_make();

        (void)((i + member) % 2 == 0 && sys_process_kill(process));
        (void)sys_handle_close(process);
    }
}

/* ---- killed as deadlines come ---- */

static _Atomic(uint64_t) at_work; /* read through the child's handle */

/* Sleeps in children_wait, a moment each time.  Its hart has nothing else to do: so what comes of a
 * deadline may happen there while others already free the process. */
static void late_work(unsigned member)
{
    uint64_t state = member + 1;
    uint64_t seen = count_now();

    for (;;) {
        uint64_t now = 0;

        (void)sys_time_get(&now, NULL);
        (void)sys_children_wait(seen, now + random_next(&state) % LATE_NS, NULL);
        atomic_fetch_add_explicit(&at_work, 1, memory_order_relaxed);
    }
}

static int late_run(void *argument)
{
    (void)argument;
    (void)team_run(team_size(), late_work);
    return 1;
}

/* Kills a process whose threads wait and wake on all harts, and goes through what is left of it. */
static void late_kill(unsigned after)
{
    handle_t process = HANDLE_NONE;
    uint64_t done = 0;

    (void)user_fork_run(late_run, NULL, &process);
    while (done < after) {
        (void)sys_yield();
        (void)sys_vm_read(process, (uintptr_t)&at_work, (uintptr_t)&done, sizeof(done), NULL);
    }
    (void)sys_process_kill(process);
    (void)sys_handle_close(process);
    (void)sys_quiesce(user_machine());
}

static void late_check(void)
{
    unsigned before = processes_count();

    for (unsigned i = 0; i < KILLS; i++) {
        late_kill(1 + 7 * i);
    }
    tap_is(processes_count(), before, "processes killed as the deadlines of their threads come");
}

int main(void)
{
    counting_check();
    ends_check();
    many_waiters_check();
    chain_check();
    late_check();

    uint64_t before = count_now();
    unsigned members = team_size();

    (void)team_run(members, count_down);
    uint64_t all = before + (uint64_t)members * CHILDREN;
    tap_is(count_wait(all), all, "ends on all harts at once are all counted");
    return tap_done();
}
