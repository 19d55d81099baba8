/* SPDX-License-Identifier: MIT */
/*
 * Marks: entries with V clear that say what an address means while no frame is there.
 *
 * Pure functions of values, like arch/pte.h, which has their layout and tells them from others.
 */
#pragma once

#include "arch/pte.h"

enum pte_mark_kind {
    PTE_MARK_RESERVED, /* demand-zero RAM                                                   */
    PTE_MARK_GUARD,    /* nothing, for good                                                 */
    PTE_MARK_PAGED,    /* pages `place` and on of what the space's table names under `slot` */
    PTE_MARK_SWAPPED,  /* level 0: a page that somebody keeps, under the name `place`       */
};

/* A mark: what an address means while no frame is there.  prot is VM_PROT_NONE or legal, and
 * without W in a view; of a guard nothing else counts.  A reserved one's place is the level of the
 * pages that are to come where its own entry is of that level or above: 0 to PTE_LEVEL_RAM_MAX. */
struct pte_mark {
    enum pte_mark_kind kind;
    enum pte_sw sw; /* of the page that will be there: PTE_SW_RAM, PTE_SW_PRIVATE, PTE_SW_VIEW */
    enum vm_prot prot;
    uint32_t slot;
    uint64_t place; /* below 2^PTE_MARK_PLACE_BITS; of the first page */
};

static inline uint64_t pte_mark_tag(enum pte_mark_kind kind)
{
    switch (kind) {
    case PTE_MARK_RESERVED:
        return PTE_TAG_RESERVED;
    case PTE_MARK_GUARD:
        return PTE_TAG_GUARD;
    case PTE_MARK_PAGED:
        return PTE_TAG_PAGED;
    case PTE_MARK_SWAPPED:
        break;
    }
    return PTE_TAG_SWAPPED;
}

static inline pte_t pte_make_mark(struct pte_mark mark)
{
    uint64_t raw = pte_mark_tag(mark.kind) << PTE_TAG_SHIFT;

    if (mark.kind == PTE_MARK_GUARD) {
        return (pte_t){raw};
    }
    raw |= (uint64_t)mark.prot << PTE_MARK_PROT_SHIFT;
    raw |= mark.sw == PTE_SW_PRIVATE ? PTE_MARK_PRIVATE : 0;
    raw |= mark.sw == PTE_SW_VIEW ? PTE_MARK_VIEW : 0;
    raw |= mark.kind == PTE_MARK_PAGED ? (uint64_t)mark.slot << PTE_MARK_SLOT_SHIFT : 0;
    return (pte_t){raw | mark.place << PTE_MARK_PLACE_SHIFT};
}

static inline enum pte_mark_kind pte_mark_kind(pte_t mark)
{
    switch (pte_tag(mark)) {
    case PTE_TAG_GUARD:
        return PTE_MARK_GUARD;
    case PTE_TAG_PAGED:
        return PTE_MARK_PAGED;
    case PTE_TAG_SWAPPED:
        return PTE_MARK_SWAPPED;
    default:
        return PTE_MARK_RESERVED;
    }
}

static inline enum pte_sw pte_mark_sw(pte_t mark)
{
    if ((mark.raw & PTE_MARK_VIEW) != 0) {
        return PTE_SW_VIEW;
    }
    return (mark.raw & PTE_MARK_PRIVATE) != 0 ? PTE_SW_PRIVATE : PTE_SW_RAM;
}

static inline struct pte_mark pte_decode_mark(pte_t entry)
{
    return (struct pte_mark){
        .kind = pte_mark_kind(entry),
        .sw = pte_mark_sw(entry),
        .prot = (enum vm_prot)((entry.raw & PTE_MARK_PROT_MASK) >> PTE_MARK_PROT_SHIFT),
        .slot = (uint32_t)((entry.raw & PTE_MARK_SLOT_MASK) >> PTE_MARK_SLOT_SHIFT),
        .place = entry.raw >> PTE_MARK_PLACE_SHIFT,
    };
}

/* What page `pages` of a mark's extent means: the same mark, or the part of what is paged that
 * begins so many pages further on. */
static inline pte_t pte_mark_at(pte_t mark, uint64_t pages)
{
    return (pte_t){mark.raw + (pte_is_paged(mark) ? pages << PTE_MARK_PLACE_SHIFT : 0)};
}
