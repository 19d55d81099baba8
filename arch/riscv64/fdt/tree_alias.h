/* SPDX-License-Identifier: MIT */
/* Where memory is seen a second time. */
#pragma once

#include "fdt/tree.h"

/* Fills aliases and alias_count: of machines of which it is known; no tree tells it.  The banks
 * have been read: of one that shows memory of another a second time, what is shown twice is left
 * out, and noted. */
void tree_alias_read(const struct tree *tree);
