/* SPDX-License-Identifier: MIT */
/*
 * The queue of deadlines.  Two heaps are merged along their right-hand ways, which are short; all
 * else is a merge.
 */
#include "kernel/timeout_heap.h"

static uint32_t rank_of(const struct timeout_node *node)
{
    return node != NULL ? node->rank : 0;
}

/* Puts the child with the shorter way to the right, and sets the rank by it. */
static void mend(struct timeout_node *node)
{
    if (rank_of(node->left) < rank_of(node->right)) {
        struct timeout_node *left = node->left;

        node->left = node->right;
        node->right = left;
    }
    node->rank = rank_of(node->right) + 1;
}

/* One heap of two, either of which may be empty.  Returns its first node, without a parent. */
static struct timeout_node *merge(struct timeout_node *a, struct timeout_node *b)
{
    struct timeout_node top = {0}; /* its right child is the result */
    struct timeout_node *last = &top;

    while (a != NULL && b != NULL) {
        if (b->at < a->at) {
            struct timeout_node *later = a;

            a = b;
            b = later;
        }
        last->right = a;
        a->parent = last;
        last = a;
        a = a->right;
    }
    last->right = a != NULL ? a : b;
    if (last->right != NULL) {
        last->right->parent = last;
    }
    for (; last != &top; last = last->parent) {
        mend(last);
    }
    if (top.right != NULL) {
        top.right->parent = NULL;
    }
    return top.right;
}

void timeout_heap_insert(struct timeout_heap *heap, struct timeout_node *node)
{
    node->parent = NULL;
    node->left = NULL;
    node->right = NULL;
    node->rank = 1;
    heap->first = merge(heap->first, node);
}

void timeout_heap_remove(struct timeout_heap *heap, struct timeout_node *node)
{
    struct timeout_node *parent = node->parent;
    struct timeout_node *rest = merge(node->left, node->right);

    if (rest != NULL) {
        rest->parent = parent;
    }
    if (parent == NULL) {
        heap->first = rest;
    } else if (parent->left == node) {
        parent->left = rest;
    } else {
        parent->right = rest;
    }
    node->rank = 0;
    /* Each one whose rank changes comes to have one more than the one below it, so there are few.
     */
    while (parent != NULL) {
        uint32_t before = parent->rank;

        mend(parent);
        parent = parent->rank != before ? parent->parent : NULL;
    }
}
