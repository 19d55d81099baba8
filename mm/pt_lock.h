/* SPDX-License-Identifier: MIT */
/* The sub-tree lock protocol, as the cursors use it; pt_lock.c tells how it works. */
#pragma once

#include "pt_node.h"

enum pt_link {
    PT_LINK_NOTHING, /* stop at the first absent entry                        */
    PT_LINK_MISSING, /* make the tables down to the lowest that fits the range */
};

/* Locks the lowest node that contains *range and every existing node below it that intersects it.
 *
 * range:     inside the user half, not empty, page aligned; cut at its end where more than
 * max_nodes would have to be locked, but never to nothing. Errors:    ERR_NOMEM  no table; those
 * linked before stay (empty, and found by the next comer) ERR_DEADLK this hart holds one of the
 * nodes.   Nothing is locked after an error. Context:   only page-table node locks may be held. */
status_t pt_lock_range(struct pt_node *root, enum pt_link link, unsigned max_nodes,
                       struct va_range *range, struct pt_node **cover);

/* Unlocks what pt_lock_range locked, and what was linked below since, in reverse order. */
void pt_unlock_range(struct pt_node *cover, struct va_range range);

/* Locks a node that is not linked yet, so that it is born locked. */
void pt_lock_unlinked(struct pt_node *node);

/* Marks a locked sub-tree that has just been detached as stray, and unlocks it, children first. */
void pt_unlock_stray(struct pt_node *node);
