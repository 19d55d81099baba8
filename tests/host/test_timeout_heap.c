/* SPDX-License-Identifier: MIT */
/*
 * The queue of deadlines: held against a plain sorted list through random histories, with its shape
 * checked, so that no way that is gone along is long.
 */
#include "kernel/timeout_heap.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define NODES 500U
#define STEPS 20000U

static struct timeout_node nodes[NODES];

/* The heap's rules below a node; counts its nodes. */
static unsigned check_below(const struct timeout_node *node, const struct timeout_node *parent)
{
    if (node == NULL) {
        return 0;
    }
    uint32_t left = node->left != NULL ? node->left->rank : 0;
    uint32_t right = node->right != NULL ? node->right->rank : 0;

    cr_assert_eq(node->parent, parent);
    cr_assert(parent == NULL || parent->at <= node->at);
    cr_assert(left >= right);
    cr_assert_eq(node->rank, right + 1);
    return 1 + check_below(node->left, node) + check_below(node->right, node);
}

static void check(const struct timeout_heap *heap, unsigned count)
{
    const struct timeout_node *least = NULL;

    cr_assert_eq(check_below(heap->first, NULL), count);
    for (unsigned i = 0; i < NODES; i++) {
        if (timeout_node_is_queued(&nodes[i]) && (least == NULL || nodes[i].at < least->at)) {
            least = &nodes[i];
        }
    }
    cr_assert_eq(heap->first == NULL, least == NULL);
    cr_assert(least == NULL || heap->first->at == least->at);
}

static void nodes_clear(void)
{
    for (unsigned i = 0; i < NODES; i++) {
        nodes[i] = (struct timeout_node){0};
    }
}

static void history(unsigned seed, uint64_t spread)
{
    struct timeout_heap heap = {0};
    unsigned count = 0;

    srand(seed);
    nodes_clear();
    for (unsigned step = 0; step < STEPS; step++) {
        struct timeout_node *node = &nodes[(unsigned)rand() % NODES];

        if (timeout_node_is_queued(node)) {
            timeout_heap_remove(&heap, node);
            cr_assert(!timeout_node_is_queued(node));
            count--;
        } else {
            node->at = (uint64_t)rand() % spread;
            timeout_heap_insert(&heap, node);
            count++;
        }
        if (step % 50 == 0) {
            check(&heap, count);
        }
    }
    check(&heap, count);
}

Test(timeout_heap, random_histories_keep_the_earliest_first)
{
    history(1, 1000000);
    history(2, 10);
    history(3, 1);
}

static int compare(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

Test(timeout_heap, what_is_put_in_comes_out_sorted)
{
    struct timeout_heap heap = {0};
    uint64_t want[NODES];

    srand(4);
    nodes_clear();
    for (unsigned i = 0; i < NODES; i++) {
        want[i] = (uint64_t)rand();
        nodes[i].at = want[i];
        timeout_heap_insert(&heap, &nodes[i]);
    }
    qsort(want, NODES, sizeof(want[0]), compare);
    for (unsigned i = 0; i < NODES; i++) {
        cr_assert_eq(heap.first->at, want[i]);
        timeout_heap_remove(&heap, heap.first);
    }
    cr_assert_eq(heap.first, NULL);
}

/* Rising and falling deadlines make one long way, always to the left; its ends are taken out. */
Test(timeout_heap, long_ways_are_mended_in_few_steps)
{
    for (unsigned falls = 0; falls < 2; falls++) {
        struct timeout_heap heap = {0};

        nodes_clear();
        for (unsigned i = 0; i < NODES; i++) {
            nodes[i].at = falls != 0 ? NODES - i : i;
            timeout_heap_insert(&heap, &nodes[i]);
        }
        for (unsigned i = 0; i < NODES; i += 3) {
            timeout_heap_remove(&heap, &nodes[i]);
        }
        check(&heap, NODES - (NODES + 2) / 3);
    }
}
