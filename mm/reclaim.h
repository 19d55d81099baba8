/* SPDX-License-Identifier: MIT */
/* The end of detached tables. */
#pragma once

#include "pt_node.h"

/* Releases everything a detached, stray, unlocked sub-tree maps and frees its nodes.  Its flush has
 * been done. */
void reclaim_table(struct vm_space *space, struct pt_node *node);
