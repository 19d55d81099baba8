/* SPDX-License-Identifier: MIT */
/*
 * Address translation of this hart: what boot decides once and arch.h's functions then use.
 */
#pragma once

#include "lib/types.h"

/* How many levels the tables of mm/ have: 3, 4 or 5.  Before mm_init, once. */
void mmu_set_levels(unsigned level_count);

/* Whether leaf entries may carry a memory type. */
void mmu_set_svpbmt(bool works);

/* Width of address-space identifiers to use; 0: none. */
void mmu_set_asid_bits(unsigned bits);

/* Every fence from now on covers everything: an erratum or `fence=global` asks for it. */
void mmu_set_global_fences(void);
bool mmu_has_global_fences(void);

/* The direct map shows physical address base_pa at virtual address base. */
void mmu_set_direct(uint64_t base, paddr_t base_pa);

/* Makes `root` the table in force with the levels that were set, and moves the direct map: the
 * callback of mm_init. */
void mmu_activate(paddr_t root, uint64_t base, paddr_t base_pa);

/* Makes the table of mmu_activate the one of this hart too, with nothing left of another in its TLB
 * or instruction cache. */
void mmu_join(void);

/* Zeroes frames with cbo.zero from now on, in blocks of that size: a power of two, at most a page.
 */
void mmu_set_zero_block(uint64_t block_bytes);

/* zero_frame.S: a page by plain stores, or by cache blocks. */
void fill_frame_stores(void *frame, uint64_t word);
void zero_frame_blocks(void *frame, uint64_t block_bytes);
