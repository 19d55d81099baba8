/* SPDX-License-Identifier: MIT */
/*
 * Reserved memory comes with the first access: by reading, writing, executing and by the kernel's
 * own copies; with rights that decide; on all harts at once, on one page and in one table; and what
 * happens when there is no memory for it.  What that costs is counted exactly.
 */
#include <inttypes.h>
#include <stdatomic.h>

#include "support.h"
#include "team.h"

#define RX     (VM_PROT_R | VM_PROT_X)
#define RWX    (RW | VM_PROT_X)
#define TABLE  (UINT64_C(512) * PAGE)
#define ROUNDS 20U

static long reserve(uint64_t address, uint64_t bytes, uint64_t prot)
{
    return sys_vm_mark(user_self(), address, bytes, VM_KIND_RESERVED, prot, 0, NULL);
}

/* ---- what is counted ---- */

enum counted {
    DEMAND,
    ZERO,
    REPLACED,
    FRAMES,
    TABLES,
    FENCES,
    COUNTED
};

static const char *const names[COUNTED] = {
    "demand_faults",    "zero_frame_faults", "frames_replaced",
    "frames_allocated", "tables_allocated",  "tlb_flush_local",
};

struct counts {
    uint64_t of[COUNTED];
};

static uint64_t switches_before; /* of all harts: read first at the start, last at the end */

static struct counts counts_now(void)
{
    struct counts now;

    for (unsigned which = 0; which < COUNTED; which++) {
        now.of[which] = counter_value(names[which]);
    }
    return now;
}

static struct counts counts_start(void)
{
    switches_before = counter_value("space_switches");
    return counts_now();
}

/* A hart that switches its space meanwhile, as that of whoever waits for this program may, flushes
 * where there are no identifiers. */
static void counts_are(struct counts start, struct counts want, const char *what)
{
    struct counts now = counts_now();
    uint64_t switches = counter_value("space_switches") - switches_before;
    uint64_t more = now.of[FENCES] - start.of[FENCES] - want.of[FENCES];

    now.of[FENCES] -= more <= switches ? more : 0;
    for (unsigned which = 0; which < COUNTED; which++) {
        tap_is(now.of[which] - start.of[which], want.of[which], "%s: %s", what, names[which]);
    }
}

/* ---- one program ---- */

/* Beside a page that stays, so that its table is there. */
static void first_touch_check(void)
{
    uint64_t place = PLACE + PAGE;
    struct counts start;

    tap_status(page_map(PLACE, PAGE, RW), 0, "a page is mapped");
    tap_status(reserve(place, 16 * PAGE, RW), 0, "memory is reserved");
    start = counts_start();
    tap_is(*word_at(place), 0, "it reads as zero");
    counts_are(start, (struct counts){{[DEMAND] = 1, [ZERO] = 1}}, "a read");
    start = counts_start();
    *word_at(place) = 5;
    counts_are(start, (struct counts){{[REPLACED] = 1, [FRAMES] = 1, [FENCES] = 1}},
               "a write after it");
    start = counts_start();
    *word_at(place + PAGE) = 6;
    counts_are(start, (struct counts){{[DEMAND] = 1, [FRAMES] = 1}}, "a write");
    tap_is(*word_at(place + PAGE + 8), 0, "the rest of the page is zero");
    tap_is(*word_at(place + 2 * PAGE), 0, "another page still reads as zero");
    tap_ok(*word_at(place) == 5 && *word_at(place + PAGE) == 6, "what was written stays");
    tap_status(page_unmap(place, 16 * PAGE), 0, "all of it goes");
}

/* Far from everything: the tables come with the first access, and only those of that address. */
static void large_check(void)
{
    uint64_t place = (PLACE + 4 * (UINT64_C(1) << 30)) & ~((UINT64_C(1) << 30) - 1);
    uint64_t inside = place + 300 * TABLE + 7 * PAGE;
    struct counts start;

    tap_status(reserve(place, UINT64_C(1) << 30, RW), 0, "1 GiB is reserved");
    start = counts_start();
    *word_at(inside) = 9;
    counts_are(start, (struct counts){{[DEMAND] = 1, [FRAMES] = 3, [TABLES] = 2}},
               "the first write in 1 GiB");
    start = counts_start();
    *word_at(inside + PAGE) = 9;
    counts_are(start, (struct counts){{[DEMAND] = 1, [FRAMES] = 1}}, "the second beside it");
    start = counts_start();
    *word_at(inside + TABLE) = 9;
    counts_are(start, (struct counts){{[DEMAND] = 1, [FRAMES] = 2, [TABLES] = 1}},
               "the first in the next table");
    tap_status(page_unmap(place, UINT64_C(1) << 30), 0, "all of it goes");
}

