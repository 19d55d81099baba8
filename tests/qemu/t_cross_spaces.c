/* SPDX-License-Identifier: MIT */
/*
 * Threads on all harts change the memory of other processes, the same ones at the same time: empty
 * processes, where each page holds only what was written to that page, until they are killed under
 * the calls; and running ones, which never notice, because their own page is left alone.
 */
#include <stdatomic.h>

#include "support.h"
#include "team.h"
#include "tiny.h"

#define PROCESSES 3U
#define PAGES     10U
#define ROUNDS    240U
#define AREA      (PLACE + UINT64_C(0x80000000))

static handle_t targets[PROCESSES];
static _Atomic(uint64_t) are_killed; /* released before the kill, acquired after a refusal */

/* What is written to page n of process p. */
static uint64_t value_of(unsigned process, unsigned page)
{
    return UINT64_C(0x600d000000000000) + process * 256 + page;
}

/* 0, `other`, or that the process has ended once it was killed. */
static void status_check(long status, long other, const char *what)
{
    if (status == -SYS_ESRCH && atomic_load_explicit(&are_killed, memory_order_acquire) != 0) {
        return;
    }
    if (status != 0) {
        (void)team_is((uint64_t)status, (uint64_t)other, what);
    }
}

static void page_fill(unsigned process, unsigned page)
{
    uint64_t value = value_of(process, page);
    uint64_t at = AREA + page * PAGE + value % 500 * 8;

    status_check(sys_vm_write(targets[process], at, (uintptr_t)&value, sizeof(value), NULL),
                 -SYS_EFAULT, "writing to a process");
}

static void page_look(unsigned process, unsigned page)
{
    uint64_t value = value_of(process, page);
    uint64_t at = AREA + page * PAGE + value % 500 * 8;
    uint64_t found = 0;
    long status = sys_vm_read(targets[process], at, (uintptr_t)&found, sizeof(found), NULL);

    status_check(status, -SYS_EFAULT, "reading from a process");
    if (status == 0 && found != 0) {
        (void)team_is(found, value, "what a page of a process holds");
    }
}

static void page_change(unsigned process, unsigned page, uint64_t choice)
{
    uint64_t at = AREA + page * PAGE;

    switch (choice) {
    case 0:
        status_check(sys_vm_map(targets[process], at, PAGE, RW, 0, NULL), -SYS_EEXIST, "mapping");
        break;
    case 1:
        status_check(sys_vm_map(targets[process], at, PAGE, RW, VM_FLAG_REPLACE, NULL), 0,
                     "replacing");
        break;
    case 2:
        status_check(sys_vm_unmap(targets[process], at, 2 * PAGE, NULL), 0, "unmapping");
        break;
    default:
        status_check(sys_vm_protect(targets[process], at, 2 * PAGE, VM_PROT_R, NULL), 0,
                     "protecting");
        break;
    }
}

static void round_run(uint64_t *random, unsigned processes)
{
    unsigned process = (unsigned)(random_next(random) % processes);
    unsigned page = (unsigned)(random_next(random) % PAGES);

    page_change(process, page, random_next(random) % 4);
    page_fill(process, (unsigned)(random_next(random) % PAGES));
    page_look(process, (unsigned)(random_next(random) % PAGES));
}

static void cross_work(unsigned member)
{
    uint64_t random = member * 5 + 1;
    unsigned rounds = ROUNDS / team_members();

    for (unsigned round = 0; round < rounds; round++) {
        if (member == 0 && round == rounds / 2) {
            atomic_store_explicit(&are_killed, 1, memory_order_release);
            for (unsigned process = 0; process < PROCESSES; process++) {
                (void)sys_process_kill(targets[process]);
            }
        }
        round_run(&random, PROCESSES);
    }
}

static void empty_check(unsigned members)
{
    for (unsigned i = 0; i < PROCESSES; i++) {
        tap_status(sys_process_create((uintptr_t) "empty", 5, 0, &targets[i]), 0, "a process");
    }
    tap_status(team_run(members, cross_work), 0, "a team of %u changes them, and one kills them",
               members);
    team_report("each page held its own, each call was right to fail");
    for (unsigned i = 0; i < PROCESSES; i++) {
        (void)sys_handle_close(targets[i]);
    }
    atomic_store_explicit(&are_killed, 0, memory_order_release);
}

static void running_work(unsigned member)
{
    uint64_t random = member * 5 + 1;

    for (unsigned round = 0; round < ROUNDS / team_members(); round++) {
        round_run(&random, PROCESSES);
    }
}

static void running_check(unsigned members)
{
    struct tiny tinies[PROCESSES];
    unsigned good = 0;

    for (unsigned i = 0; i < PROCESSES; i++) {
        tap_status(tiny_start(&tinies[i], 70 + i, 0, hart_nth(i)), 0, "a process that runs");
        targets[i] = tinies[i].process;
    }
    tap_status(team_run(members, running_work), 0, "a team of %u changes them", members);
    team_report("each page held its own");
    for (unsigned i = 0; i < PROCESSES; i++) {
        good += tiny_stop(&tinies[i]) ? 1 : 0;
    }
    tap_is(good, PROCESSES, "none of them noticed");
}

int main(void)
{
    unsigned members = team_size();

    empty_check(members);
    running_check(members);
    return tap_done();
}
