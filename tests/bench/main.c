/* SPDX-License-Identifier: MIT */
/*
 * The benchmark's runs: every operation, size and number of harts, by mm, the floor and the host in
 * turn, several times over, so that whatever disturbs the host disturbs all three.  Prints the
 * medians as JSON (scripts/lib/bench_host.py makes a table and a picture of it).  With --smoke one
 * small run: whether it works, not how long it takes.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/bench.h"
#include "bench/machine.h"
#include "lib/counter.h"
#include "mm/vm_cursor.h"

#define REPEATS_MAX 15U

enum by {
    BY_FLOOR,
    BY_MM,
    BY_HOST,
    BY_COUNT
};

static const struct bench_shape shapes[] = {{1, 64}, {16, 16}, {512, 4}, {BENCH_PAGES_MAX, 1}};
#define SHAPES 4U

static const char *const op_names[BENCH_OP_COUNT] = {
    [BENCH_OPEN] = "open and close", [BENCH_POPULATE] = "populate", [BENCH_QUERY] = "query",
    [BENCH_FIND] = "find_next",      [BENCH_FAULT] = "fault",       [BENCH_TIGHTEN] = "tighten",
    [BENCH_LOOSEN] = "loosen",       [BENCH_UNMAP] = "unmap",       [BENCH_MAP] = "map",
};

/* Nanoseconds of every repetition; each hart writes its own. */
static uint64_t samples[BENCH_HARTS_MAX][SHAPES][BENCH_OP_COUNT][BY_COUNT][REPEATS_MAX];

static struct {
    struct vm_space *space;
    unsigned harts, repeats, shape_count;
    pthread_barrier_t barrier;
} run;

static uint64_t now_ns(void)
{
    struct timespec time;

    EXPECT(clock_gettime(CLOCK_MONOTONIC, &time) == 0);
    return (uint64_t)time.tv_sec * UINT64_C(1000000000) + (uint64_t)time.tv_nsec;
}

static void everybody(void)
{
    (void)pthread_barrier_wait(&run.barrier);
}

static void measure(const struct bench_part *part, enum bench_op op, enum by by, uint64_t *ns)
{
    uint64_t start;

    if (by == BY_MM) {
        bench_mm_prepare(part, op);
    }
    everybody();
    start = now_ns();
    if (by == BY_MM) {
        bench_mm_run(part, op);
    } else if (by == BY_HOST) {
        bench_host_run(part, op);
    } else {
        bench_floor_run(part);
    }
    *ns = now_ns() - start;
    everybody();
    if (by == BY_MM) {
        bench_mm_check(part, op);
    }
}

/* All operations on one shape, once. */
static void measure_shape(hart_idx_t hart, unsigned shape, unsigned repeat)
{
    struct bench_part part = {run.space, hart, shapes[shape]};

    for (unsigned op = 0; op < BENCH_OP_COUNT; op++) {
        if (op == BENCH_OPEN) {
            bench_mm_run(&part, BENCH_POPULATE); /* its tables stand */
        } else if (op == BENCH_POPULATE) {
            bench_mm_run(&part, BENCH_UNMAP);
        }
        for (unsigned by = 0; by < BY_COUNT; by++) {
            if (by != BY_HOST || bench_host_has(op)) {
                measure(&part, op, by, &samples[hart][shape][op][by][repeat]);
            }
        }
    }
}

static void *hart_main(void *argument)
{
    hart_idx_t hart = *(const hart_idx_t *)argument;

    bench_hart_set(hart);
    vm_space_activate(run.space);
    for (unsigned repeat = 0; repeat < run.repeats; repeat++) {
        for (unsigned shape = 0; shape < run.shape_count; shape++) {
            measure_shape(hart, shape, repeat);
        }
    }
    vm_space_activate(NULL);
    return NULL;
}

/* What must have been counted when every shape was run once by one hart: each page is populated
 * twice and mapped once, pages but the last once more for find_next; all are unmapped again. */
