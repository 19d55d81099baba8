/* SPDX-License-Identifier: MIT */
/*
 * A walk over all nodes in the tree's order that knows, at each node, how the buses above it
 * translate its addresses.
 *
 *     struct tree_walk walk;
 *     tree_walk_start(&walk, tree);
 *     while (tree_walk_next(&walk)) { ... walk.node ... }
 */
#pragma once

#include "fdt/tree.h"

/* A node as the parent of others. */
struct tree_bus {
    struct tree_cells cells;
    const uint8_t *ranges; /* NULL: addresses pass unchanged                      */
    uint32_t range_count;
    bool is_open; /* the processor reaches its children: root or simple-bus        */
};

struct tree_walk {
    const struct tree *tree;
    int node;                            /* the current node                        */
    int depth;                           /* of the current node; the root's is 0    */
    struct tree_bus bus[TREE_DEPTH_MAX]; /* of the nodes on the way to it, and its own */
};

void tree_walk_start(struct tree_walk *walk, const struct tree *tree);

/* Goes to the next node, the root first; false after the last. */
bool tree_walk_next(struct tree_walk *walk);

/* True if the node is a device on the processor's own buses: its `reg` means physical addresses. */
bool tree_walk_is_device(const struct tree_walk *walk);

/* Entry `index` of the node's `reg` as physical addresses, not rounded and not empty.
 * Errors: ERR_NOENT there is no such entry; ERR_INVAL it is malformed, empty, or no bus passes it
 *         on; *fault is filled in both. */
status_t tree_walk_reg(const struct tree_walk *walk, uint32_t index, struct pa_range *range,
                       struct tree_fault *fault);
