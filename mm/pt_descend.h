/* SPDX-License-Identifier: MIT */
/* Steps 1 to 3 of the lock protocol that pt_lock.c tells of: from the root to a covering node. */
#pragma once

#include "pt_lock.h"

/* A node that a descent has found, and the place it looked for. */
struct found {
    struct pt_node *node;
    unsigned level;
    vaddr_t base;
};

/* True if the place contains the range. */
bool found_contains(struct found found, struct va_range range);

/* The node that covers the range, not locked.  ERR_NOMEM, ERR_DEADLK as pt_lock_range; ERR_AGAIN:
 * another hart changed the way, start again. */
status_t pt_descend(struct pt_node *root, enum pt_link link, struct va_range range,
                    struct found *cover);

/* What a hart holds that locks a node it has found, apart from its open cursors. */
enum pt_held {
    PT_HELD_NOTHING,
    PT_HELD_NODES,
};

/* Locks the node found.  ERR_AGAIN: it is not in place any more: look again; ERR_BUSY: so, too, for
 * another hart has it, and this one holds nodes already; ERR_DEADLK: this hart must not wait for
 * it. */
status_t pt_lock_found(const struct pt_node *root, struct found found, enum pt_held held);
