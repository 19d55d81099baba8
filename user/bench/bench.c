/* SPDX-License-Identifier: MIT */
/*
 * The benchmark's program: measures rows and prints them for scripts/bench.
 *
 *   bench [instret] [ROW]   all rows, or one; instret: the kernel lets user mode read it
 *   bench [instret] flat    four operations on more and more memory (flat.c), and turns.c
 *
 * Lines: "fact NAME VALUE"; "check N GOT CLOCK" for loops of N instructions, by instret and by the
 * clock; "row NAME n=TIMES instructions=... COUNTER=..." as sums over all times; "absent NAME
 * ERROR" for what cannot be done yet.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"

static const uint64_t check_turns[] = {100000, 1000000, 4000000};
#define CHECK_BODY 8U /* instructions of a turn, below */

/* A loop of exactly CHECK_BODY instructions a turn. */
static void known_loop(uint64_t turns)
{
    __asm__ volatile(".option push\n"
                     ".option norvc\n"
                     "1: addi %0, %0, -1\n"
                     "nop\n"
                     "nop\n"
                     "nop\n"
                     "nop\n"
                     "nop\n"
                     "nop\n"
                     "bnez %0, 1b\n"
                     ".option pop\n"
                     : "+r"(turns));
}

long loop_run(uint64_t times)
{
    for (uint64_t i = 0; i < times; i++) {
        turn();
    }
    return 0;
}

/* Nonzero: the clock moves with the instructions, within 1 %. */
static int checks_print(void)
{
    int good = 1;

    for (size_t i = 0; i < sizeof(check_turns) / sizeof(check_turns[0]); i++) {
        uint64_t length = check_turns[i] * CHECK_BODY;
        uint64_t clock = clock_instructions();
        uint64_t count = instructions_now();

        known_loop(check_turns[i]);
        count = instructions_now() - count;
        clock = clock_instructions() - clock;
        good &= clock >= length - length / 100 && clock <= length + length / 100;
        printf("check %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", length, count, clock);
    }
    return good;
}

/* What is known before anything is measured. */
static void facts_print(uint64_t boot)
{
    struct machine_info machine = {0};

    (void)sys_quiesce(user_machine());
    (void)sys_machine_info(user_machine(), (uintptr_t)&machine);
    printf("fact boot_instructions %" PRIu64 "\n", boot);
    printf("fact levels %" PRIu64 "\n", machine.levels);
    printf("fact harts %" PRIu64 "\n", machine.harts);
    printf("fact timebase_hz %" PRIu64 "\n", machine.timebase_hz);
    printf("fact free_frames %" PRIu64 "\n", machine.free_frames);
}

/* Runs a row once; its instructions and counts.  Negative: an error. */
static long row_once(const struct row *row, uint64_t *instructions, struct counts *counts)
{
    long status = row->before != NULL ? row->before() : 0;

    if (status != 0) {
        return status;
    }
    struct counts before = counts_now();
    uint64_t start = instructions_now();

    status = row->run(row->times);
    *instructions = instructions_now() - start;
    *counts = counts_now();
    for (unsigned i = 0; i < COUNTS_MAX; i++) {
        counts->of[i] -= before.of[i];
    }
    if (row->after != NULL) {
        row->after();
    }
    return status;
}

/* The first run warms up: it brings what stays from then on. */
static long row_measure(const struct row *row, uint64_t *instructions, struct counts *counts)
{
    long status = row_once(row, instructions, counts);

    return status != 0 ? status : row_once(row, instructions, counts);
}

void row_print(const struct row *row)
{
    const struct row empty = {.times = row->in_one ? 0 : row->times, .run = loop_run};
    uint64_t instructions = 0;
    uint64_t loop = 0;
    struct counts counts = {0};
    struct counts own = {0};
    long status = row_measure(row, &instructions, &counts);

    if (status == 0) {
        status = row_measure(&empty, &loop, &own);
    }
    if (status != 0) {
        printf("absent %s %ld\n", row->name, -status);
        return;
    }
    printf("row %s n=%" PRIu64 " instructions=%" PRIu64, row->name, row->times,
           instructions - loop);
    /* Reading the counters are calls too. */
    for (unsigned i = 0; count_names[i] != NULL; i++) {
        printf(" %s=%" PRIu64, count_names[i], counts.of[i] - own.of[i]);
    }
    printf("\n");
}

static void rows_print(const struct row *rows, const char *only)
{
    for (const struct row *row = rows; row->name != NULL; row++) {
        if (only == NULL || strcmp(only, row->name) == 0) {
            row_print(row);
        }
    }
}

int main(int argc, char **argv)
{
    int at = 1;
    int exact = 0; /* scripts/bench judges then */

    if (at < argc && strcmp(argv[at], "instret") == 0) {
        instructions_by_instret();
        exact = 1;
        at++;
    }
    const char *only = at < argc ? argv[at] : NULL;

    facts_print(instructions_now());
    if (!checks_print() && !exact) {
        printf("bench: the clock does not count instructions here: use scripts/bench\n");
        return 1;
    }
    if (only != NULL && strcmp(only, "flat") == 0) {
        flat_print();
        turns_print();
        return 0;
    }
    rows_print(rows_call, only);
    rows_print(rows_memory, only);
    rows_print(rows_fault, only);
    rows_print(rows_clone, only);
    rows_print(rows_object, only);
    rows_print(rows_large, only);
    rows_print(rows_thread, only);
    rows_print(rows_process, only);
    return 0;
}
