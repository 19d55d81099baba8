/* SPDX-License-Identifier: MIT */
/*
 * Tables that change their place.
 *
 *   from:  parent | ... | X | ...          to:  parent | ... | 0 | ...
 *   from:  parent | ... | 0 | ...          to:  parent | ... | 0 | ...      taken out
 *                                                                           X and all below it
 *                                                                           say where they go
 *   from:  parent | ... | 0 | ...          to:  parent | ... | X | ...      put in
 *
 * Invariant: under its lock a node says where it stands, or is about to.  The mover holds the locks
 * of all of them, before and after.  A descent on another hart may have found one of them at the
 * old place; it gets the lock later, reads another place than it looked for, and starts again
 * (pt_descend.c).
 */
#include "pt_relink.h"

#include "lib/assert.h"

static void weight_add(struct pt_weight *weight, const struct pt_node *node)
{
    weight->tables++;
    weight->charge += 1 + pt_node_ram_pages(node);
    weight->is_free = weight->is_free && node->io == 0 && node->paged == 0;
    weight->is_flat =
        weight->is_flat && (node->level == 0 || (node->large | node->hidden | node->marked) == 0);
}

/* At most PTE_LEVELS_MAX deep. */
static bool weigh(const struct pt_node *node, uint64_t max_tables, struct pt_weight *weight)
{
    struct pt_span span = {0, PTE_ENTRIES};
    unsigned i;

    if (weight->tables == max_tables) {
        return false;
    }
    weight_add(weight, node);
    while (pt_node_next_table(node, &span, &i)) {
        if (!weigh(pt_node_of(pte_slot_load(&node->slots[i])), max_tables, weight)) {
            return false;
        }
    }
    return true;
}

bool pt_weigh(const struct pt_node *top, uint64_t max_tables, struct pt_weight *weight)
{
    *weight = (struct pt_weight){.is_free = true, .is_flat = true};
    return weigh(top, max_tables, weight);
}

/* At most PTE_LEVELS_MAX deep. */
static void set_place(struct pt_node *node, struct vm_space *space, vaddr_t base)
{
    struct pt_span span = {0, PTE_ENTRIES};
    unsigned i;

    DASSERT(spinlock_is_mine(&node->lock) && node->dying == 0);
    node->space = space;
    node->base = base;
    while (pt_node_next_table(node, &span, &i)) {
        set_place(pt_node_of(pte_slot_load(&node->slots[i])), space, pt_node_entry_va(node, i));
    }
}

void pt_relink(const struct pt_place *source, struct pt_node *parent, unsigned index)
{
    struct pt_node *top = pt_node_of(source->entry);

    DASSERT(parent->level == source->node->level);
    pt_node_take_table(source->node, source->index);
    set_place(top, parent->space, pt_node_entry_va(parent, index));
    pt_node_put_table(parent, index, top);
}
