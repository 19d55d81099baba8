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
    uint64_t slots[LEVELS_MAX];  /* by level: where entries were read       */
};

/* From a root with so many levels. */
struct walk walk_from(uint64_t root_pa, unsigned levels, uint64_t va);

/* From a root, all levels of the configuration. */
static inline struct walk walk_from_root(uint64_t root_pa, uint64_t va)
{
    return walk_from(root_pa, oracle.config.levels, va);
}

/* From a table of `level`. */
struct walk walk_from_table(uint64_t table_pa, unsigned level, uint64_t va);

/* The byte that a leaf of `level` names for va. */
static inline uint64_t walk_pa(uint64_t leaf, unsigned level, uint64_t va)
{
    return entry_pa(leaf) + (va & (entry_extent(level) - 1));
}

/* The table that was read at `level`. */
static inline uint64_t walk_table(const struct walk *walk, unsigned level)
{
    return walk->slots[level] & ~(TABLE_BYTES - 1);
}
