/* SPDX-License-Identifier: MIT */
/*
 * The lock protocol of page-table nodes, and nothing else.
 *
 * A cursor owns a range of addresses.  What it locks is a sub-tree: the covering node, which is the
 * lowest node that contains the whole range, and every existing node below it that intersects the
 * range.  Two cursors whose ranges overlap have covering nodes one of which lies above the other or
 * is the same, so one of them waits; two that do not overlap run side by side down to the node.
 *
 *            root            1. descend from the root without locks;
 *             |              2. stop at the covering node C (or at the first absent entry, for a
 *             C  <- lock        cursor that only looks); link missing tables on the way, each under
 *           / | \               its parent's lock, complete before the entry that points to it;
 *          a [b  c] <- lock  3. lock C.  While nobody held it C may have been detached, or even be
 *         /   |   \             part of another place: it must not be stray, and must stand where
 *            [d   e] <- lock    and at the level the descent looked for; else let go, start again;
 *                            4. lock what intersects below C, parent before child, left to right.
 *
 * The order of all locks is the tree's pre-order, and no cursor ever locks above what it holds, so
 * no two wait for each other in a circle.  A node of step 4 cannot be detached or move while its
 * parent is locked, so only C needs the check of step 3.  Unlocking goes the other way round.
 *
 * Exact fit: a range equal to the extent of one entry is covered by the node that holds the entry,
 * not by the node below it, because a cursor on that range may want to put a leaf there.
 *
 * The descent of step 1 may walk through nodes that others detach meanwhile.  They must not be
 * freed under it; mm/reclaim.c says why they are not.
 */
#include "pt_lock.h"

#include "lib/assert.h"
#include "lib/counter.h"

static status_t node_acquire(struct pt_node *node)
{
    if (spinlock_is_mine(&node->lock)) {
        return ERR_DEADLK;
    }
    spinlock_acquire(&node->lock);
    counter_add(COUNTER_node_locks, 1);
    return OK;
}

/* A node that a descent has found, and the level it looked for. */
struct found {
    struct pt_node *node;
    unsigned level;
};

/* True if the locked node still stands where a descent for `va` in this space looked for it. */
static bool node_is_in_place(struct found found, const struct pt_node *root, vaddr_t va)
{
    const struct pt_node *node = found.node;

    return !node->is_stray && node->space == root->space && node->level == found.level &&
           pt_node_contains(node, va);
}

/* True if an entry of `level` holds the range and more, so that a node below it can cover it. */
static bool range_fits_one_entry(unsigned level, struct va_range range)
{
    uint64_t bytes = range.end.raw - range.start.raw;

    return pte_index(range.start, level) == pte_index((vaddr_t){range.end.raw - 1}, level) &&
           bytes < pte_level_bytes(level);
}

/* Puts an empty node below `parent` where the descent found nothing.  ERR_AGAIN: the parent is no
 * longer in place; look again from the root. */
static status_t link_child(struct pt_node *root, struct found at, vaddr_t va)
{
    struct pt_node *parent = at.node;
    unsigned index = pte_index(va, at.level);
    struct pt_node *child;
    status_t status = node_acquire(parent);

    if (status != OK) {
        return status;
    }
    if (!node_is_in_place(at, root, va)) {
        status = ERR_AGAIN;
    } else if (pte_kind(pte_slot_load(&parent->slots[index]), parent->level) == PTE_ABSENT) {
        status = pt_node_create(root->space, pt_node_entry_va(parent, index), parent->level - 1U,
                                &child);
        if (status == OK) {
            pte_slot_store(&parent->slots[index], pte_make_table(frame_pa(child->frame)));
            parent->present++;
        }
    }
    spinlock_release(&parent->lock);
    return status;
}

/* Steps 1 and 2: the covering node, not locked.  ERR_AGAIN: start again. */
static status_t descend(struct pt_node *root, enum pt_link link, struct va_range range,
                        struct found *cover)
{
    struct found at = {root, root->level};

