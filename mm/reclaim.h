/* SPDX-License-Identifier: MIT */
/* The end of detached tables and of dead spaces (vm_space_reap is its public side). */
#pragma once

#include "pt_node.h"

/* Pages of any size that one piece of work releases at most, and nodes that it frees. */
#define RECLAIM_LEAVES 256U
#define RECLAIM_TABLES 64U

/* What one piece may still do. */
struct reclaim_budget {
    unsigned tables, leaves;
};

/* Something has been put by that vm_space_reap is to do, or to have done: mm/mem_object_reap.c has
 * a list of its own.  end: it is done, and its frames are back. */
void reclaim_begin(void);
void reclaim_end(void);

/* Takes over a detached, stray, unlocked sub-tree, or the root of a space without references.  Its
 * flush has been done.  Never fails, never waits. */
void reclaim_park(struct pt_node *node);

/* Releases what such a sub-tree maps before it is parked: device pages and pages that are dying
 * always, others node by node as long as *leaves lasts.  What it leaves is RAM. */
void reclaim_release(struct pt_node *node, unsigned *leaves);

/* Releases what a node maps or hides, as far as the budget goes.  True: nothing is left but tables.
 */
bool reclaim_take_leaves(struct pt_node *node, struct reclaim_budget *budget);

/* Releases what the dying entries of a part of a node still hold; the caller owns the node, and
 * their flush has been done.  Returns how many there were. */
unsigned reclaim_dying(struct pt_node *node, struct pt_span span);
