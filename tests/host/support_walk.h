/* SPDX-License-Identifier: MIT */
/*
 * The judge of every test that maps something: the oracle's own walker (machine/walk.h), and what
 * an access by the tables in memory alone comes to.  It is strict: every encoding the spec reserves
 * is a fault, and so is a clear A, or D on a write.
 */
#pragma once

#include "machine/walk.h"

enum walk_who {
    WALK_USER,
    WALK_SUPERVISOR, /* with SUM and MXR clear */
};

struct walk_result {
    bool allowed;
    uint64_t pa;         /* if allowed: of the byte            */
    uint64_t page_bytes; /* extent of the entry where it ended */
    uint64_t entry;      /* last entry read                    */
    enum walk_end end;
};

/* True if the leaf entry grants the access. */
bool walk_permits(uint64_t leaf, enum oracle_access access, enum walk_who who);

struct walk_result walk_access(uint64_t root_pa, unsigned levels, uint64_t va,
                               enum oracle_access access, enum walk_who who);
