/* SPDX-License-Identifier: MIT */
/* Whole tables that change their place: within a space, or from one to another. */
#pragma once

#include "pt_walk.h"

/* What a table and all below it are made of. */
struct pt_weight {
    uint64_t tables; /* itself too                                         */
    uint64_t charge; /* frames that a space is charged for them            */
    bool is_free;    /* nothing in it is counted by its space in any other way: no page of a
                        region, no mark that names an object               */
    bool is_flat;    /* nothing in it is larger than 4 KiB: no part of it needs a split      */
};

/* Weighs a locked sub-tree.  False: it has more than max_tables. */
bool pt_weigh(const struct pt_node *top, uint64_t max_tables, struct pt_weight *weight);

/* Takes the table that `source` points to out of its place and puts it, with all below it, in the
 * absent entry `index` of `parent`, a node of the same level, maybe of another space.  The caller
 * has all of them locked; so are those that moved, from now on, as part of where they stand.  The
 * charge is the caller's, and the flush: harts may walk through them from the old place until it is
 * done. */
void pt_relink(const struct pt_place *source, struct pt_node *parent, unsigned index);
