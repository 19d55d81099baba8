/* SPDX-License-Identifier: MIT */
/*
 * The set of keys, and the queues that are found by key: held against plain arrays through random
 * histories, with keys that differ in their first bits, in their last ones, and hardly at all.
 */
#include "kernel/key_tree.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "kernel/key_queue.h"

#define NODES 300U
#define STEPS 6000U

static struct key_node nodes[NODES];
static bool is_in[NODES];

static bool below(struct tree_key a, struct tree_key b)
{
    return a.high < b.high || (a.high == b.high && a.low < b.low);
}

static bool same(struct tree_key a, struct tree_key b)
{
    return a.high == b.high && a.low == b.low;
}

/* The longest way down. */
static unsigned depth_of(const struct key_node *node)
{
    if (node == NULL) {
        return 0;
    }
    unsigned left = depth_of(node->child[0]);
    unsigned right = depth_of(node->child[1]);

    return 1 + (left > right ? left : right);
}

/* The key of a node: kinds of keys that make different trees. */
static struct tree_key key_of(unsigned kind, unsigned i)
{
    switch (kind) {
    case 0:
        return (struct tree_key){(uint64_t)i << 32, 0}; /* numbers */
    case 1:
        return (struct tree_key){i * UINT64_C(0x9e3779b97f4a7c15), i};
    case 2:
        return (struct tree_key){7, i}; /* the last bits alone */
    default:
        return (struct tree_key){i < 64 ? UINT64_C(1) << i : 0, i < 64 ? 0 : i}; /* a long way */
    }
}

static struct key_node *next_plain(struct tree_key key)
{
    struct key_node *best = NULL;

    for (unsigned i = 0; i < NODES; i++) {
        if (is_in[i] && below(key, nodes[i].key) &&
            (best == NULL || below(nodes[i].key, best->key))) {
            best = &nodes[i];
        }
    }
    return best;
}

static void history(unsigned kind)
{
    struct key_tree tree = {0};

    srand(kind + 1);
    for (unsigned i = 0; i < NODES; i++) {
        nodes[i] = (struct key_node){.key = key_of(kind, i)};
        is_in[i] = false;
    }
    for (unsigned step = 0; step < STEPS; step++) {
        unsigned i = (unsigned)rand() % NODES;
        struct key_node other = {.key = nodes[i].key};

        cr_assert_eq(key_tree_find(&tree, nodes[i].key), is_in[i] ? &nodes[i] : NULL);
        if (is_in[i]) {
            cr_assert_eq(key_tree_insert(&tree, &other), &nodes[i], "a key is in once");
            key_tree_remove(&tree, &nodes[i]);
        } else {
            cr_assert_eq(key_tree_insert(&tree, &nodes[i]), NULL);
        }
        is_in[i] = !is_in[i];
        i = (unsigned)rand() % NODES;
        cr_assert_eq(key_tree_next(&tree, nodes[i].key), next_plain(nodes[i].key));
        cr_assert_eq(key_tree_next(&tree, (struct tree_key){0, 0}),
                     next_plain((struct tree_key){0, 0}));
        cr_assert(depth_of(tree.root) <= 129);
    }
}

Test(key_tree, random_histories_find_what_is_there_and_what_comes_next)
{
    for (unsigned kind = 0; kind < 4; kind++) {
        history(kind);
    }
}

Test(key_tree, numbers_are_at_most_32_steps_apart)
{
    struct key_tree tree = {0};

    for (unsigned i = 0; i < NODES; i++) {
        nodes[i] = (struct key_node){.key = {(uint64_t)(i + 1) << 32, 0}};
        cr_assert_eq(key_tree_insert(&tree, &nodes[i]), NULL);
    }
    cr_assert(depth_of(tree.root) <= 33);
}

Test(key_tree, one_takes_anothers_place)
{
    struct key_tree tree = {0};
    struct key_node other = {0};

    for (unsigned i = 0; i < NODES; i++) {
        nodes[i] = (struct key_node){.key = key_of(1, i)};
        cr_assert_eq(key_tree_insert(&tree, &nodes[i]), NULL);
    }
    key_tree_replace(&tree, &nodes[0], &other);
    cr_assert_eq(key_tree_find(&tree, nodes[0].key), &other);
    for (unsigned i = 1; i < NODES; i++) {
        cr_assert_eq(key_tree_find(&tree, nodes[i].key), &nodes[i]);
    }
}

/* ---- queues ---- */

#define KEYS 7U

static struct key_place places[NODES];
static unsigned arrival[NODES]; /* 0: not queued */

static struct key_place *first_plain(struct tree_key key)
{
    struct key_place *first = NULL;
    unsigned least = 0;

    for (unsigned i = 0; i < NODES; i++) {
        if (arrival[i] != 0 && same(places[i].node.key, key) &&
            (first == NULL || arrival[i] < least)) {
            first = &places[i];
            least = arrival[i];
        }
    }
    return first;
}

Test(key_queue, each_key_is_first_come_first_served)
{
    struct key_queue queue = {0};

    srand(9);
    for (unsigned step = 1; step < STEPS; step++) {
        unsigned i = (unsigned)rand() % NODES;
        struct tree_key key = key_of(1, (unsigned)rand() % KEYS);

        if (arrival[i] != 0) {
            key_queue_remove(&places[i]);
            cr_assert_eq(places[i].queue, NULL);
            arrival[i] = 0;
        } else {
            key_queue_add(&queue, &places[i], key);
            arrival[i] = step;
        }
        for (unsigned k = 0; k < KEYS; k++) {
            cr_assert_eq(key_queue_first(&queue, key_of(1, k)), first_plain(key_of(1, k)));
        }
    }
}
