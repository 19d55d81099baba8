/* SPDX-License-Identifier: MIT */
/*
 * Making the ends of a range boundaries of entries, before something happens to the whole range.
 *
 * An end may lie inside a large mark.  Then a table takes the mark's place, all of whose entries
 * are copies of it, and so on down, until the end is a boundary: the mark is pushed down.  What
 * every address means stays as it was.
 */
#pragma once

#include "pt_walk.h"

enum pt_ends {
    PT_ENDS_OF_MARKS, /* where an end lies inside a mark; tables may come from the split stock */
    PT_ENDS_ALL,      /* where it lies inside an absent entry, too, as large as a table's       */
};

/* The ends of `part`, inside the cursor's range.  All tables are there before the first is linked;
 * then what the cursor owes for detached tables is paid first.  An empty part needs nothing.
 * ERR_NOMEM: nothing changed. */
status_t pt_split_ends(struct vm_cursor *cursor, struct va_range part, enum pt_ends ends);