/* The kernel's copies touch as the program does. */
static void system_call_check(void)
{
    struct machine_info *info = (struct machine_info *)(uintptr_t)(PLACE + 20 * PAGE - 8);
    uint64_t zeroes[4] = {1, 2, 3, 4};
    uint64_t done = 0;

    tap_status(reserve(PLACE + 16 * PAGE, 16 * PAGE, RW), 0, "memory is reserved");
    tap_status(sys_machine_info(user_machine(), (uintptr_t)info), 0,
               "a call writes its result there, across two pages");
    tap_ok(info->total_frames != 0, "it is there");
    tap_status(
        sys_vm_read(user_self(), PLACE + 25 * PAGE, (uintptr_t)zeroes, sizeof(zeroes), &done), 0,
        "a process's untouched memory is read");
    tap_ok(done == sizeof(zeroes) && (zeroes[0] | zeroes[3]) == 0, "and is zero");
    tap_status(sys_vm_write(user_self(), PLACE + 25 * PAGE, (uintptr_t)&done, sizeof(done), NULL),
               0, "it is written to by a call");
    tap_is(*word_at(PLACE + 25 * PAGE), sizeof(zeroes), "as it shows");
    tap_is(*word_at(PLACE + 26 * PAGE), 0, "and nothing else is");
    tap_status(sys_futex_wait(PLACE + 27 * PAGE, 1, 0, FUTEX_SHARED), -SYS_EAGAIN,
               "a word there is waited on, and is zero");
    tap_status(page_unmap(PLACE + 16 * PAGE, 16 * PAGE), 0, "all of it goes");
}

/* ---- what is not granted, each in a child ---- */

struct attempt {
    uint64_t prot;
    uint64_t access;
};

static int attempt_run(void *argument)
{
    const struct attempt *attempt = argument;

    (void)reserve(PLACE + 40 * PAGE, 2 * PAGE, attempt->prot);
    touch(attempt->access, PLACE + 40 * PAGE);
    return 0;
}

static void rights_check(void)
{
    static const struct attempt refused[] = {
        {VM_PROT_R, ACCESS_WRITE}, {RX, ACCESS_WRITE},          {VM_PROT_X, ACCESS_READ},
        {RW, ACCESS_EXECUTE},      {VM_PROT_NONE, ACCESS_READ}, {VM_PROT_NONE, ACCESS_WRITE},
    };
    struct user_end end = {0};

    for (unsigned i = 0; i < COUNT_OF(refused); i++) {
        struct attempt attempt = refused[i];

        tap_status(user_fork_wait(attempt_run, &attempt, &end), 0, "a child");
        check_fault(&end, refused[i].access, PLACE + 40 * PAGE, "reserved memory forbids it");
    }
    /* Zeroes are no instruction, so the fault is that one: the page was there to be executed. */
    tap_status(user_fork_wait(attempt_run, &(struct attempt){RWX, ACCESS_EXECUTE}, &end), 0,
               "a child executes zeroes");
    tap_ok(end.reason == EXIT_FAULT && end.access == ACCESS_ILLEGAL, "which are no instruction");
    tap_expect_log("unhandled ILLEGAL fault");
}

static int guard_run(void *argument)
{
    (void)argument;
    (void)sys_vm_mark(user_self(), PLACE + 40 * PAGE, PAGE, VM_KIND_GUARD, 0, 0, NULL);
    touch(ACCESS_READ, PLACE + 40 * PAGE);
    return 0;
}

static void guard_check(void)
{
    struct user_end end = {0};

    tap_status(user_fork_wait(guard_run, NULL, &end), 0, "a child");
    check_fault(&end, ACCESS_READ, PLACE + 40 * PAGE, "a guard is no memory");
}

/* ---- all harts ---- */

#define AREA (PLACE + 64 * TABLE) /* a table of its own         */
#define WARM (PLACE + 63 * PAGE)  /* where each member begins   */

/* What member 0 counts while the others are between the same two meetings.  Each has done once by
 * then what is counted, so its stack is there. */
static struct counts at_start;
static struct counts at_end;

static void count_from_here(unsigned member, struct counts *counts)
{
    team_meet();
    if (member == 0) {
        *counts = counts_now();
        *counts = counts_now();
    }
    team_meet();
}

