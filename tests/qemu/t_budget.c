/* SPDX-License-Identifier: MIT */
/*
 * Budgets: a program that has spent its budget gets ENOMEM from whatever call wants more, in the
 * middle of it too; what it has stays right, all of it can be used again when it is given back, and
 * with its end every frame comes back.
 */
#include <inttypes.h>

#include "budget.h"

#define ROOM       400U /* frames of a budget beyond what the program is itself */
#define OTHERS     64U  /* tables that another process leaves empty             */
#define TABLE      (UINT64_C(512) * PAGE)
#define ELSEWHERE  (PLACE + (UINT64_C(64) << 30))
#define HUGE_BYTES (UINT64_C(2) << 30)
#define HANDLES    128U

/* Maps as much as there is, and takes it away again; the pages that came, or 0. */
static uint64_t map_all(uint64_t place)
{
    uint64_t done = 0;

    if (sys_vm_map(user_self(), place, HUGE_BYTES, RW, 0, &done) != -SYS_ENOMEM || done == 0) {
        return 0;
    }
    *word_at(place) = 1;
    *word_at(place + done - PAGE) = 2;
    return page_unmap(place, HUGE_BYTES) == 0 ? done / PAGE : 0;
}

static int map_to_the_limit(void *argument)
{
    uint64_t done = 0;
    uint64_t pages = map_all(PLACE);

    (void)argument;
    if (pages == 0 || pages > ROOM || pages + 8 < ROOM) {
        return 1;
    }
    if (sys_vm_map(user_self(), PLACE, HUGE_BYTES, RW, 0, &done) != -SYS_ENOMEM ||
        done != pages * PAGE || budget_left() != 0) {
        return 2;
    }
    if (sys_vm_map(user_self(), PLACE, PAGE, RW, VM_FLAG_REPLACE, NULL) != -SYS_ENOMEM) {
        return 3;
    }
    if (page_unmap(PLACE, 10 * PAGE) != 0 || budget_left() != 10) {
        return 4;
    }
    return page_map(PLACE, 10 * PAGE, RW) == 0 && budget_left() == 0 ? 0 : 5;
}

/* Pages 2 MiB apart, each with a table of its own, which stays when the page goes. */
static int tables_to_the_limit(void *argument)
{
    uint64_t pages = map_all(PLACE);
    uint64_t count = 0;

    (void)argument;
    while (page_map(PLACE + count * TABLE, PAGE, RW) == 0) {
        count++;
    }
    if (count * 2 > ROOM || count * 2 + 8 < ROOM) {
        return 1;
    }
    for (uint64_t i = 0; i < count; i++) {
        if (page_unmap(PLACE + i * TABLE, PAGE) != 0) {
            return 2;
        }
    }
    if (budget_left() > count + 1) {
        return 3; /* the tables are gone already: nothing is left to be swept */
    }
    return map_all(ELSEWHERE) == pages ? 0 : 4;
}

/* Guards on every other page: a table for each 2 MiB, and nothing else. */
static int marks_to_the_limit(void *argument)
{
    uint64_t pages = map_all(PLACE);
    uint64_t at = PLACE;
    uint64_t done = 0;
    long status;

    (void)argument;
    do {
        status = sys_vm_mark(user_self(), at, PAGE, VM_KIND_GUARD, 0, 0, NULL);
        at += TABLE;
    } while (status == 0);
    if (status != -SYS_ENOMEM || (at - PLACE) / TABLE + 8 < ROOM) {
        return 1;
    }
    /* What needs no table of its own goes on. */
    status =
        sys_vm_mark(user_self(), PLACE, 100 * PAGE, VM_KIND_RESERVED, RW, VM_FLAG_REPLACE, &done);
    if (status != 0 || done != 100 * PAGE) {
        return 2;
    }
    if (page_unmap(PLACE, at - PLACE) != 0) {
        return 3;
    }
    return map_all(ELSEWHERE) == pages ? 0 : 4;
}

/* Calls find the budget spent where they touch reserved memory, and can be made again. */
static int copies_to_the_limit(void *argument)
{
    uint64_t done = 0;

    (void)argument;
    if (sys_vm_mark(user_self(), ELSEWHERE, HUGE_BYTES, VM_KIND_RESERVED, RW, 0, NULL) != 0 ||
        sys_vm_map(user_self(), PLACE, HUGE_BYTES, RW, 0, &done) != -SYS_ENOMEM) {
        return 1;
    }
    if (sys_machine_info(user_machine(), ELSEWHERE + 5 * TABLE) != -SYS_ENOMEM) {
        return 2;
    }
    if (page_unmap(PLACE, 8 * PAGE) != 0) {
        return 3;
    }
    return sys_machine_info(user_machine(), ELSEWHERE + 5 * TABLE) == 0 ? 0 : 4;
}

