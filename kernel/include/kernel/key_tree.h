/* SPDX-License-Identifier: MIT */
/*
 * A set of keys, each in a node of its owner's: found, and gone through in rising order.  Pure; the
 * owner locks.
 *
 * A digital search tree: the bits of a key, the highest first, say which way to go, and any node on
 * that way may hold the key.  So no way is longer than a key has bits, whatever the keys are and
 * whoever chose them: at most 128 steps, and for keys that differ in n high bits n.  Nothing is
 * ever balanced.
 */
#pragma once

#include "lib/types.h"

struct tree_key {
    uint64_t high, low;
};

struct key_node {
    struct tree_key key; /* constant while in a tree */
    struct key_node *child[2];
};

struct key_tree {
    struct key_node *root; /* NULL: empty */
};

/* Puts a node in.  Returns NULL, or the node that has this key already: then nothing changed. */
struct key_node *key_tree_insert(struct key_tree *tree, struct key_node *node);

/* The node of a key, or NULL. */
struct key_node *key_tree_find(struct key_tree *tree, struct tree_key key);

/* The node with the smallest key above this one, or NULL. */
struct key_node *key_tree_next(struct key_tree *tree, struct tree_key key);

/* Takes a node out that is in the tree. */
void key_tree_remove(struct key_tree *tree, struct key_node *node);

/* Puts `other`, which is in no tree, in the place of a node, with its key. */
void key_tree_replace(struct key_tree *tree, struct key_node *node, struct key_node *other);
