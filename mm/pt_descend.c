/* SPDX-License-Identifier: MIT */
/*
 * The descent to a covering node: without locks, but where a table is missing and is to be linked.
 * pt_lock.c tells why that is right.  Nothing is locked when a function here returns an error.
 */
#include "pt_descend.h"

#include "lib/counter.h"
#include "lib/hart.h"
#include "pt_order.h"

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

/* True if the node is locked now.  A hart that holds nothing waits for it.  One that holds nodes
 * does not: the node may have moved, to where it comes before them (pt_lock.c). */
static bool lock_node(struct pt_node *node, enum pt_held held)
{
    if (held == PT_HELD_NODES || pt_order_holds_any()) {
        if (!spinlock_try_acquire(&node->lock)) {
            hart_relax();
            return false;
        }
    } else {
        spinlock_acquire(&node->lock);
    }
    counter_add(COUNTER_node_locks, 1);
    return true;
}

status_t pt_lock_found(const struct pt_node *root, struct found found, enum pt_held held)
{
    if (!pt_order_allows(root, found.base)) {
        return ERR_DEADLK;
    }
    if (!lock_node(found.node, held)) {
        return ERR_BUSY;
    }
    if (!node_is_in_place(found, root)) {
        spinlock_release(&found.node->lock);
        return ERR_AGAIN;
    }
    return OK;
}

/* True if an entry of `level` holds the range and more, so that a node below it can cover it: its
 * first and its last byte differ in bits that the entry leaves to lower levels alone. */
static bool range_fits_one_entry(unsigned level, struct va_range range)
{
    uint64_t entry_bytes = pte_level_bytes(level);

    return (range.start.raw ^ (range.end.raw - 1)) < entry_bytes &&
           range.end.raw - range.start.raw != entry_bytes;
}

/* True if a table may take the entry's place. */
static bool has_room_for_table(pte_t entry, unsigned level)
{
    enum pte_kind kind = pte_kind(entry, level);

    return kind == PTE_ABSENT || kind == PTE_MARK;
}

/* Puts a node below `at` where the descent found nothing, or a mark.  ERR_AGAIN: that is no longer
 * in place; look again from the root. */
static status_t link_child(struct pt_node *root, struct found at, vaddr_t va)
{
    struct pt_node *parent = at.node;
    unsigned index = pte_index(va, at.level);
    struct pt_node *child;
    status_t status = pt_lock_found(root, at, PT_HELD_NOTHING);

    if (status != OK) {
        return status;
    }
    if (has_room_for_table(pte_slot_load(&parent->slots[index]), parent->level)) {
        status = pt_node_create(root->space, pt_node_entry_va(parent, index), parent->level - 1U,
                                &child);
        if (status == OK) {
            pt_node_link(parent, index, child);
            counter_add(COUNTER_entry_stores, 1);
        }
    }
    spinlock_release(&parent->lock);
    return status;
}

/* Goes down from the root as far as there are tables and one of them may hold the range: to the
 * covering node, or to the lowest node there is on the way.  What its entry for the range holds is
 * in *entry, if it is not the covering node's. */
static inline struct found follow(struct pt_node *root, struct va_range range, pte_t *entry)
{
    struct pt_node *node = root;
    unsigned level = root->level;

    *entry = pte_absent();
    while (level > 0 && range_fits_one_entry(level, range)) {
        *entry = pte_slot_load(&node->slots[pte_index(range.start, level)]);
        if (!pte_is_table(*entry)) {
            break;
        }
        node = pt_node_of(*entry);
        level--;
    }
    return (struct found){node, level, {align_down(range.start.raw, pte_level_bytes(level + 1))}};
}

/* True if a table may be linked below the node, nearer to the range. */
static bool is_missing(struct found at, struct va_range range, pte_t entry)
{
    return range_fits_one_entry(at.level, range) && has_room_for_table(entry, at.level);
}

/* The rest of a descent where a table is missing below `cover`.  Not inline: mostly none is. */
__attribute__((noinline)) static status_t link_missing(struct pt_node *root, struct va_range range,
                                                       struct found *cover)
{
    status_t status = OK;
    pte_t entry;

    do {
        status = link_child(root, *cover, range.start);
        *cover = follow(root, range, &entry);
    } while (status == OK && cover->level > 0 && is_missing(*cover, range, entry));
    return status;
}

inline status_t pt_descend(struct pt_node *root, enum pt_link link, struct va_range range,
                           struct found *cover)
{
    pte_t entry;

    *cover = follow(root, range, &entry);
    if (link == PT_LINK_NOTHING || cover->level == 0 || !is_missing(*cover, range, entry)) {
        return OK;
    }
    return link_missing(root, range, cover);
}
