/* SPDX-License-Identifier: MIT */
/*
 * Out of memory: a program that takes all that the shell lets it have, which is most of the
 * machine's, gets ENOMEM with what it has mapped so far, can go on, and so can the system; whatever
 * needs memory then fails cleanly; with the program's end everything comes back.
 */
#include <inttypes.h>

#include "support.h"

#define HUGE_BYTES (UINT64_C(8) << 30) /* what one call asks for at least */

/* While nothing is left: calls that may need memory succeed or say ENOMEM, and nothing else. */
static int calls_cope(void)
{
    for (int i = 0; i < 50; i++) {
        handle_t process = HANDLE_NONE;
        handle_t thread = HANDLE_NONE;
        long status = sys_process_create((uintptr_t) "starved", 7, 0, &process);

        if (status == 0) {
            status = sys_vm_map(process, PLACE, PAGE, RW, 0, NULL);
        }
        if (status == 0) {
            status = sys_thread_start(process, PLACE, PLACE, 0, 0, &thread);
        }
        if (status != 0 && status != -SYS_ENOMEM) {
            return 0;
        }
        if (process != HANDLE_NONE) {
            (void)sys_process_kill(process);
            (void)sys_handle_close(process);
        }
        if (thread != HANDLE_NONE) {
            (void)sys_handle_close(thread);
        }
    }
    return 1;
}

static int take_everything(void *argument)
{
    uint64_t bytes = *(const uint64_t *)argument;
    uint64_t done = 0;
    uint64_t again = 0;

    if (sys_vm_map(user_self(), PLACE, bytes, RW, 0, &done) != -SYS_ENOMEM) {
        return 1;
    }
    if (done == 0 || done >= bytes || done % PAGE != 0) {
        return 2;
    }
    *word_at(PLACE) = 1;
    *word_at(PLACE + done - PAGE) = 2;
    uint64_t found = 0;
    if (sys_vm_find_next(user_self(), PLACE + done, bytes - done, &found) != -SYS_ENOENT) {
        return 3;
    }
    if (!calls_cope()) {
        return 4;
    }
    if (page_unmap(PLACE, 64 * PAGE) != 0) {
        return 5;
    }
    (void)sys_quiesce(user_machine());
    if (sys_vm_map(user_self(), PLACE, 32 * PAGE, RW, 0, &again) != 0 || *word_at(PLACE) != 0) {
        return 6;
    }
    return *word_at(PLACE + done - PAGE) == 2 ? 0 : 7;
}

static int take_and_fault(void *argument)
{
    (void)sys_vm_map(user_self(), PLACE, *(const uint64_t *)argument, RW, 0, NULL);
    touch(ACCESS_READ, 0);
    return 0;
}

int main(void)
{
    struct machine_info machine = {.total_frames = 0};
    struct user_end end = {0};
    uint64_t before = frames_free();

    (void)sys_machine_info(user_machine(), (uintptr_t)&machine);
    uint64_t bytes = machine.total_frames * PAGE + HUGE_BYTES;
    check_child(take_everything, &bytes, 0, "a child takes all it can have, and copes");
    tap_is(frames_free(), before, "all frames came back");
    if (machine.total_frames * PAGE <= UINT64_C(256) << 20) {
        tap_status(user_fork_wait(take_and_fault, &bytes, &end), 0, "another takes all and faults");
        tap_is(end.reason, EXIT_FAULT, "it ended by its fault");
        tap_is(frames_free(), before, "all frames came back again");
    }
    tap_status(page_map(PLACE, 16 * PAGE, RW), 0, "memory can be had");
    *word_at(PLACE) = 3;
    tap_status(page_unmap(PLACE, 16 * PAGE), 0, "and given back");
    return tap_done();
}
