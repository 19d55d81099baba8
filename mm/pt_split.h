/* SPDX-License-Identifier: MIT */
/*
 * Making the ends of a range boundaries of entries, before something happens to the whole range.
 *
 * An end may lie inside a large entry: a mark, a leaf or hidden pages.  Then a table takes the
 * entry's place, all of whose entries mean their part of it, and so on down, until the end is a
 * boundary.  What every address means stays as it was.
 */
#pragma once

#include "pt_walk.h"

enum pt_ends {
    PT_ENDS_OF_ENTRIES, /* where an end lies inside one; tables may come from the split stock    */
    PT_ENDS_ALL,        /* where nothing is, too, or what is dying, as large as a table's entries */
};

/* The ends of `part`, inside the cursor's range.  All tables are there before the first is linked;
 * then what the cursor owes for detached tables is paid first.  An empty part needs nothing.  The
 * flush that the split of a leaf owes is the cursor's.
 * ERR_NOMEM: nothing changed. */
status_t pt_split_ends(struct vm_cursor *cursor, struct va_range part, enum pt_ends ends);

/* Splits what covers va, in the cursor's range, until its entry is of `level` at most; tables may
 * come from the split stock.  Where nothing is, or a table's entry is as low already, there is
 * nothing to do.  ERR_NOMEM: nothing changed. */
status_t pt_split_to(struct vm_cursor *cursor, vaddr_t va, unsigned level);

/* Splits the entry of a place where an end of `part`, which touches it, lies inside it, in the same
 * way; the place is then the first of what the part holds of it. */
status_t pt_split_place(struct vm_cursor *cursor, struct pt_place *place, struct va_range part);
