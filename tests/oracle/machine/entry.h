/* SPDX-License-Identifier: MIT */
/*
 * Page-table entries as the hardware reads them: privileged spec, "Sv39", "Sv48", "Sv57" (one
 * format) and "Svpbmt".  Bit numbers are written out here once more on purpose: the judge shares no
 * code with what it judges.
 *
 *   63  62:61  60:54     53:10  9:8  7 6 5 4 3 2 1 0
 *   N   PBMT   reserved  PPN    RSW  D A G U X W R V
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "machine/oracle.h"

#define ENTRY_V       (UINT64_C(1) << 0)
#define ENTRY_R       (UINT64_C(1) << 1)
#define ENTRY_W       (UINT64_C(1) << 2)
#define ENTRY_X       (UINT64_C(1) << 3)
#define ENTRY_U       (UINT64_C(1) << 4)
#define ENTRY_G       (UINT64_C(1) << 5)
#define ENTRY_A       (UINT64_C(1) << 6)
#define ENTRY_D       (UINT64_C(1) << 7)
#define ENTRY_RIGHTS  (ENTRY_R | ENTRY_W | ENTRY_X | ENTRY_U | ENTRY_G)
#define ENTRY_RSW     (UINT64_C(3) << 8)
#define ENTRY_PBMT    (UINT64_C(3) << 61)
#define ENTRY_ZERO    (UINT64_C(0x7f) << 54 | UINT64_C(1) << 63) /* reserved, and Svnapot's N */
#define ENTRIES       512U
#define LEVELS_MAX    5U
#define TABLE_BYTES   UINT64_C(4096)
#define TABLE_SHIFT   12U
#define INDEX_BITS    9U
#define LEVEL_UNKNOWN UINT32_MAX

static inline bool entry_is_valid(uint64_t entry)
{
    return (entry & ENTRY_V) != 0;
}

static inline bool entry_is_leaf(uint64_t entry)
{
    return entry_is_valid(entry) && (entry & (ENTRY_R | ENTRY_W | ENTRY_X)) != 0;
}

static inline bool entry_is_pointer(uint64_t entry)
{
    return entry_is_valid(entry) && (entry & (ENTRY_R | ENTRY_W | ENTRY_X)) == 0;
}

static inline uint64_t entry_pa(uint64_t entry)
{
    return (entry >> 10 & ((UINT64_C(1) << 44) - 1)) << TABLE_SHIFT;
}

/* Bytes that an entry of `level` translates. */
static inline uint64_t entry_extent(unsigned level)
{
    return UINT64_C(1) << (TABLE_SHIFT + INDEX_BITS * level);
}

static inline unsigned entry_index(uint64_t va, unsigned level)
{
    return (unsigned)(va >> (TABLE_SHIFT + INDEX_BITS * level)) & (ENTRIES - 1);
}

/* Why hardware would raise a page fault at a valid entry, in words; NULL: it is well formed.  Level
 * LEVEL_UNKNOWN leaves out what depends on it. */
static inline const char *entry_problem(uint64_t entry, unsigned level, bool has_svpbmt)
{
    if ((entry & ENTRY_ZERO) != 0) {
        return "reserved bits are set";
    }
    if ((entry & ENTRY_PBMT) == ENTRY_PBMT || (!has_svpbmt && (entry & ENTRY_PBMT) != 0)) {
        return "the memory type is reserved";
    }
    if ((entry & (ENTRY_R | ENTRY_W)) == ENTRY_W) {
        return "W without R is reserved";
    }
    if (entry_is_pointer(entry)) {
        if ((entry & (ENTRY_U | ENTRY_A | ENTRY_D | ENTRY_PBMT)) != 0) {
            return "U, A, D and the memory type of a pointer are reserved";
        }
        return level == 0 ? "a pointer at level 0" : NULL;
    }
    if (level != LEVEL_UNKNOWN && level > 0 && (entry_pa(entry) & (entry_extent(level) - 1)) != 0) {
        return "a misaligned superpage";
    }
    return NULL;
}

/* True if the leaf grants the access to user mode, A and D aside ("Virtual Address Translation
 * Process", the step of permission bits). */
static inline bool entry_grants(uint64_t leaf, enum oracle_access access)
{
    uint64_t right = access == ORACLE_READ ? ENTRY_R : access == ORACLE_WRITE ? ENTRY_W : ENTRY_X;

    return (leaf & ENTRY_U) != 0 && (leaf & right) != 0;
}

/* A and D bits that the access needs set. */
static inline uint64_t entry_marks(enum oracle_access access)
{
    return access == ORACLE_WRITE ? ENTRY_A | ENTRY_D : ENTRY_A;
}

/* True if whoever uses leaf `held` can do nothing with it that `now` would not let it do: same
 * place, same memory type, no more rights, and no store that goes unmarked. */
static inline bool entry_is_within(uint64_t held, uint64_t held_pa, uint64_t now, uint64_t now_pa)
{
    uint64_t rights = ENTRY_RIGHTS;

    if ((held & ENTRY_W) != 0) {
        rights |= ENTRY_D;
    }
    return held_pa == now_pa && (held & ENTRY_PBMT) == (now & ENTRY_PBMT) &&
           (held & ~now & rights) == 0;
}
