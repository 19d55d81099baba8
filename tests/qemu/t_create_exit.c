/* SPDX-License-Identifier: MIT */
/*
 * A hundred processes that start, work and end: each reports its own status, and in the end not a
 * frame is missing.  Some end by exit, some by a fault, some are killed, some never had a thread.
 */
#include "support.h"

#define ROUNDS 100

static int work_and_end(void *argument)
{
    uint64_t number = (uintptr_t)argument;

    if (page_map(PLACE + number * UINT64_C(0x40000000), 4 * PAGE, RW) != 0) {
        return -1;
    }
    if (number % 4 == 1) {
        touch(ACCESS_WRITE, 0);
    }
    while (number % 4 == 2) {
        (void)sys_yield();
    }
    return (int)number;
}

static int round_is_good(uint64_t number)
{
    handle_t process = HANDLE_NONE;
    struct user_end end = {0};

    if (number % 4 == 3) {
        if (sys_process_create((uintptr_t) "empty", 5, 0, &process) != 0 ||
            sys_vm_map(process, PLACE, 4 * PAGE, RW, 0, NULL) != 0) {
            return 0;
        }
        return sys_handle_close(process) == 0;
    }
    if (user_fork_run(work_and_end, (void *)(uintptr_t)number, &process) != 0) {
        return 0;
    }
    if (number % 4 == 2) {
        (void)sys_yield();
        (void)sys_process_kill(process);
    }
    if (user_finish(process, &end) != 0) {
        return 0;
    }
    switch (number % 4) {
    case 0:
        return end.reason == EXIT_STATUS && end.detail == number;
    case 1:
        return end.reason == EXIT_FAULT && end.detail == 0;
    default:
        return end.reason == EXIT_KILLED;
    }
}

int main(void)
{
    uint64_t before = frames_free();
    uint64_t good = 0;

    for (uint64_t number = 0; number < ROUNDS; number++) {
        good += round_is_good(number) ? 1 : 0;
    }
    tap_is(good, ROUNDS, "every process ends as it should");
    tap_is(frames_free(), before, "all frames came back");
    tap_status(sys_vm_check(user_machine(), user_self()), 0, "the kernel's audit finds no fault");
    return tap_done();
}
