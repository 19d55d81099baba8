/* SPDX-License-Identifier: MIT */
/*
 * Entries with V clear that keep a frame, or above level 0 a block: dying and hidden ones.
 *
 * Pure functions of values, like arch/pte.h, which has their layout and tells them from others.
 */
#pragma once

#include "arch/pte.h"

/* What an entry that keeps a frame says beside its tag: address, RSW, A and D of a leaf; of a page
 * of a region no D, which would make it a view. */
static inline uint64_t pte_kept_bits(pte_t leaf)
{
    uint64_t dirty = pte_sw(leaf) == PTE_SW_IO ? 0 : PTE_D;

    return pte_pa(leaf).raw >> PAGE_SHIFT << PTE_KEPT_PPN_SHIFT |
           (leaf.raw & (PTE_RSW_MASK | PTE_A | dirty));
}

/* What a leaf becomes between its removal and the end of its flush. */
static inline pte_t pte_make_dying(pte_t leaf)
{
    return (pte_t){pte_kept_bits(leaf) | PTE_TAG_DYING << PTE_TAG_SHIFT};
}

/* The same for a hidden page, which owes no flush of its own. */
static inline pte_t pte_hidden_make_dying(pte_t hidden)
{
    return (pte_t){(hidden.raw & ~PTE_TAG_MASK) | PTE_TAG_DYING << PTE_TAG_SHIFT};
}

/* What a leaf of RAM becomes when nobody may access it for a while. */
static inline pte_t pte_make_hidden(pte_t leaf)
{
    return (pte_t){pte_kept_bits(leaf) | PTE_TAG_HIDDEN << PTE_TAG_SHIFT};
}

/* The user leaf that a hidden entry was, without rights: pte_with_rights makes it one. */
static inline pte_t pte_hidden_make_leaf(pte_t hidden)
{
    return (pte_t){hidden.raw >> PTE_KEPT_PPN_SHIFT << PTE_PPN_SHIFT |
                   (hidden.raw & (PTE_RSW_MASK | PTE_A | PTE_D)) | PTE_U | PTE_V};
}

/* The address a dying or hidden entry still holds, and whose frame it is. */
static inline paddr_t pte_kept_pa(pte_t entry)
{
    return (paddr_t){entry.raw >> PTE_KEPT_PPN_SHIFT << PAGE_SHIFT};
}

/* What a dying or hidden entry says about it. */
static inline enum pte_sw pte_kept_sw(pte_t entry)
{
    enum pte_sw sw = (enum pte_sw)((entry.raw & PTE_RSW_MASK) >> PTE_RSW_SHIFT);

    return sw == PTE_SW_IO && (entry.raw & PTE_D) != 0 ? PTE_SW_VIEW : sw;
}

static inline bool pte_dying_is_io(pte_t dying)
{
    return pte_kept_sw(dying) == PTE_SW_IO;
}

/* pte_leaf_part of a hidden entry. */
static inline pte_t pte_hidden_part(pte_t hidden, uint64_t i, uint64_t bytes)
{
    return (pte_t){hidden.raw + ((i * bytes) >> PAGE_SHIFT << PTE_KEPT_PPN_SHIFT)};
}
