/* SPDX-License-Identifier: MIT */
/*
 * What the kernel shows of processes and threads agrees with what was made: numbers rise and lead
 * to each process once, threads are where they wait. Of spaces: t_inspect_space.c.
 */
#include <string.h>

#include "support.h"
#include "team.h"

#define PROCESSES 20U
#define THREADS   10U

/* ---- processes ---- */

static uint32_t number_of(handle_t handle)
{
    uint64_t number = 0;

    (void)sys_handle_info(handle, NULL, NULL, &number);
    return (uint32_t)number;
}

static long process_show(uint64_t after, struct process_info *info)
{
    return sys_process_info(user_machine(), after, (uintptr_t)info);
}

/* What is said of the process of that number; nonzero: there is one. */
static int process_find(uint32_t number, struct process_info *info)
{
    return process_show(number - 1, info) == 0 && info->number == number;
}

static void processes_check(void)
{
    handle_t made[PROCESSES];
    struct process_info info = {0};
    unsigned found = 0, wrong = 0;
    uint32_t last = 0;

    for (unsigned i = 0; i < PROCESSES; i++) {
        (void)sys_process_create((uintptr_t) "shown", 5, 0, &made[i]);
    }
    (void)sys_process_kill(made[3]);
    while (process_show(last, &info) == 0) {
        wrong += info.number <= last ? 1 : 0;
        last = info.number;
        for (unsigned i = 0; i < PROCESSES; i++) {
            found += number_of(made[i]) == last && strcmp(info.name, "shown") == 0 &&
                             info.parent == number_of(user_self()) && info.ended == (i == 3)
                         ? 1
                         : 0;
        }
    }
    tap_is(wrong, 0, "the numbers of processes rise");
    tap_is(found, PROCESSES, "each process is shown once, as it was made");
    tap_ok(process_find(number_of(user_self()), &info) && info.threads == 1 && info.harts != 0 &&
               info.handles >= PROCESSES && info.ended == 0,
           "this process runs, with a thread and all these handles");
    tap_ok(process_find(1, &info) && info.parent == 0, "the kernel made the first one");
    tap_status(process_show(UINT32_MAX, &info), -SYS_ENOENT, "no number is above all");
    tap_status(process_show(UINT64_MAX, &info), -SYS_ENOENT, "nor beyond");

    uint32_t number = number_of(made[3]);

    for (unsigned i = 0; i < PROCESSES; i++) {
        (void)sys_handle_close(made[i]);
    }
    (void)sys_quiesce(user_machine());
    tap_ok(!process_find(number, &info), "what nobody has a handle to is not shown");
}

static void opening_check(void)
{
    handle_t made = HANDLE_NONE;
    handle_t other = HANDLE_NONE;
    uint64_t type = 0, rights = 0, number = 0;

    (void)sys_process_create((uintptr_t) "opened", 6, 0, &made);
    tap_status(sys_process_open(user_machine(), number_of(made), &other), 0, "opened by number");
    (void)sys_handle_info(other, &type, &rights, &number);
    tap_ok(type == HANDLE_PROCESS && rights == RIGHT_ALL && number == number_of(made),
           "that is a handle to it with all rights");
    (void)sys_handle_close(made);
    tap_status(sys_process_wait(other, 0, NULL, NULL, NULL, NULL), -SYS_ETIMEDOUT,
               "it lives by the new one");
    (void)sys_process_kill(other);
    tap_status(sys_process_open(user_machine(), (uint64_t)number, &made), -SYS_ESRCH,
               "one that has ended is not opened");
    (void)sys_handle_close(other);
    tap_status(sys_process_open(user_machine(), 0, &made), -SYS_ESRCH, "there is no number 0");
    tap_status(sys_process_open(user_machine(), UINT64_C(1) << 32 | 1, &made), -SYS_ESRCH,
               "nor one of more than 32 bits");
}

/* ---- threads ---- */

static uint32_t word;

static void wait_on_word(void *argument)
{
    (void)argument;
    (void)sys_futex_wait((uintptr_t)&word, 0, WAIT_FOREVER, 0);
}

/* Counts the threads that wait in a call; all numbers must rise. */
static unsigned threads_waiting(uint32_t call, unsigned *all)
{
    struct thread_info info = {0};
    unsigned waiting = 0;

    *all = 0;
    for (uint32_t last = 0; sys_thread_info(user_self(), last, (uintptr_t)&info) == 0;
         last = info.number) {
        if (info.number <= last) {
            return 0;
        }
        *all += 1;
        waiting += info.state == THREAD_IS_WAITING && info.call == call ? 1 : 0;
    }
    return waiting;
}

static void threads_check(void)
{
    struct user_thread threads[THREADS];
    struct thread_info info = {0};
    unsigned all = 0;
    uint64_t mask = UINT64_C(1) << hart_nth(1);

    for (unsigned i = 0; i < THREADS; i++) {
        (void)user_thread_start(&threads[i], wait_on_word, NULL);
    }
    while (threads_waiting(35, &all) != THREADS) {
        (void)sys_yield();
    }
    tap_is(all, THREADS + 1, "all threads are shown, and where they wait");
    (void)sys_thread_set_affinity(threads[4].handle, mask);
    uint32_t number = number_of(threads[4].handle);

    tap_ok(sys_thread_info(user_self(), number - 1, (uintptr_t)&info) == 0 &&
               info.number == number && info.affinity == mask,
           "one is shown with the harts it may run on");
    (void)sys_futex_wake((uintptr_t)&word, THREADS, 0, NULL);
    for (unsigned i = 0; i < THREADS; i++) {
        (void)user_thread_join(&threads[i]);
    }
    (void)threads_waiting(35, &all);
    tap_is(all, 1, "they are shown no more when they have ended");
    tap_ok(sys_thread_info(user_self(), 0, (uintptr_t)&info) == 0 &&
               info.state == THREAD_IS_RUNNING && info.hart == hart_here(),
           "the one that asks runs, and where");
    tap_status(sys_thread_info(user_self(), UINT64_MAX, (uintptr_t)&info), -SYS_ENOENT,
               "no number is above all");
}

int main(void)
{
    processes_check();
    opening_check();
    threads_check();
    return tap_done();
}
