/* SPDX-License-Identifier: MIT */
/*
 * A random run against the flat reference model: its state, its choices, its judgements and its
 * report.  The steps themselves are test_model.c.
 */
#pragma once

#include <stdio.h>

#include "model/flat.h"
#include "support.h"

#define ISLANDS      6U
#define ISLAND_PAGES 24U
#define SHARED       6U
#define IO_PAGES     12U
#define HISTORY      40U

struct run {
    uint64_t seed, random;
    unsigned step, levels;
    struct world world;
    struct flat flat;
    struct vm_cursor cursor;
    struct flat_cursor model;
    bool is_open;
    uint64_t islands[ISLANDS];
    struct frame *shared[SHARED];
    struct io_mem *io;
    unsigned long audits;
    char history[HISTORY][160];
};

extern struct run run;

/* Words for the step that is about to be done. */
#define NOTE(...)                                                                                  \
    (void)snprintf(run.history[run.step % HISTORY], sizeof(run.history[0]), __VA_ARGS__)

/* Fails the test with the report unless the condition holds. */
#define AGREE(cond)                                                                                \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            run_report();                                                                          \
            cr_assert_fail("%s", #cond);                                                           \
        }                                                                                          \
    } while (0)

/* Prints the seed, the step and the steps before it. */
void run_report(void);

/* Boots, makes the space, the islands, the shared frames and the region. */
void run_begin(unsigned levels);

/* Gives all of it back and checks that nothing leaked. */
void run_end(void);

/* The value of an environment variable, or `otherwise`. */
uint64_t run_number(const char *name, uint64_t otherwise);

/* A number below `below`; the same sequence for the same seed everywhere. */
uint64_t pick(uint64_t below);
uint64_t pick_page(void);

/* Mostly lengths that stay inside the cursor, of every size; sometimes wrong ones. */
uint64_t pick_len(void);
unsigned pick_prot(void);

/* The walker agrees with the model at `at`, and at both sides of both ends. */
void check_page(uint64_t at);
void check_edges(uint64_t start, uint64_t end);

/* What a cursor says of the slot at `at` agrees with the model. */
void check_slot(const struct vm_slot *slot, uint64_t at);

/* References of every frame and of the region are what the pages and the test hold. */
void check_references(void);
