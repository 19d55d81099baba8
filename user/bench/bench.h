/* SPDX-License-Identifier: MIT */
/*
 * The benchmark's parts.  A row is an operation done many times in a loop; what it takes is counted
 * in instructions and by the kernel's own counters, and printed for scripts/bench to divide.  Rows
 * print nothing and allocate nothing themselves while they are measured.
 */
#pragma once

#include <stdint.h>

#include "user/vellum.h"
#include "vellum/calls.h"

#define PAGE  VM_PAGE_SIZE
#define RW    (VM_PROT_R | VM_PROT_W)
#define PLACE USER_FREE_START /* where rows map */

/* One operation. */
struct row {
    const char *name;
    uint64_t times; /* how often run() does it                                     */
    int in_one;     /* run() does all of them at once: it has no loop to subtract  */
    /* before: what has to be there, not counted; after: its end.  Either may be NULL.  An error of
     * `before` or of `run`, which is negative, leaves the row out. */
    long (*before)(void);
    long (*run)(uint64_t times);
    void (*after)(void);
};

/* Measures a row and prints it. */
void row_print(const struct row *row);

/* Measures and prints the rows of flat.c. */
void flat_print(void);

/* The same for turns.c. */
void turns_print(void);

extern const struct row rows_call[];
extern const struct row rows_memory[];
extern const struct row rows_fault[];
extern const struct row rows_clone[];
extern const struct row rows_object[];
extern const struct row rows_large[];
extern const struct row rows_thread[];
extern const struct row rows_process[];

/* Instructions since reset, all modes together, as the clock tells them: QEMU's -icount moves it by
 * a nanosecond an instruction. */
uint64_t clock_instructions(void);

/* The same, exactly after instructions_by_instret(); without it from the clock. */
uint64_t instructions_now(void);
void instructions_by_instret(void);

/* The kernel's counters that rows are told in. */
#define COUNTS_MAX 16U
struct counts {
    uint64_t of[COUNTS_MAX];
};
extern const char *const count_names[]; /* NULL ends it */
struct counts counts_now(void);

/* Loops `times` over nothing at all: what every row's loop costs. */
long loop_run(uint64_t times);

/* Keeps the compiler from joining or dropping the turns of a loop. */
static inline void turn(void)
{
    __asm__ volatile("");
}
