/* SPDX-License-Identifier: MIT */
/*
 * The descent to a covering node: without locks, but where a table is missing and is to be linked.
 * pt_lock.c tells why that is right.  Nothing is locked when a function here returns an error.
 */
#include "pt_descend.h"

#include "lib/counter.h"
#include "pt_order.h"

static struct found found_below(struct pt_node *node, unsigned level, vaddr_t va)
{
    return (struct found){node, level, {align_down(va.raw, pte_level_bytes(level + 1))}};
}

bool found_contains(struct found found, struct va_range range)
{
    return range.start.raw >= found.base.raw &&
           range.end.raw - found.base.raw <= pte_level_bytes(found.level + 1);
}

/* True if the locked node still stands where the descent looked for it. */
static bool node_is_in_place(struct found found, const struct pt_node *root)
{
    const struct pt_node *node = found.node;

    return !node->is_stray && node->space == root->space && node->level == found.level &&
           node->base.raw == found.base.raw;
}

status_t pt_lock_found(const struct pt_node *root, struct found found)
{
    if (!pt_order_allows(root, found.base)) {
        return ERR_DEADLK;
    }
    spinlock_acquire(&found.node->lock);
    counter_add(COUNTER_node_locks, 1);
    if (!node_is_in_place(found, root)) {
        spinlock_release(&found.node->lock);
        return ERR_AGAIN;
    }
    return OK;
}

/* True if an entry of `level` holds the range and more, so that a node below it can cover it. */
static bool range_fits_one_entry(unsigned level, struct va_range range)
{
    uint64_t bytes = range.end.raw - range.start.raw;

    return pte_index(range.start, level) == pte_index((vaddr_t){range.end.raw - 1}, level) &&
           bytes < pte_level_bytes(level);
}

/* Puts an empty node below `at` where the descent found nothing.  ERR_AGAIN: that is no longer in
 * place; look again from the root. */
static status_t link_child(struct pt_node *root, struct found at, vaddr_t va)
{
    struct pt_node *parent = at.node;
    unsigned index = pte_index(va, at.level);
    struct pt_node *child;
    status_t status = pt_lock_found(root, at);

    if (status != OK) {
        return status;
    }
    if (pte_kind(pte_slot_load(&parent->slots[index]), parent->level) == PTE_ABSENT) {
        status = pt_node_create(root->space, pt_node_entry_va(parent, index), parent->level - 1U,
                                &child);
        if (status == OK) {
            pte_slot_store(&parent->slots[index], pte_make_table(frame_pa(child->frame)));
            parent->present++;
            counter_add(COUNTER_entry_stores, 1);
        }
    }
    spinlock_release(&parent->lock);
    return status;
}

status_t pt_descend(struct pt_node *root, enum pt_link link, struct va_range range,
                    struct found *cover)
{
    struct found at = found_below(root, root->level, range.start);

    while (at.level > 0 && range_fits_one_entry(at.level, range)) {
        unsigned index = pte_index(range.start, at.level);
        pte_t entry = pte_slot_load(&at.node->slots[index]);
        enum pte_kind kind = pte_kind(entry, at.level);
        status_t status;

        if (kind == PTE_TABLE) {
            at = found_below(pt_node_of(entry), at.level - 1, range.start);
            continue;
        }
        if (kind != PTE_ABSENT || link == PT_LINK_NOTHING) {
            break;
        }
        status = link_child(root, at, range.start);
        if (status != OK) {
            return status;
        }
    }
    *cover = at;
    return OK;
}
