/* SPDX-License-Identifier: MIT */
/* Memory banks, reserved ranges and the initrd. */
#pragma once

#include "fdt/tree.h"

/* Fills banks, reserved and initrd.
 * Errors: ERR_INVAL  a memory node, a reservation or the initrd is malformed, or there are too many
 *         ERR_NOTSUP there is no memory; tree->problem names the place in both. */
status_t tree_memory_read(const struct tree *tree);
