/* SPDX-License-Identifier: MIT */
/* Those who wait, found by what they wait for. */
#include "kernel/key_queue.h"

static struct key_place *place_of(struct key_node *node)
{
    return LIST_ENTRY(node, struct key_place, node);
}

void key_queue_add(struct key_queue *queue, struct key_place *place, struct tree_key key)
{
    place->node.key = key;
    place->queue = queue;
    list_init(&place->same);
    struct key_node *first = key_tree_insert(&queue->firsts, &place->node);

    if (first != NULL) {
        list_push_back(&place_of(first)->same, &place->same); /* the ring ends before its first */
    }
}

struct key_place *key_queue_first(struct key_queue *queue, struct tree_key key)
{
    struct key_node *node = key_tree_find(&queue->firsts, key);

    return node != NULL ? place_of(node) : NULL;
}

void key_queue_remove(struct key_place *place)
{
    struct key_tree *tree = &place->queue->firsts;
    bool is_first = key_tree_find(tree, place->node.key) == &place->node;

    if (is_first && list_is_empty(&place->same)) {
        key_tree_remove(tree, &place->node);
    } else if (is_first) {
        struct key_place *next = LIST_ENTRY(place->same.next, struct key_place, same);

        key_tree_replace(tree, &place->node, &next->node);
    }
    list_remove(&place->same);
    place->queue = NULL;
}