/* All write to one page that nobody has touched, each a word of its own; then read all of them. */
static void write_round(unsigned member, uint64_t page)
{
    team_meet();
    *word_at(page + member * 8) = member + 1;
    team_meet();
    for (unsigned other = 0; other < team_members(); other++) {
        (void)team_is(*word_at(page + other * 8), other + 1, "a word of another");
    }
}

/* All read it first: then the frame of zeroes is replaced, once. */
static void read_round(unsigned member, uint64_t page)
{
    team_meet();
    (void)team_is(*word_at(page + member * 8), 0, "untouched memory");
    write_round(member, page);
}

static void write_work(unsigned member)
{
    write_round(member, WARM);
    count_from_here(member, &at_start);
    for (unsigned round = 0; round < ROUNDS; round++) {
        write_round(member, AREA + round * PAGE);
    }
    count_from_here(member, &at_end);
}

static void read_work(unsigned member)
{
    read_round(member, WARM);
    count_from_here(member, &at_start);
    for (unsigned round = 0; round < ROUNDS; round++) {
        read_round(member, AREA + round * PAGE);
    }
    count_from_here(member, &at_end);
}

/* All fault in one area of 2 MiB that has no table yet, on pages that lie between each other's. */
static void area_work(unsigned member)
{
    read_round(member, WARM);
    count_from_here(member, &at_start);
    for (uint64_t n = member; n < 512; n += team_members()) {
        (void)team_is(*word_at(AREA + n * PAGE + 8), 0, "untouched memory");
        *word_at(AREA + n * PAGE) = n;
    }
    count_from_here(member, &at_end);
    for (uint64_t n = 0; n < 512; n++) {
        (void)team_is(*word_at(AREA + n * PAGE), n, "a page that anybody wrote to");
    }
}

static void team_check(team_work *work, const char *what, struct counts want)
{
    tap_status(reserve(WARM, PAGE, RW), 0, "a page is reserved");
    /* Aligned to its size, so that the mark lies above level 0. */
    tap_status(reserve(AREA, TABLE, RW), 0, "2 MiB are reserved");
    tap_status(team_run(team_size(), work), 0, "%s", what);
    team_report("%s: what was written is there", what);
    for (unsigned which = DEMAND; which <= REPLACED; which++) {
        tap_is(at_end.of[which] - at_start.of[which], want.of[which], "%s: %s", what, names[which]);
    }
    tap_status(page_unmap(AREA, TABLE), 0, "all of it goes");
    tap_status(page_unmap(WARM, PAGE), 0, "and that page");
}

/* ---- no memory ---- */

static int touch_everything(void *argument)
{
    uint64_t bytes = *(const uint64_t *)argument;

    if (reserve(AREA, bytes, RW) != 0) {
        return 1;
    }
    for (uint64_t at = AREA; at < AREA + bytes; at += PAGE) {
        touch(ACCESS_WRITE, at);
    }
    return 2;
}

static void no_memory_check(void)
{
    struct machine_info machine = {.total_frames = 0};
    struct user_end end = {0};
    uint64_t before = frames_free();

    (void)sys_machine_info(user_machine(), (uintptr_t)&machine);
    uint64_t bytes = (machine.total_frames + 512) * PAGE;

    if (bytes > UINT64_C(256) << 20) {
        return; /* it takes too long */
    }
    tap_status(user_fork_wait(touch_everything, &bytes, &end), 0,
               "a child touches more memory than there is");
    tap_is(end.reason, EXIT_NO_MEMORY, "it ends for that reason");
    tap_ok(end.detail > AREA && end.detail < AREA + bytes && end.access == ACCESS_WRITE &&
               end.pc == touch_pc(ACCESS_WRITE, end.detail),
           "and it is told where");
    tap_expect_log("no memory for WRITE fault at 0x%" PRIx64, end.detail);
    tap_is(frames_free(), before, "all frames came back");
}

int main(void)
{
    first_touch_check();
    large_check();
    system_call_check();
    rights_check();
    guard_check();
    team_check(write_work, "all harts write to one page", (struct counts){{[DEMAND] = ROUNDS}});
    team_check(read_work, "all harts read and write one page",
               (struct counts){{[DEMAND] = ROUNDS, [ZERO] = ROUNDS, [REPLACED] = ROUNDS}});
    team_check(area_work, "all harts fault in one table",
               (struct counts){{[DEMAND] = 512, [ZERO] = 512, [REPLACED] = 512}});
    no_memory_check();
    return tap_done();
}
