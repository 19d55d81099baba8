/* SPDX-License-Identifier: MIT */
/*
 * The picture of an address space: rows of ranges, with bars drawn to a logarithmic scale.
 *
 * A space may have any number of ranges.  At most SPACE_ROWS_MAX rows are kept: when one more
 * comes, the two neighbours with the smallest gap between them are drawn as one row from then on.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "uapi/vm.h"

#define SPACE_ROWS_MAX   48U
#define SPACE_SIZE_BYTES 24U
#define SPACE_BAR_MAX    80U

struct space_row {
    uint64_t start;
    uint64_t end;
    uint64_t bytes;  /* mapped or marked between them  */
    uint64_t marked; /* of these: without memory       */
    uint64_t ranges; /* drawn as this row              */
    uint64_t shared; /* pages, as vm_ranges counts     */
    uint64_t accessed;
    uint64_t dirty;
    uint64_t physical; /* of start; 0: none, or several  */
    uint32_t kinds;    /* set: bit VM_KIND_*             */
    uint32_t prot_any; /* VM_PROT_* that some range has  */
    uint32_t prot_all; /* VM_PROT_* that every range has */
    uint32_t levels;   /* set: bit level                 */
    uint32_t flags;    /* VM_STATE_* that every range has */
};

struct space_rows {
    struct space_row rows[SPACE_ROWS_MAX + 1];
    size_t count;
    uint64_t ranges; /* added, those that go on where the last ended alike not counted */
    uint64_t folded; /* above the distances of all neighbours that became one row; 0: none did */
};

/* Adds a range; ranges come by rising addresses and do not overlap. */
void space_rows_add(struct space_rows *rows, const struct vm_range_info *range);

/* To be called when the last range was added. */
void space_rows_finish(struct space_rows *rows);

/* Number of leaf entries of one level that a row is made of; 0 if it has several levels. */
uint64_t space_rows_pages(const struct space_row *row);

/* "r-x"; a permission that only some of a row's ranges have is a '?'. */
void space_rows_prot_text(const struct space_row *row, char text[4]);

/* A size with one decimal unless it is exact: "64K", "1.5M", "155.9G". */
void space_rows_size_text(uint64_t bytes, char text[SPACE_SIZE_BYTES]);

/* A count in at most 6 columns: "12345", "1234K". */
void space_rows_count_text(uint64_t count, char text[SPACE_SIZE_BYTES]);

/* The size whose bar has all columns: that of the longest row or gap between rows, rounded up to a
 * power of two.  The gap behind the last row does not count: it is nearly all there is. */
uint64_t space_rows_longest(const struct space_rows *rows);

/* A bar for so many bytes: one column for a page, `columns` for the longest; one that would be
 * longer still ends in '>'. */
void space_rows_bar(uint64_t bytes, uint64_t longest, size_t columns, char fill,
                    char text[SPACE_BAR_MAX + 1]);

/* The scale above the bars: names of sizes, each beginning in the last column of its bar. */
void space_rows_scale(uint64_t longest, size_t columns, char text[SPACE_BAR_MAX + 1]);

/* What a bar of a row is drawn with: by what one may do there. */
char space_rows_fill(const struct space_row *row);
