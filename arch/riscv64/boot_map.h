/* SPDX-License-Identifier: MIT */
/*
 * The first page tables, in force until mm/ has built its own: one set for all three modes, whose
 * roots share the node of the top 512 GiB.  arch/layout.h says what lies where.
 */
#pragma once

#include "arch/pte.h"
#include "arch/slot.h"
#include "lib/types.h"

/* One page for experiments with entries, at this address. */
#define BOOT_PROBE_VA (LAYOUT_FIXMAP + LAYOUT_FIXMAP_BYTES)

/* Maps the image at LAYOUT_KERNEL and the 2 MiB page of the tree at LAYOUT_FIXMAP.  Called by
 * boot.S at physical addresses, before paging; all it touches is reached relative to the pc. */
void boot_map_build(uint64_t image_start_pa, uint64_t tree_pa);

/* Physical address of the early root with that many levels. */
paddr_t boot_map_root(unsigned levels);

/* Maps the second 2 MiB page of the tree, when the tree reaches into it. */
void boot_map_second_tree_page(uint64_t tree_pa);

/* Maps the gigabyte at pa in LAYOUT_EARLY_DIRECT, which begins with physical address base. */
void boot_map_direct(paddr_t base, paddr_t pa);

/* The level-0 slot of BOOT_PROBE_VA. */
struct pte_slot *boot_map_probe_slot(void);
