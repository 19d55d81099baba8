/* SPDX-License-Identifier: MIT */
/*
 * What is measured: operations on a range of pages, each by mm, by the host's kernel if it has the
 * like, and by the floor, a loop that stores an entry a page into a flat table.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/hart.h"
#include "mm/vm_space.h"

#define BENCH_PAGES_MAX UINT64_C(8192) /* longest range    */
#define BENCH_HARTS_MAX 2U

/* Rows of the table, in the order in which they run. */
enum bench_op {
    BENCH_OPEN,     /* a cursor on the range, opened and closed           */
    BENCH_POPULATE, /* fresh zeroed frames mapped                         */
    BENCH_QUERY,    /* each page asked for                                */
    BENCH_FIND,     /* the range searched: nothing but its last page left */
    BENCH_FAULT,    /* a fault on each page that the table permits        */
    BENCH_TIGHTEN,  /* RW to R                                            */
    BENCH_LOOSEN,   /* R to RW                                            */
    BENCH_UNMAP,    /* unmapped, frames and tables given back             */
    BENCH_MAP,      /* frames mapped that are there already               */
    BENCH_OP_COUNT,
};

/* `ranges` ranges of `pages` pages, each begun at a multiple of its stride. */
struct bench_shape {
    uint64_t pages, ranges;
};

/* One hart's part of a run. */
struct bench_part {
    struct vm_space *space;
    hart_idx_t hart;
    struct bench_shape shape;
};

/* mm (ops_mm.c).  Prepares what the operation works on, not timed; does it for every range of the
 * shape; and checks, not timed, that it did what it says. */
void bench_mm_prepare(const struct bench_part *part, enum bench_op op);
void bench_mm_run(const struct bench_part *part, enum bench_op op);
void bench_mm_check(const struct bench_part *part, enum bench_op op);

/* The host's kernel (ops_host.c).  False: it has no such operation.  The order is that of enum
 * bench_op: populate makes the ranges, unmap ends them. */
bool bench_host_has(enum bench_op op);
void bench_host_run(const struct bench_part *part, enum bench_op op);

/* The floor: one store for each page of the shape. */
void bench_floor_run(const struct bench_part *part);