static uint64_t pages_expected(void)
{
    uint64_t pages = 0;

    for (unsigned i = 0; i < run.shape_count; i++) {
        pages += shapes[i].ranges * (3 * shapes[i].pages + shapes[i].pages - 1);
    }
    return pages * run.harts * run.repeats;
}

/* All harts at once, from an empty space to an empty machine. */
static void run_harts(unsigned harts)
{
    pthread_t threads[BENCH_HARTS_MAX];
    hart_idx_t numbers[BENCH_HARTS_MAX];
    uint64_t free_before = frame_free_count();
    uint64_t mapped = counter_read(COUNTER_pages_mapped);
    uint64_t unmapped = counter_read(COUNTER_pages_unmapped);
    uint64_t fences = bench_fences();

    run.harts = harts;
    EXPECT_OK(vm_space_create(NULL, &run.space));
    EXPECT(pthread_barrier_init(&run.barrier, NULL, harts) == 0);
    for (unsigned i = 0; i < harts; i++) {
        numbers[i] = i;
        EXPECT(pthread_create(&threads[i], NULL, hart_main, &numbers[i]) == 0);
    }
    for (unsigned i = 0; i < harts; i++) {
        EXPECT(pthread_join(threads[i], NULL) == 0);
    }
    EXPECT(pthread_barrier_destroy(&run.barrier) == 0);
    EXPECT_OK(vm_space_check(run.space));
    vm_space_put(run.space);
    while (vm_space_reap()) {
        continue;
    }
    EXPECT(frame_free_count() == free_before);
    EXPECT_OK(frame_check());
    EXPECT(counter_read(COUNTER_pages_mapped) - mapped == pages_expected());
    EXPECT(counter_read(COUNTER_pages_unmapped) - unmapped == pages_expected());
    EXPECT(bench_fences() > fences);
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

/* The middle of the repetitions, in nanoseconds a page; the slower hart counts. */
static double median(unsigned shape, unsigned op, enum by by)
{
    uint64_t slowest[REPEATS_MAX];

    for (unsigned i = 0; i < run.repeats; i++) {
        slowest[i] = 0;
        for (unsigned hart = 0; hart < run.harts; hart++) {
            uint64_t ns = samples[hart][shape][op][by][i];

            slowest[i] = ns > slowest[i] ? ns : slowest[i];
        }
    }
    qsort(slowest, run.repeats, sizeof(slowest[0]), compare);
    return (double)slowest[run.repeats / 2] / (double)(shapes[shape].pages * shapes[shape].ranges);
}

static void print_rows(const char *before)
{
    for (unsigned op = 0; op < BENCH_OP_COUNT; op++) {
        for (unsigned shape = 0; shape < run.shape_count; shape++) {
            (void)printf("%s\n  {\"operation\": \"%s\", \"pages\": %lu, \"harts\": %u, "
                         "\"floor\": %.3f, \"mm\": %.3f",
                         before, op_names[op], (unsigned long)shapes[shape].pages, run.harts,
                         median(shape, op, BY_FLOOR), median(shape, op, BY_MM));
            if (bench_host_has(op)) {
                (void)printf(", \"host\": %.3f", median(shape, op, BY_HOST));
            }
            (void)printf("}");
            before = ",";
        }
    }
}

int main(int argc, char **argv)
{
    bool is_smoke = argc == 2 && strcmp(argv[1], "--smoke") == 0;

    if (argc > 1 && !is_smoke) {
        (void)fprintf(stderr, "usage: mm_bench [--smoke]\n");
        return 2;
    }
    run.repeats = is_smoke ? 1 : REPEATS_MAX;
    run.shape_count = is_smoke ? 3 : SHAPES;
    bench_machine_start(4);
    (void)printf("{\"unit\": \"ns a page\", \"repetitions\": %u, \"levels\": 4, \"rows\": [",
                 run.repeats);
    run_harts(1);
    print_rows("");
    run_harts(BENCH_HARTS_MAX);
    print_rows(",");
    (void)printf("\n]}\n");
    return 0;
}
