/* SPDX-License-Identifier: MIT */
/*
 * The split stock: tables that a space keeps for when memory is out.
 *
 * Unmapping inside a large mark needs a table at each level on the way down, at both ends of the
 * range.  A space that has marks above level 0 has so many put by, so that giving memory back does
 * not fail for want of memory.  The tables are linked nowhere, their entries not written yet, and
 * charged like linked ones.  Each lies in a word of its own that harts exchange: no lock.
 */
#include "arch/arch.h"
#include "pt_walk.h"
#include "vm_space_priv.h"

_Static_assert(SPLIT_STOCK_MAX == 2 * (PTE_LEVELS_MAX - 1), "both ends of a range, each level");

static unsigned stock_size(void)
{
    return 2 * (arch_paging_levels() - 1);
}

unsigned vm_space_split_stock(const struct vm_space *space)
{
    unsigned count = 0;

    for (unsigned i = 0; i < stock_size(); i++) {
        /* Relaxed: a number of about this moment. */
        count += atomic_load_explicit(&space->split_stock[i], memory_order_relaxed) != NULL ? 1 : 0;
    }
    return count;
}

bool vm_space_stock_is_full(const struct vm_space *space)
{
    return vm_space_split_stock(space) == stock_size();
}

struct pt_node *vm_space_stock_take(struct vm_space *space)
{
    struct pt_node *node = NULL;

    for (unsigned i = 0; node == NULL && i < stock_size(); i++) {
        /* Acquire pairs with the release in stock_add: the table is seen complete. */
        node = atomic_exchange_explicit(&space->split_stock[i], NULL, memory_order_acquire);
    }
    return node;
}

/* False: there is no room. */
static bool stock_add(struct vm_space *space, struct pt_node *node)
{
    for (unsigned i = 0; i < stock_size(); i++) {
        struct pt_node *none = NULL;

        /* Release pairs with the acquire in vm_space_stock_take. */
        if (atomic_compare_exchange_strong_explicit(&space->split_stock[i], &none, node,
                                                    memory_order_release, memory_order_relaxed)) {
            return true;
        }
    }
    return false;
}

void vm_space_stock_put(struct vm_space *space, struct pt_node *node)
{
    if (!stock_add(space, node)) {
        pt_node_destroy(node); /* another hart has filled it meanwhile */
    }
}

status_t vm_space_stock_fill(struct vm_space *space)
{
    struct pt_pool pool;
    status_t status = pt_pool_get(space, stock_size() - vm_space_split_stock(space), &pool);

    while (pool.first != NULL) {
        vm_space_stock_put(space, pt_pool_pop(&pool));
    }
    return status;
}

void vm_space_stock_fini(struct vm_space *space)
{
    for (struct pt_node *node; (node = vm_space_stock_take(space)) != NULL;) {
        pt_node_destroy(node);
    }
}
