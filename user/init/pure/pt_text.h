/* SPDX-License-Identifier: MIT */
/* The text of a page-table dump, one line a record, and the difference of two dumps.  docs/shell.md
 * describes the format, which is stable. */
#pragma once

#include "pt_walk.h"

#define PT_TEXT_BYTES 120U

/* Writes the line of a record of a tree of so many levels, without a newline. */
void pt_text_line(const struct pt_record *record, unsigned levels, char text[PT_TEXT_BYTES]);

/* A dump: records in the order of a walk. */
struct pt_dump {
    const struct pt_record *records;
    size_t count;
    uint64_t limit; /* it tells of nothing from here on */
};

enum pt_change {
    PT_SAME,
    PT_GONE, /* only in the first dump  */
    PT_NEW,  /* only in the second      */
};

/* Calls tell() for each record of two dumps, in order; below the smaller of their limits. */
void pt_text_compare(const struct pt_dump *before, const struct pt_dump *after,
                     void (*tell)(void *context, enum pt_change change,
                                  const struct pt_record *record),
                     void *context);
