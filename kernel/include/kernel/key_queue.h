/* SPDX-License-Identifier: MIT */
/*
 * Those who wait, found by what they wait for: for each key they are first come, first served.
 * Pure; the owner locks.
 *
 * A tree has the first of each key, and the others of the key stand behind it in a ring.  So a step
 * costs the length of one way in the tree, however many wait for this key or for others.
 */
#pragma once

#include "kernel/key_tree.h"
#include "lib/list.h"

struct key_queue {
    struct key_tree firsts;
};

/* A place in a queue; zeroed: in none. */
struct key_place {
    struct key_node node;    /* in the tree, if it is the first of its key */
    struct list_node same;   /* ring of those with the same key            */
    struct key_queue *queue; /* that it is in, or NULL                     */
};

/* Puts a place in, behind all others of the key. */
void key_queue_add(struct key_queue *queue, struct key_place *place, struct tree_key key);

/* The first of a key, or NULL. */
struct key_place *key_queue_first(struct key_queue *queue, struct tree_key key);

/* Takes a place out of the queue it is in, wherever it stands. */
void key_queue_remove(struct key_place *place);
