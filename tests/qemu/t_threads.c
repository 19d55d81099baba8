/* SPDX-License-Identifier: MIT */
/*
 * Threads of one process: they share memory, have stacks, thread-local data and starting registers
 * of their own, can be waited for, and the process ends with its last one.
 */
#include <errno.h>
#include <stdatomic.h>

#include "support.h"

#define THREADS 6
#define ROUNDS  500

static _Atomic(uint64_t) shared;
static uint64_t local_wrong[THREADS];

static void count_up(void *argument)
{
    uint64_t number = (uintptr_t)argument;

    for (int round = 0; round < ROUNDS; round++) {
        errno = (int)number + round;
        /* Relaxed: only the sum matters, and joining orders it. */
        atomic_fetch_add_explicit(&shared, 1, memory_order_relaxed);
        (void)sys_yield();
        local_wrong[number] += errno != (int)number + round ? 1 : 0;
    }
}

static void sharing_check(void)
{
    struct user_thread threads[THREADS];
    uint64_t wrong = 0;

    errno = -5;
    for (uint64_t i = 0; i < THREADS; i++) {
        tap_status(user_thread_start(&threads[i], count_up, (void *)(uintptr_t)i), 0,
                   "a thread starts");
    }
    for (uint64_t i = 0; i < THREADS; i++) {
        tap_status(user_thread_join(&threads[i]), 0, "and ends");
        wrong += local_wrong[i];
    }
    tap_is(atomic_load_explicit(&shared, memory_order_relaxed), THREADS * ROUNDS,
           "all worked on the same memory");
    tap_is(wrong, 0, "each has an errno of its own");
    tap_is((uint64_t)(int64_t)errno, (uint64_t)-5, "as has the first thread");
}

/* Stores its registers at the address in a0, then ends its thread. */
void registers_store(void);

__asm__(".text\n"
        ".balign 4\n"
        ".globl registers_store\n"
        "registers_store:\n"
        "    .irp n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,"
        "30,31\n"
        "    sd x\\n, 8*\\n(a0)\n"
        "    .endr\n"
        "    auipc t0, 0\n"
        "    sd t0, 0(a0)\n"
        "    li a7, 12\n"
        "    ecall\n"
        "    unimp\n");

static void start_registers_check(void)
{
    static uint64_t registers[32];
    handle_t thread = HANDLE_NONE;
    uint64_t other = 0;

    tap_status(sys_thread_start(user_self(), (uintptr_t)registers_store, PLACE + 16,
                                (uintptr_t)registers, 0x1234, &thread),
               0, "a thread starts that looks at its registers");
    tap_status(sys_thread_wait(thread, WAIT_FOREVER), 0, "it ends");
    tap_status(sys_thread_wait(thread, WAIT_FOREVER), 0, "and can be waited for again");
    (void)sys_handle_close(thread);
    tap_is(registers[2], PLACE + 16, "sp is as asked");
    tap_is(registers[10], (uintptr_t)registers, "a0 is as asked");
    tap_is(registers[11], 0x1234, "a1 is as asked");
    for (int i = 1; i < 32; i++) {
        other |= i == 2 || i == 10 || i == 11 ? 0 : registers[i];
    }
    tap_is(other, 0, "all other registers are zero");
}

static handle_t own_thread;

static void wait_for_self(void *argument)
{
    long *status = argument;

    while (*(volatile handle_t *)&own_thread == HANDLE_NONE) {
        (void)sys_yield();
    }
    *status = sys_thread_wait(own_thread, WAIT_FOREVER);
}

static int end_without_exit(void *argument)
{
    struct user_thread thread;

    (void)argument;
    (void)user_thread_start(&thread, count_up, NULL);
    (void)sys_thread_exit();
    return 1;
}

static int exit_with_others(void *argument)
{
    struct user_thread threads[3];

    (void)argument;
    for (int i = 0; i < 3; i++) {
        (void)user_thread_start(&threads[i], count_up, NULL);
    }
    return 33;
}

int main(void)
{
    struct user_thread thread;
    struct user_end end = {0};
    long status = 0;

    sharing_check();
    start_registers_check();
    tap_status(user_thread_start(&thread, wait_for_self, &status), 0, "a thread starts");
    own_thread = thread.handle;
    tap_status(user_thread_join(&thread), 0, "and ends");
    tap_status(status, -SYS_EDEADLK, "it could not wait for itself");
    tap_status(user_fork_wait(end_without_exit, NULL, &end), 0, "a child ends only its threads");
    tap_is(end.reason, EXIT_NO_THREADS, "and ends with the last");
    check_child(exit_with_others, NULL, 33, "a process ends with its threads still running");
    return tap_done();
}
