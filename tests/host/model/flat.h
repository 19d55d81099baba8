/* SPDX-License-Identifier: MIT */
/*
 * The flat reference: an address space as a sorted list of pages, and a cursor as three numbers.
 *
 * It says what each operation of a cursor must do by the contract alone: there are no tables, so it
 * knows nothing of extents, locks or flushes.  Where the contract leaves open which of several
 * errors is reported, any of them is right: errors are sets.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/status.h"

#define FLAT_PAGE 4096U

enum flat_kind {
    FLAT_RAM,
    FLAT_IO,
};

struct flat_page {
    uint64_t va;
    enum flat_kind kind;
    uint64_t pa;
    unsigned prot; /* R 1, W 2, X 4 */
};

struct flat {
    struct flat_page *pages; /* ascending */
    size_t count, capacity;
};

struct flat_cursor {
    uint64_t start, end, va;
    bool may_change;
};

/* A set of statuses other than OK; empty: the operation must succeed. */
struct flat_errors {
    uint32_t bits;
};

static inline struct flat_errors flat_error(status_t status)
{
    return (struct flat_errors){UINT32_C(1) << -(int)status};
}

static inline struct flat_errors flat_either(struct flat_errors a, struct flat_errors b)
{
    return (struct flat_errors){a.bits | b.bits};
}

/* True if the status is what was expected. */
static inline bool flat_expects(struct flat_errors errors, status_t got)
{
    return errors.bits == 0 ? got == OK : (errors.bits >> -(int)got & 1) != 0;
}

/* The page at va, or NULL. */
const struct flat_page *flat_at(const struct flat *flat, uint64_t va);

/* First page at or past va, or NULL. */
const struct flat_page *flat_from(const struct flat *flat, uint64_t va);

/* Pages that lead to pa. */
size_t flat_count_pa(const struct flat *flat, uint64_t pa);

/* Puts a page in, in place of the one that is there. */
void flat_put(struct flat *flat, struct flat_page page);

/* Removes [start, end); how many of each kind. */
struct flat_removed {
    uint64_t ram_pages, io_pages;
};
struct flat_removed flat_remove(struct flat *flat, uint64_t start, uint64_t end);

/* What the contract says of the arguments. */
struct flat_errors flat_errors_open(uint64_t start, uint64_t end, uint64_t limit);
struct flat_errors flat_errors_jump(const struct flat_cursor *cursor, uint64_t va);
struct flat_errors flat_errors_len(const struct flat_cursor *cursor, uint64_t len);
struct flat_errors flat_errors_change(const struct flat_cursor *cursor);
struct flat_errors flat_errors_prot(unsigned prot);
