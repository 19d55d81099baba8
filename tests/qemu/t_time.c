/* SPDX-License-Identifier: MIT */
/*
 * Time goes forward at the rate of the time base, and a program that never calls the kernel does
 * not stop the others.
 */
#include <stdatomic.h>

#include "support.h"

#define SLICE_NS UINT64_C(20000000)

static uint64_t now_ns(void)
{
    uint64_t nanoseconds = 0;

    (void)sys_time_get(&nanoseconds, NULL);
    return nanoseconds;
}

static void forward_check(void)
{
    struct machine_info machine = {.timebase_hz = 0};
    uint64_t back = 0;
    uint64_t ns[2] = {0};
    uint64_t ticks[2] = {0};
    uint64_t last = 0;

    (void)sys_machine_info(user_machine(), (uintptr_t)&machine);
    tap_status(sys_time_get(&ns[0], &ticks[0]), 0, "time can be asked for");
    for (int i = 0; i < 5000; i++) {
        uint64_t now = now_ns();

        back += now < last ? 1 : 0;
        last = now;
    }
    while (now_ns() - ns[0] < SLICE_NS) {
    }
    (void)sys_time_get(&ns[1], &ticks[1]);
    tap_is(back, 0, "it never goes back");
    uint64_t by_ticks = (ticks[1] - ticks[0]) * 1000000 / machine.timebase_hz;
    uint64_t by_ns = (ns[1] - ns[0]) / 1000;
    tap_ok(by_ticks + 2 >= by_ns && by_ns + 2 >= by_ticks,
           "nanoseconds and ticks agree to 2 microseconds");
}

static _Noreturn int spin(void *argument)
{
    (void)argument;
    for (;;) {
        __asm__ volatile("");
    }
}

static _Atomic(int) released; /* set by main, read by spin_until_released; relaxed, it is alone */

static void spin_until_released(void *argument)
{
    (void)argument;
    while (atomic_load_explicit(&released, memory_order_relaxed) == 0) {
    }
}

int main(void)
{
    struct user_thread thread;
    handle_t process = HANDLE_NONE;
    struct user_end end = {0};

    forward_check();
    tap_status(user_fork_run(spin, NULL, &process), 0, "a process spins");
    tap_status(user_thread_start(&thread, spin_until_released, NULL), 0, "a thread spins");
    for (int i = 0; i < 5; i++) {
        uint64_t start = now_ns();

        while (now_ns() - start < SLICE_NS) {
        }
        (void)sys_yield();
    }
    tap_ok(1, "this thread runs all the same");
    atomic_store_explicit(&released, 1, memory_order_relaxed);
    tap_status(user_thread_join(&thread), 0, "the thread sees what this one wrote");
    (void)sys_process_kill(process);
    tap_status(user_finish(process, &end), 0, "the process is ended");
    tap_is(end.reason, EXIT_KILLED, "by killing it");
    return tap_done();
}
