/* SPDX-License-Identifier: MIT */
/* The harts the kernel can use, and their common clock. */
#pragma once

#include "fdt/tree.h"

/* Fills harts, hart_skipped, levels_cap, isa, cbo_block_bytes and timebase_hz; plic_context is -1.
 * Errors: ERR_INVAL  /cpus or the clock is malformed, two usable harts have one id, or the boot
 * hart is not there ERR_NOTSUP the kernel cannot run on the boot hart; tree->problem says why in
 * both. */
status_t tree_harts_read(const struct tree *tree);

/* True if the machine is of the family whose hart 0 is a monitor core without S mode and whose
 * interrupt contexts are counted from it (SiFive FU540 and FU740,
 * PolarFire SoC, StarFive JH7110). */
bool tree_harts_start_with_monitor(const struct tree *tree);
