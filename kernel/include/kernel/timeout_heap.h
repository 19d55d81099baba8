/* SPDX-License-Identifier: MIT */
/*
 * A queue of deadlines: whichever comes first is at hand.  Pure; the owner locks, and the nodes lie
 * in what waits.
 *
 * A leftist heap: no node is earlier than its parent, and of two children the right one has the
 * shorter way down to a missing child.  That way, a node's rank, is at most log2(n + 1), and
 * inserting and removing go along such ways only, so they are O(log n) at worst.
 */
#pragma once

#include "lib/types.h"

struct timeout_node {
    struct timeout_node *parent, *left, *right;
    uint64_t at;   /* when; set before it is inserted               */
    uint32_t rank; /* nodes on its right-hand way down; 0: not in a heap */
};

struct timeout_heap {
    struct timeout_node *first; /* the earliest, or NULL */
};

/* Puts a node in that is in no heap.  Of equal ones any comes first. */
void timeout_heap_insert(struct timeout_heap *heap, struct timeout_node *node);

/* Takes a node out that is in this heap. */
void timeout_heap_remove(struct timeout_heap *heap, struct timeout_node *node);

static inline bool timeout_node_is_queued(const struct timeout_node *node)
{
    return node->rank != 0;
}
