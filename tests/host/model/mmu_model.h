/* SPDX-License-Identifier: MIT */
/*
 * An independent page-table walker: the judge of every test that maps something.
 *
 * Written from the steps of the privileged spec, "Virtual Address Translation Process" (Sv39, Sv48
 * and Sv57 differ in LEVELS alone), with its own constants; it shares nothing with arch/pte.h or
 * mm/.  It is strict: every encoding the spec reserves is a fault.  Hardware updating of A and D is
 * not done here: a clear bit faults, as Svade says.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum mmu_access {
    MMU_READ,
    MMU_WRITE,
    MMU_EXECUTE,
};

enum mmu_privilege {
    MMU_USER,
    MMU_SUPERVISOR, /* with SUM and MXR clear */
};

/* How a walk ended. */
enum mmu_end {
    MMU_LEAF,
    MMU_INVALID,       /* V clear                                 */
    MMU_RESERVED,      /* an encoding the spec reserves           */
    MMU_NO_RAM,        /* a table where there is no RAM           */
    MMU_NOT_CANONICAL, /* the address copies its top bit wrongly  */
};

struct mmu_step {
    uint64_t entry_pa;
    uint64_t entry;
};

/* A walk: the entries it read, from `first_level` down to `level`. */
struct mmu_walk {
    enum mmu_end end;
    unsigned first_level;
    unsigned level;           /* where it ended */
    struct mmu_step steps[5]; /* by level       */
};

/* What an access gives. */
struct mmu_result {
    bool allowed;
    uint64_t pa;         /* if allowed: of the byte           */
    uint64_t page_bytes; /* extent of the entry where it ended */
    uint64_t entry;      /* last entry read                   */
    enum mmu_end end;
};

/* Walks from the table at `table_pa`, which is of `level`. */
struct mmu_walk mmu_model_walk_from(uint64_t table_pa, unsigned level, uint64_t va);

/* Walks from a root with so many levels. */
struct mmu_walk mmu_model_walk(uint64_t root_pa, unsigned levels, uint64_t va);

/* True if the leaf entry grants the access. */
bool mmu_model_permits(uint64_t leaf, enum mmu_access access, enum mmu_privilege privilege);

/* The byte that a leaf of `level` names for va. */
uint64_t mmu_model_leaf_pa(uint64_t leaf, unsigned level, uint64_t va);

/* A whole access. */
struct mmu_result mmu_model_translate(uint64_t root_pa, unsigned levels, uint64_t va,
                                      enum mmu_access access, enum mmu_privilege privilege);

/* Extent of an entry of `level`: 4 KiB, 2 MiB, 1 GiB, 512 GiB, 256 TiB. */
uint64_t mmu_model_extent(unsigned level);
