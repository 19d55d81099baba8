/* SPDX-License-Identifier: MIT */
/*
 * The set of keys.  Below a node at depth n are only keys that agree with its own in the first n
 * bits, and child[b] has those whose next bit is b.  So any node of a sub-tree may take the place
 * of its top.
 */
#include "kernel/key_tree.h"

#include "lib/assert.h"

static bool key_is_equal(struct tree_key a, struct tree_key b)
{
    return a.high == b.high && a.low == b.low;
}

static bool key_is_below(struct tree_key a, struct tree_key b)
{
    return a.high < b.high || (a.high == b.high && a.low < b.low);
}

/* What is left of a key after its first bit. */
static struct tree_key key_rest(struct tree_key key)
{
    return (struct tree_key){key.high << 1 | key.low >> 63, key.low << 1};
}

/* The link to the node of the key, or the empty one where it would be put. */
static struct key_node **link_of(struct key_tree *tree, struct tree_key key)
{
    struct key_node **link = &tree->root;
    struct tree_key rest = key;

    while (*link != NULL && !key_is_equal((*link)->key, key)) {
        link = &(*link)->child[rest.high >> 63];
        rest = key_rest(rest);
    }
    return link;
}

struct key_node *key_tree_insert(struct key_tree *tree, struct key_node *node)
{
    struct key_node **link = link_of(tree, node->key);

    if (*link != NULL) {
        return *link;
    }
    node->child[0] = NULL;
    node->child[1] = NULL;
    *link = node;
    return NULL;
}

struct key_node *key_tree_find(struct key_tree *tree, struct tree_key key)
{
    return *link_of(tree, key);
}

/* The smaller key above `key`: of `best`, which is NULL or above it, and of `node`. */
static struct key_node *better(struct key_node *best, struct key_node *node, struct tree_key key)
{
    if (!key_is_below(key, node->key)) {
        return best;
    }
    return best == NULL || key_is_below(node->key, best->key) ? node : best;
}

struct key_node *key_tree_next(struct key_tree *tree, struct tree_key key)
{
    struct key_node *best = NULL;
    struct key_node *above = NULL; /* the last sub-tree passed by whose keys are all above */
    struct tree_key rest = key;
    struct key_node *node = tree->root;

    while (node != NULL) {
        uint64_t bit = rest.high >> 63;

        best = better(best, node, key);
        if (bit == 0 && node->child[1] != NULL) {
            above = node->child[1];
        }
        node = node->child[bit];
        rest = key_rest(rest);
    }
    while (above != NULL) {
        best = better(best, above, key);
        above = above->child[above->child[0] != NULL ? 0 : 1];
    }
    return best;
}

/* Puts `other` where the link has a node now. */
static void replace_at(struct key_node **link, struct key_node *other)
{
    other->child[0] = (*link)->child[0];
    other->child[1] = (*link)->child[1];
    *link = other;
}

void key_tree_remove(struct key_tree *tree, struct key_node *node)
{
    struct key_node **link = link_of(tree, node->key);
    struct key_node **last = link;

    ASSERT(*link == node);
    while ((*last)->child[0] != NULL || (*last)->child[1] != NULL) {
        last = &(*last)->child[(*last)->child[0] != NULL ? 0 : 1];
    }
    struct key_node *leaf = *last;

    *last = NULL;
    if (leaf != node) {
        replace_at(link, leaf);
    }
}

void key_tree_replace(struct key_tree *tree, struct key_node *node, struct key_node *other)
{
    struct key_node **link = link_of(tree, node->key);

    ASSERT(*link == node);
    other->key = node->key;
    replace_at(link, other);
}
