/* SPDX-License-Identifier: MIT */
/*
 * The walker: "Virtual Address Translation Process" of the privileged spec, from its text.  Every
 * encoding that the spec reserves ends the walk.
 */
#pragma once

#include "machine/state.h"

enum walk_end {
    WALK_LEAF,
    WALK_INVALID,       /* V clear                                 */
    WALK_RESERVED,      /* an encoding the spec reserves           */
    WALK_NO_RAM,        /* a table where there is no RAM           */
    WALK_NOT_CANONICAL, /* the address copies its top bit wrongly  */
};

struct walk {
    enum walk_end end;
    unsigned first_level, level; /* where it began and ended                */
    uint64_t entry;              /* the last one read                       */
    uint64_t slot_pa;            /* where it was read                       */
    uint64_t tables[LEVELS_MAX]; /* by level: the tables that were read     */
};

/* From a root, all levels of the configuration. */
struct walk walk_from_root(uint64_t root_pa, uint64_t va);

/* From a table of `level`. */
struct walk walk_from_table(uint64_t table_pa, unsigned level, uint64_t va);

/* The byte that a leaf of `level` names for va. */
static inline uint64_t walk_pa(uint64_t leaf, unsigned level, uint64_t va)
{
    return entry_pa(leaf) + (va & (entry_extent(level) - 1));
}