static int touch_to_the_limit(void *argument)
{
    (void)argument;
    if (sys_vm_mark(user_self(), PLACE, HUGE_BYTES, VM_KIND_RESERVED, RW, 0, NULL) != 0) {
        return 1;
    }
    for (uint64_t at = 0; at < HUGE_BYTES; at += PAGE) {
        *word_at(PLACE + at) = at;
    }
    return 2;
}

/* Maps a page each in `count` tables of a process, and unmaps them again: the tables stay. */
static long tables_leave(handle_t process, uint64_t count)
{
    long status = 0;

    for (uint64_t i = 0; i < count && status == 0; i++) {
        status = sys_vm_map(process, PLACE + i * TABLE, PAGE, RW, 0, NULL);
        if (status == 0) {
            status = sys_vm_unmap(process, PLACE + i * TABLE, PAGE, NULL);
        }
    }
    return status;
}

/* Another process of the same budget holds tables in which nothing is: they are swept. */
static int tables_of_another(void *argument)
{
    handle_t other = HANDLE_NONE;
    uint64_t done = 0;

    (void)argument;
    if (sys_process_create((uintptr_t) "tables", 6, 0, &other) != 0 ||
        tables_leave(other, OTHERS) != 0) {
        return 1;
    }
    uint64_t had = budget_left();

    if (sys_vm_map(user_self(), PLACE, 2 * ROOM * PAGE, RW, 0, &done) != -SYS_ENOMEM) {
        return 2;
    }
    return done / PAGE >= had + OTHERS / 2 ? 0 : 3;
}

/* A thread that ends at once. */
void ends_at_once(void);
__asm__(".text\n"
        ".balign 4\n"
        ".globl ends_at_once\n"
        "ends_at_once:\n"
        "    li a7, 12\n" /* thread_exit */
        "    ecall\n");

/* Processes without anything, until there is no room; their number. */
static unsigned processes_make(handle_t made[HANDLES])
{
    unsigned count = 0;

    while (count < HANDLES && sys_process_create((uintptr_t) "empty", 5, 0, &made[count]) == 0) {
        count++;
    }
    return count;
}

/* Closes them, and waits until what they were is given back. */
static void close_all(const handle_t made[HANDLES], unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        (void)sys_handle_close(made[i]);
    }
    (void)sys_quiesce(user_machine());
}

static int processes_to_the_limit(void *argument)
{
    handle_t made[HANDLES];
    unsigned count = processes_make(made);

    (void)argument;
    if (count == 0 || count == HANDLES || budget_left() >= 8) {
        return 1;
    }
    close_all(made, count);
    return processes_make(made) == count ? 0 : 2;
}

/* Threads that end at once; their handles keep their records.  Their number. */
static unsigned threads_make(handle_t made[HANDLES])
{
    unsigned count = 0;

    while (count < HANDLES &&
           sys_thread_start(user_self(), (uintptr_t)ends_at_once, PLACE, 0, 0, &made[count]) == 0) {
        count++;
    }
    for (unsigned i = 0; i < count; i++) {
        (void)sys_thread_wait(made[i], WAIT_FOREVER);
    }
    return count;
}

/* With a budget of which all but a few frames is spent, so that handles do not run out first. */
static int threads_to_the_limit(void *argument)
{
    handle_t made[HANDLES];
    uint64_t frames = budget_left() - HANDLES / 2;
    unsigned count;

    (void)argument;
    if (page_map(PLACE, (frames - 8) * PAGE, RW) != 0) {
        return 1;
    }
    count = threads_make(made);
    if (count < 8 || count == HANDLES || budget_left() != 0) {
        return 2;
    }
    close_all(made, count);

    return threads_make(made) == count ? 0 : 3;
}

static void run(int (*scenario)(void *argument), uint64_t reason, const char *what)
{
    budget_run(&(struct budget_run){scenario, reason, what}, ROOM);
}

int main(void)
{
    struct process_info own = self_info();

    tap_ok(own.budget_limit != UINT64_MAX && own.budget_used <= own.budget_limit,
           "this program has a budget");
    run(map_to_the_limit, EXIT_STATUS, "map");
    run(tables_to_the_limit, EXIT_STATUS, "tables");
    run(marks_to_the_limit, EXIT_STATUS, "marks");
    run(tables_of_another, EXIT_STATUS, "tables of another");
    run(copies_to_the_limit, EXIT_STATUS, "a call's copy");
    tap_expect_log("no memory for WRITE fault");
    run(touch_to_the_limit, EXIT_NO_MEMORY, "touch");
    run(processes_to_the_limit, EXIT_STATUS, "processes");
    run(threads_to_the_limit, EXIT_STATUS, "threads");
    tap_is(self_info().budget_used, own.budget_used, "this program's budget is as it was");
    tap_status(sys_vm_check(user_machine(), user_self()), 0, "the kernel's audit finds no fault");
    return tap_done();
}
