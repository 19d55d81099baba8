/* SPDX-License-Identifier: MIT */
/*
 * What calls cost, counted by the kernel itself: fences, frames, zeroed frames, tables.  The
 * numbers are exact; a call that costs more than it must fails here.
 */
#include <string.h>

#include <stdatomic.h>

#include "support.h"
#include "team.h"

#define PAGES_TABLE 512U
#define TABLE       (PAGES_TABLE * PAGE)

enum counted {
    FENCES,
    REMOTE,
    FRAMES,
    ZEROED, /* when handed out, or before by an idle hart */
    TABLES,
    MAPPED,
    UNMAPPED,
    COUNTED
};

static const char *const names[COUNTED] = {
    "tlb_flush_local",  "tlb_flush_remote", "frames_allocated", "frames_zeroed",
    "tables_allocated", "pages_mapped",     "pages_unmapped",
};

static struct counts {
    uint64_t of[COUNTED];
} start;

static struct counts counts_now(void)
{
    struct counts now = {0};
    struct counter_info counter;

    for (uint64_t i = 0; sys_counter_info(user_machine(), i, (uintptr_t)&counter) == 0; i++) {
        for (unsigned which = 0; which < COUNTED; which++) {
            if (strcmp(counter.name, names[which]) == 0) {
                now.of[which] += counter.value;
            }
        }
        if (strcmp(counter.name, "frames_from_stock") == 0) {
            now.of[ZEROED] += counter.value;
        }
    }
    return now;
}

static void counts_start(void)
{
    start = counts_now();
}

/* Checks what was counted from counts_start on. */
static void counts_were(struct counts now, struct counts want, const char *what)
{
    for (unsigned which = 0; which < COUNTED; which++) {
        tap_is(now.of[which] - start.of[which], want.of[which], "%s: %s", what, names[which]);
    }
}

static void counts_are(struct counts want, const char *what)
{
    counts_were(counts_now(), want, what);
}

static void check_map(void)
{
    /* The first page of a table brings the table: its frame, and perhaps one for its record. */
    tap_status(page_map(PLACE, PAGE, RW), 0, "a page is mapped");
    counts_start();
    (void)page_map(PLACE + PAGE, PAGE, RW);
    counts_are((struct counts){{[FRAMES] = 1, [ZEROED] = 1, [MAPPED] = 1}}, "map beside a page");
    counts_start();
    (void)page_map(PLACE + 2 * PAGE, 100 * PAGE, RW);
    counts_are((struct counts){{[FRAMES] = 100, [ZEROED] = 100, [MAPPED] = 100}}, "map 100 pages");
}

static void check_protect(void)
{
    counts_start();
    (void)sys_vm_protect(user_self(), PLACE, PAGE, VM_PROT_R, NULL);
    counts_are((struct counts){{[FENCES] = 1}}, "tighten a page");
    counts_start();
    (void)sys_vm_protect(user_self(), PLACE, PAGE, RW, NULL);
    counts_are((struct counts){0}, "loosen a page");
    counts_start();
    (void)sys_vm_protect(user_self(), PLACE, 102 * PAGE, VM_PROT_R, NULL);
    counts_are((struct counts){{[FENCES] = 1}}, "tighten 102 pages");
}

static void check_unmap(void)
{
    counts_start();
    (void)page_unmap(PLACE, PAGE);
    counts_are((struct counts){{[FENCES] = 1, [UNMAPPED] = 1}}, "unmap a page");
    counts_start();
    (void)page_unmap(PLACE, PAGE);
    counts_are((struct counts){0}, "unmap nothing");
    counts_start();
    (void)page_unmap(PLACE, 102 * PAGE);
    counts_are((struct counts){{[FENCES] = 1, [UNMAPPED] = 101}}, "unmap 101 pages");
}

static void check_table(void)
{
    uint64_t place = PLACE + 8 * TABLE;

    (void)page_map(place, TABLE, RW);
    counts_start();
    (void)page_unmap(place, TABLE);
    counts_are((struct counts){{[FENCES] = 1, [UNMAPPED] = PAGES_TABLE}}, "unmap a whole table");
    counts_start();
    (void)page_map(place, PAGE, RW);
    (void)page_unmap(place, TABLE);
    struct counts now = counts_now();
    tap_is(now.of[TABLES] - start.of[TABLES], 1, "a table that went is made again");
}

/* Harts that run a thread of whatever process. */
static unsigned harts_busy(void)
{
    struct hart_info info;
    unsigned busy = 0;

    for (uint64_t hart = 0; sys_hart_info(user_machine(), hart, (uintptr_t)&info) == 0; hart++) {
        busy += info.thread != 0 ? 1 : 0;
    }
    return busy;
}

/* Who started this program may be on another hart, on his way to wait for it: when he has come
 * there, that hart changes its space, which counts as well. */
static void others_wait_for(void)
{
    while (harts_busy() > 1) {
        (void)sys_yield();
    }
}

/* As often as it takes: that other hart may be a little behind. */
static void check_null(void)
{
    uint64_t switches;
    struct counts now;

    do {
        switches = counter_value("space_switches");
        counts_start();
        for (unsigned i = 0; i < 100; i++) {
            (void)sys_null();
        }
        now = counts_now();
    } while (counter_value("space_switches") != switches);
    counts_were(now, (struct counts){0}, "100 null calls");
}

/* ---- calls of a hart that does not switch ---- */

#define CALLS 1000U

static _Atomic(uint64_t) calls_made;
static _Atomic(uint64_t) calls_read; /* the caller may end */
static uint64_t calls_before;
static uint64_t calls_after;

/* Member 1 makes calls and then stays in user mode until member 0 has read the counter. */
static void calls_work(unsigned member)
{
    if (member == 0) {
        calls_before = counter_value("syscalls");
        atomic_store_explicit(&calls_made, 1, memory_order_release);
        team_spin(&calls_made, 2);
        calls_after = counter_value("syscalls");
        atomic_store_explicit(&calls_read, 1, memory_order_release);
        return;
    }
    team_spin(&calls_made, 1);
    for (unsigned i = 0; i < CALLS; i++) {
        (void)sys_null();
    }
    atomic_store_explicit(&calls_made, 2, memory_order_release);
    team_spin(&calls_read, 1);
}

static void calls_check(void)
{
    (void)team_run(2, calls_work);
    tap_ok(calls_after - calls_before >= CALLS, "calls count before their hart switches");
}

int main(void)
{
    others_wait_for();
    check_null();
    check_map();
    check_protect();
    check_unmap();
    check_table();
    calls_check();
    return tap_done();
}
