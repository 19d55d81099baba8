/* SPDX-License-Identifier: MIT */
/*
 * Processes that end while their threads run on all harts, whoever ends them: killed from outside,
 * by one thread's exit, by one thread's fault; whatever the threads do: spin without ever entering
 * the kernel, map and unmap, start threads, wait.  All threads stop, and what they had comes back.
 */
#include <stdatomic.h>

#include "support.h"
#include "team.h"

#define FAULT_AT UINT64_C(0x10)

/* In a child: raised by each member when it is at work; read through the child's handle. */
static _Atomic(uint64_t) at_work;

static team_work *child_work;

static int child_run(void *argument)
{
    (void)argument;
    (void)team_run(team_size(), child_work);
    return 1;
}

static void work_begins(void)
{
    atomic_fetch_add_explicit(&at_work, 1, memory_order_acq_rel);
}

static void spin_work(unsigned member)
{
    (void)member;
    work_begins();
    for (;;) {
        __asm__ volatile("");
    }
}

static void map_work(unsigned member)
{
    uint64_t place = PLACE + member * 40 * PAGE;

    work_begins();
    for (;;) {
        (void)page_map(place, 60 * PAGE, RW);
        (void)sys_vm_protect(user_self(), place, 30 * PAGE, VM_PROT_R, NULL);
        (void)page_unmap(place, 50 * PAGE);
    }
}

static void nothing(void *argument)
{
    (void)argument;
}

static void start_work(unsigned member)
{
    struct user_thread thread;

    (void)member;
    work_begins();
    for (;;) {
        if (user_thread_start(&thread, nothing, NULL) == 0) {
            (void)user_thread_join(&thread);
        }
    }
}

/* Waits for a process that never ends, without a thread. */
static void wait_work(unsigned member)
{
    handle_t process = HANDLE_NONE;

    (void)member;
    (void)sys_process_create((uintptr_t) "sleeper", 7, 0, &process);
    work_begins();
    (void)sys_process_wait(process, WAIT_FOREVER, NULL, NULL, NULL, NULL);
}

/* Makes processes that end, are killed, or go with the last handle. */
static void process_work(unsigned member)
{
    handle_t process = HANDLE_NONE;

    work_begins();
    for (uint64_t n = member;; n++) {
        if (sys_process_create((uintptr_t) "short", 5, 0, &process) == 0) {
            (void)sys_vm_map(process, PLACE, PAGE, RW, 0, NULL);
            (void)(n % 2 == 0 && sys_process_kill(process));
            (void)sys_handle_close(process);
        }
    }
}

static void exit_work(unsigned member)
{
    work_begins();
    if (member == 0) {
        team_wait(&at_work, team_members());
        (void)sys_process_exit(44);
    }
    for (;;) {
        __asm__ volatile("");
    }
}

static void fault_work(unsigned member)
{
    work_begins();
    if (member == team_members() - 1) {
        team_wait(&at_work, team_members());
        touch(ACCESS_WRITE, FAULT_AT);
    }
    for (;;) {
        __asm__ volatile("");
    }
}

static void child_start(team_work *work, const char *what, handle_t *process)
{
    child_work = work;
    tap_status(user_fork_run(child_run, NULL, process), 0, "a child starts whose threads %s", what);
}

static void kill_check(team_work *work, const char *what)
{
    handle_t process = HANDLE_NONE;
    struct user_end end = {0};
    uint64_t begun = 0;

    child_start(work, what, &process);
    while (begun < team_size()) {
        (void)sys_yield();
        (void)sys_vm_read(process, (uintptr_t)&at_work, (uintptr_t)&begun, sizeof(begun), NULL);
    }
    tap_status(sys_process_kill(process), 0, "it is killed");
    tap_status(user_finish(process, &end), 0, "and waited for");
    tap_is(end.reason, EXIT_KILLED, "it was killed");
}

int main(void)
{
    handle_t process = HANDLE_NONE;
    struct user_end end = {0};

    kill_check(spin_work, "spin");
    kill_check(map_work, "map and unmap");
    kill_check(start_work, "start threads");
    kill_check(process_work, "make processes");
    kill_check(wait_work, "wait");

    child_start(exit_work, "spin until one exits", &process);
    tap_status(user_finish(process, &end), 0, "it ends");
    tap_ok(end.reason == EXIT_STATUS && end.detail == 44, "with the status of the one that exits");

    child_start(fault_work, "spin until one faults", &process);
    tap_status(user_finish(process, &end), 0, "it ends");
    check_fault(&end, ACCESS_WRITE, FAULT_AT, "one thread of many");
    return tap_done();
}