    while (at.level > 0 && range_fits_one_entry(at.level, range)) {
        unsigned index = pte_index(range.start, at.level);
        pte_t entry = pte_slot_load(&at.node->slots[index]);
        enum pte_kind kind = pte_kind(entry, at.level);
        status_t status;

        if (kind == PTE_TABLE) {
            at = (struct found){pt_node_of(entry), at.level - 1};
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

static void unlock_children(struct pt_node *node, struct va_range range)
{
    struct pt_span span;

    if (node->level == 0 || node->present == 0 || range.start.raw >= range.end.raw) {
        return;
    }
    span = pt_node_span(node, range);
    for (unsigned i = span.end; i > span.first; i--) {
        pte_t entry = pte_slot_load(&node->slots[i - 1]);

        if (pte_kind(entry, node->level) == PTE_TABLE) {
            struct pt_node *child = pt_node_of(entry);

            unlock_children(child, range);
            spinlock_release(&child->lock);
        }
    }
}

/* Step 4, at most PTE_LEVELS_MAX deep.  Cuts *range before the first node that exceeds *budget;
 * ERR_2BIG if that leaves nothing.  After an error no child of `node` is locked. */
static status_t lock_children(struct pt_node *node, struct va_range *range, unsigned *budget)
{
    struct pt_span span;

    if (node->level == 0 || node->present == 0) {
        return OK;
    }
    span = pt_node_span(node, *range);
    for (unsigned i = span.first; i < span.end; i++) {
        pte_t entry = pte_slot_load(&node->slots[i]);
        vaddr_t va = pt_node_entry_va(node, i);
        struct va_range before = {range->start, va};
        struct pt_node *child;
        status_t status;

        if (pte_kind(entry, node->level) != PTE_TABLE) {
            continue;
        }
        if (*budget == 0) {
            range->end = va;
            return va.raw > range->start.raw ? OK : ERR_2BIG;
        }
        child = pt_node_of(entry);
        status = node_acquire(child);
        if (status == OK) {
            (*budget)--;
            status = lock_children(child, range, budget);
            if (status != OK || range->end.raw <= va.raw) {
                spinlock_release(&child->lock); /* an error, or cut before its first address */
            }
        }
        if (status != OK) {
            unlock_children(node, before);
            return status;
        }
        if (range->end.raw <= va.raw + pt_node_entry_bytes(node)) {
            return OK;
        }
    }
    return OK;
}

/* A range that starts where `range` does and has a covering node below `cover`. */
static vaddr_t lower_end(const struct pt_node *cover, struct va_range range)
{
    uint64_t entry_bytes = pt_node_entry_bytes(cover);
    uint64_t entry_va = align_down(range.start.raw, entry_bytes);
    uint64_t end = entry_va + entry_bytes;

    if (entry_va == range.start.raw) {
        end -= entry_bytes / 2;
    }
    return (vaddr_t){end < range.end.raw ? end : range.end.raw};
}

/* Steps 3 and 4 on one candidate.  ERR_AGAIN: start again, perhaps with the shorter *range. */
static status_t lock_subtree(struct pt_node *root, struct found found, unsigned max_nodes,
                             struct va_range *range)
{
    struct pt_node *cover = found.node;
    struct va_range whole = *range;
    unsigned budget = max_nodes - 1;
    status_t status = node_acquire(cover);

    if (status != OK) {
        return status;
    }
    status = node_is_in_place(found, root, range->start) ? lock_children(cover, range, &budget)
                                                         : ERR_AGAIN;
    if (status == ERR_2BIG) {
        /* Not even the nodes above the first page fit: look further down. */
        *range = (struct va_range){whole.start, lower_end(cover, whole)};
        status = ERR_AGAIN;
    }
    if (status != OK) {
        spinlock_release(&cover->lock);
    }
    return status;
}

status_t pt_lock_range(struct pt_node *root, enum pt_link link, unsigned max_nodes,
                       struct va_range *range, struct pt_node **cover)
{
    struct found found = {0};
    status_t status;

    ASSERT(max_nodes > 0 && range->start.raw < range->end.raw);
    do {
        status = descend(root, link, *range, &found);
        if (status == OK) {
            status = lock_subtree(root, found, max_nodes, range);
        }
    } while (status == ERR_AGAIN);
    if (status == OK) {
        *cover = found.node;
    }
    return status;
}

void pt_unlock_range(struct pt_node *cover, struct va_range range)
{
    unlock_children(cover, range);
    spinlock_release(&cover->lock);
}

void pt_lock_unlinked(struct pt_node *node)
{
    spinlock_acquire(&node->lock);
    counter_add(COUNTER_node_locks, 1);
}

void pt_unlock_stray(struct pt_node *node)
{
    struct va_range all = {node->base, vaddr_add(node->base, pt_node_bytes(node))};
    struct pt_span span = pt_node_span(node, all);

    node->is_stray = true;
    for (unsigned i = span.end; node->level > 0 && i > span.first; i--) {
        pte_t entry = pte_slot_load(&node->slots[i - 1]);

        if (pte_kind(entry, node->level) == PTE_TABLE) {
            pt_unlock_stray(pt_node_of(entry));
        }
    }
    spinlock_release(&node->lock);
}
