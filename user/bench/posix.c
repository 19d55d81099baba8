/* SPDX-License-Identifier: MIT */
/*
 * The benchmark for any system with POSIX's calls: one source for Vellum and for Linux, where it
 * runs as the first process.  Counts by the clock, which QEMU's -icount moves by a nanosecond an
 * instruction, and prints "row NAME n=TIMES instructions=SUM" as the other benchmark does: the
 * middle of REPEATS runs, the cost of an empty loop subtracted.
 */
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __linux__
#    include <sys/reboot.h>
#else
#    include "user/vellum.h"
#    include "vellum/calls.h"
#endif

#define NANOSECONDS_PER_TICK UINT64_C(100) /* virt's time base runs at 10 MHz */
#define REPEATS              7
#define PAGE                 ((size_t)4096)
#define PAGES_16M            UINT64_C(4096)
#define PAGES_64M            UINT64_C(16384)
#define RANGE                ((size_t)64)
#define RW                   (PROT_READ | PROT_WRITE)

/* An operation; before and after are not counted and may be NULL.  Nonzero: it cannot be done. */
struct row {
    const char *name;
    uint64_t times;
    int in_one; /* run() does all of them at once: it has no loop to subtract */
    int (*before)(void);
    int (*run)(uint64_t times);
    void (*after)(void);
};

static char *area; /* what rows map, set by `before` or by the run itself */

static uint64_t instructions_now(void)
{
    uint64_t ticks = 0;

    __asm__ volatile("rdtime %0" : "=r"(ticks));
    return ticks * NANOSECONDS_PER_TICK;
}

/* Does now what the system would do later: that belongs to what is measured. */
static int settle(void)
{
#ifdef __linux__
    return 0;
#else
    return sys_quiesce(user_machine()) != 0;
#endif
}

static int area_map(uint64_t pages)
{
    void *place = mmap(NULL, pages * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    area = place == MAP_FAILED ? NULL : place;
    return area == NULL;
}

static void area_touch(uint64_t pages)
{
    for (uint64_t page = 0; page < pages; page++) {
        *(volatile char *)(area + page * PAGE) = 1;
    }
}

static void unmap_64m(void)
{
    (void)munmap(area, PAGES_64M * PAGE);
}

static int touched_64m(void)
{
    int failed = area_map(PAGES_64M);

    if (!failed) {
        area_touch(PAGES_64M);
    }
    return failed;
}

static int tight_64m(void)
{
    return touched_64m() || mprotect(area, PAGES_64M * PAGE, PROT_READ) != 0;
}

static int loop_run(uint64_t times)
{
    for (uint64_t i = 0; i < times; i++) {
        __asm__ volatile("");
    }
    return 0;
}

static int page_run(uint64_t times)
{
    int failed = 0;

    for (uint64_t i = 0; i < times && !failed; i++) {
        failed = area_map(1);
        if (!failed) {
            area_touch(1);
            failed = munmap(area, PAGE);
        }
    }
    return failed;
}

static int populate_run(uint64_t times)
{
    int failed = area_map(times);

    if (!failed) {
        area_touch(times);
    }
    return failed;
}

static void populate_after(void)
{
    (void)munmap(area, PAGES_16M * PAGE);
}

static int unmap_run(uint64_t times)
{
    return munmap(area, times * PAGE) != 0 || settle() != 0;
}

static int protect_page_run(uint64_t times)
{
    int failed = 0;

    for (uint64_t i = 0; i < times; i += 2) {
        failed |= mprotect(area + RANGE / 2 * PAGE, PAGE, PROT_READ);
        failed |= mprotect(area + RANGE / 2 * PAGE, PAGE, RW);
    }
    return failed;
}

static int tighten_run(uint64_t times)
{
    return mprotect(area, times * PAGE, PROT_READ);
}

static int loosen_run(uint64_t times)
{
    return mprotect(area, times * PAGE, RW);
}

static int yield_run(uint64_t times)
{
    int failed = 0;

    for (uint64_t i = 0; i < times; i++) {
        failed |= sched_yield();
    }
    return failed;
}

static void *thread_nothing(void *argument)
{
    return argument;
}

static int thread_run(uint64_t times)
{
    int failed = 0;

    for (uint64_t i = 0; i < times && !failed; i++) {
        pthread_t thread;

        failed = pthread_create(&thread, NULL, thread_nothing, NULL);
        if (!failed) {
            failed = pthread_join(thread, NULL);
        }
    }
    return failed || settle();
}

static int program_run(uint64_t times)
{
    static char path[] = "/bin/nothing";
    char *argv[] = {path, NULL};
    char *environment[] = {NULL};
    int failed = 0;

    for (uint64_t i = 0; i < times && !failed; i++) {
        pid_t child = 0;
        int status = 0;

        failed = posix_spawn(&child, path, NULL, NULL, argv, environment);
        if (!failed) {
            failed = waitpid(child, &status, 0) != child || status != 0;
        }
    }
    return failed || settle();
}

static const struct row rows[] = {
    {"yield_alone", 20000, 0, NULL, yield_run, NULL},
    {"map_write_unmap", 2000, 0, NULL, page_run, NULL},
    {"populate", PAGES_16M, 1, NULL, populate_run, populate_after},
    {"unmap_64m", PAGES_64M, 1, touched_64m, unmap_run, NULL},
    {"protect_page", 2000, 0, touched_64m, protect_page_run, unmap_64m},
    {"protect_64m_tighten", PAGES_64M, 1, touched_64m, tighten_run, unmap_64m},
    {"protect_64m_loosen", PAGES_64M, 1, tight_64m, loosen_run, unmap_64m},
    {"thread", 500, 0, NULL, thread_run, NULL},
    {"program", 50, 0, NULL, program_run, NULL},
};

static int row_once(const struct row *row, uint64_t *instructions)
{
    if (row->before != NULL && row->before() != 0) {
        return 1;
    }
    uint64_t start = instructions_now();
    int failed = row->run(row->times);

    *instructions = instructions_now() - start;
    if (row->after != NULL) {
        row->after();
    }
    return failed;
}

static int number_compare(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;

    return (a > b) - (a < b);
}

/* The middle of REPEATS runs, after one that is not counted. */
static int row_measure(const struct row *row, uint64_t *instructions)
{
    uint64_t counts[REPEATS];
    int failed = row_once(row, instructions);

    for (int i = 0; i < REPEATS && !failed; i++) {
        failed = row_once(row, &counts[i]);
    }
    if (!failed) {
        qsort(counts, REPEATS, sizeof(counts[0]), number_compare);
        *instructions = counts[REPEATS / 2];
    }
    return failed;
}

/* Nonzero: the row cannot be measured. */
static int row_print(const struct row *row)
{
    const struct row empty = {.times = row->in_one ? 0 : row->times, .run = loop_run};
    uint64_t instructions = 0;
    uint64_t loop = 0;

    if (row_measure(row, &instructions) != 0 || row_measure(&empty, &loop) != 0) {
        printf("%s cannot be measured\n", row->name);
        return 1;
    }
    printf("row %s n=%" PRIu64 " instructions=%" PRIu64 "\n", row->name, row->times,
           instructions - loop);
    return 0;
}

int main(void)
{
    int failed = 0;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        failed |= row_print(&rows[i]);
    }
    (void)fflush(stdout);
#ifdef __linux__
    (void)reboot(RB_POWER_OFF);
#endif
    return failed;
}
