/* SPDX-License-Identifier: MIT */
/*
 * What each hart holds of the order of node locks: for every cursor it has open, the tree and the
 * end of the range.
 *
 * Nodes are ordered by the address of their tree's root, then by their own base address, then from
 * the root down: in one tree that is pre-order.  All that a cursor holds begins before the end of
 * its range, so a node that begins at or after it comes after all of them.  That is what is asked
 * here; it refuses a little more than the order itself would.
 */
#include "pt_order.h"

#include "lib/assert.h"

struct hold {
    const struct pt_node *root; /* the cursor keeps its space, and so the root */
    vaddr_t end;
};

/* Written and read by the hart of the index only; a cache line of its own each. */
static struct {
    _Alignas(64) struct hold open[PT_ORDER_OPEN_MAX];
    unsigned count;
} holds[HART_MAX];

/* True if a node of that tree at `base` comes after all of what is held. */
static bool comes_after(const struct hold *hold, const struct pt_node *root, vaddr_t base)
{
    if (root == hold->root) {
        return base.raw >= hold->end.raw;
    }
    return frame_pa(root->frame).raw > frame_pa(hold->root->frame).raw;
}

bool pt_order_allows(const struct pt_node *root, vaddr_t base)
{
    hart_idx_t hart = hart_index();

    for (unsigned i = 0; i < holds[hart].count; i++) {
        if (!comes_after(&holds[hart].open[i], root, base)) {
            return false;
        }
    }
    return true;
}

bool pt_order_holds_any(void)
{
    return holds[hart_index()].count > 0;
}

bool pt_order_is_full(void)
{
    return holds[hart_index()].count == PT_ORDER_OPEN_MAX;
}

void pt_order_enter(const struct pt_node *root, vaddr_t end)
{
    hart_idx_t hart = hart_index();

    ASSERT(!pt_order_is_full());
    holds[hart].open[holds[hart].count++] = (struct hold){root, end};
}

void pt_order_leave(const struct pt_node *root, vaddr_t end)
{
    hart_idx_t hart = hart_index();
    struct hold *open = holds[hart].open;
    unsigned i = 0;

    while (i < holds[hart].count && (open[i].root != root || open[i].end.raw != end.raw)) {
        i++;
    }
    ASSERT(i < holds[hart].count); /* else another hart opened it */
    open[i] = open[--holds[hart].count];
    DASSERT(holds[hart].count > 0 || spinlock_held_count() == 0); /* no lock is left over */
}
