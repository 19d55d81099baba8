/* SPDX-License-Identifier: MIT */
/* The sub-tree lock protocol, as the cursors use it; pt_lock.c tells how it works. */
#pragma once

#include "pt_node.h"

enum pt_link {
    PT_LINK_NOTHING, /* stop at the first absent entry or mark                      */
    PT_LINK_MISSING, /* make the tables down to the lowest that fits the range; marks
                        on the way move into them                                   */
};

/* Locks the lowest node that contains *range and every existing node below it that intersects it.
 *
 * range:     inside the user half, not empty, page aligned; cut at its end where more than
 *            max_nodes would have to be locked, but never to nothing.
 * Errors:    ERR_NOMEM  no table; those linked before stay (empty, and found by the next comer)
 *            ERR_DEADLK this hart holds a node that excludes these, or comes after one of them.
 *            ERR_BUSY   (max_nodes below UINT_MAX) this hart holds nodes, and others have one that
 *                       it wants again and again
 *            Nothing is locked after an error, and ERR_DEADLK is found before anything is waited
 *            for.
 * Context:   only page-table node locks may be held. */
status_t pt_lock_range(struct pt_node *root, enum pt_link link, unsigned max_nodes,
                       struct va_range *range, struct pt_node **cover);

/* Unlocks what pt_lock_range locked, and what was linked below since, in reverse order. */
void pt_unlock_range(struct pt_node *root, struct pt_node *cover, struct va_range range);

/* Two ranges of one tree, the lower first, and the nodes that cover them: one node for both, or one
 * each, neither of which lies above the other. */
struct pt_two {
    struct va_range ranges[2];
    struct pt_node *covers[2];
};

#define PT_TWO_NODES_MIN (2 * PTE_LEVELS_MAX) /* enough for a page of each */

/* Locks for both what pt_lock_range would lock for each, every node once.  If that are more than
 * max_nodes, >= PT_TWO_NODES_MIN, both ranges are cut to the same length.  Errors: the same. */
status_t pt_lock_two(struct pt_node *root, enum pt_link link, unsigned max_nodes,
                     struct pt_two *two);
void pt_unlock_two(struct pt_node *root, const struct pt_two *two);

/* Locks a node that is not linked yet, so that it is born locked. */
void pt_lock_unlinked(struct pt_node *node);

/* Marks a locked sub-tree that has just been detached as stray, and unlocks it, children first.
 * Returns what its space was charged for it, which is the caller's to release. */
uint64_t pt_unlock_stray(struct pt_node *node);
