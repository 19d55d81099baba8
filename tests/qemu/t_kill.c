/* SPDX-License-Identifier: MIT */
/*
 * Ending other processes: whatever it is doing, a process that is killed ends, with all its
 * threads; what has ended stays as it ended and refuses everything that would change it.
 */
#include "support.h"

static _Noreturn int spin(void *argument)
{
    (void)argument;
    for (;;) {
        __asm__ volatile("");
    }
}

static int wait_for_ever(void *argument)
{
    handle_t process = HANDLE_NONE;

    (void)argument;
    (void)sys_process_create((uintptr_t) "sleeper", 7, 0, &process);
    (void)sys_process_wait(process, WAIT_FOREVER, NULL, NULL, NULL, NULL);
    return 1;
}

static void spin_thread(void *argument)
{
    (void)spin(argument);
}

static int many_threads(void *argument)
{
    struct user_thread threads[4];

    (void)argument;
    for (int i = 0; i < 4; i++) {
        (void)user_thread_start(&threads[i], spin_thread, NULL);
    }
    (void)user_thread_join(&threads[0]);
    return 1;
}

static _Noreturn int work_without_end(void *argument)
{
    (void)argument;
    for (;;) {
        (void)page_map(PLACE, 600 * PAGE, RW);
        (void)page_unmap(PLACE, 600 * PAGE);
    }
}

static int kill_self(void *argument)
{
    (void)argument;
    (void)sys_process_kill(user_self());
    (void)tap_ok(0, "the call does not return"); /* never seen */
    return 1;
}

static void kill_check(int (*run)(void *argument), const char *what)
{
    handle_t process = HANDLE_NONE;
    struct user_end end = {0};

    tap_status(user_fork_run(run, NULL, &process), 0, "a child starts that %s", what);
    for (int i = 0; i < 20; i++) {
        (void)sys_yield();
    }
    tap_status(sys_process_kill(process), 0, "it is killed");
    tap_status(user_finish(process, &end), 0, "and waited for");
    tap_is(end.reason, EXIT_KILLED, "it was killed");
}

static int exit_with_seven(void *argument)
{
    (void)argument;
    return 7;
}

static void ended_check(void)
{
    handle_t process = HANDLE_NONE;
    handle_t handle = HANDLE_NONE;
    uint64_t reason = 0;
    uint64_t detail = 0;
    uint64_t word = 0;

    tap_status(user_fork_run(exit_with_seven, NULL, &process), 0, "a child ends by itself");
    for (int i = 0; i < 2; i++) {
        tap_status(sys_process_wait(process, WAIT_FOREVER, &reason, &detail, NULL, NULL), 0,
                   "it is waited for");
        tap_ok(reason == EXIT_STATUS && detail == 7, "its end is told");
        tap_status(sys_process_kill(process), 0, "killing it is no error");
    }
    tap_status(sys_thread_start(process, PLACE, PLACE, 0, 0, &handle), -SYS_ESRCH, "thread_start");
    tap_status(sys_vm_map(process, PLACE, PAGE, RW, 0, NULL), -SYS_ESRCH, "vm_map");
    tap_status(sys_vm_unmap(process, PLACE, PAGE, NULL), -SYS_ESRCH, "vm_unmap");
    tap_status(sys_vm_protect(process, PLACE, PAGE, RW, NULL), -SYS_ESRCH, "vm_protect");
    tap_status(sys_vm_query(process, PLACE, NULL, NULL, NULL, NULL, NULL, NULL), -SYS_ESRCH,
               "vm_query");
    tap_status(sys_vm_find_next(process, 0, PAGE, NULL), -SYS_ESRCH, "vm_find_next");
    tap_status(sys_vm_read(process, PLACE, (uintptr_t)&word, 8, NULL), -SYS_ESRCH, "vm_read");
    tap_status(sys_vm_write(process, PLACE, (uintptr_t)&word, 8, NULL), -SYS_ESRCH, "vm_write");
    tap_status(sys_vm_check(user_machine(), process), -SYS_ESRCH, "vm_check");
    tap_status(sys_handle_close(process), 0, "its handle is closed");
}

int main(void)
{
    struct user_end end = {0};

    kill_check(spin, "spins");
    kill_check(wait_for_ever, "waits");
    kill_check(many_threads, "has several threads");
    kill_check(work_without_end, "maps and unmaps");
    tap_status(user_fork_wait(kill_self, NULL, &end), 0, "a child kills itself");
    tap_is(end.reason, EXIT_KILLED, "it was killed");
    ended_check();
    return tap_done();
}
