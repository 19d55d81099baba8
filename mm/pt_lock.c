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
 *             |              2. stop at the covering node C (or at the first absent entry or mark,
 *             C  <- lock        for a cursor that links nothing); link missing tables on the way,
 *           / | \               each under its parent's lock, complete before it is pointed to;
 *          a [b  c] <- lock  3. lock C.  While nobody held it C may have been detached, or even be
 *         /   |   \             part of another place: it must not be stray, and must stand where
 *            [d   e] <- lock    and at the level the descent looked for; else let go, start again;
 *                            4. lock what intersects below C, parent before child, left to right.
 *
 * Marks and large pages.  A mark above level 0 that is in the way of step 2, or that an end of a
 * range splits under a cursor, moves into a table: all entries of the new node are copies of it
 * (pt_node_link).  So a descent finds the mark or the table, and both say the same of every address
 * below.  Step 2 stops at a leaf, hidden pages and what is dying, above level 0: the node that
 * holds the entry is C, for a table does not take its place without a flush.  Under a cursor it may
 * (pt_node_split), and again both say the same.
 *
 * Exact fit: a range equal to the extent of one entry is covered by the node that holds the entry,
 * not by the node below it, because a cursor on that range may want to put a leaf there.
 *
 * Why no two wait in a circle.  All nodes have one order: trees by the address of their root, in a
 * tree pre-order.  A cursor locks in that order: a table is linked under one lock that is let go
 * before the next, step 3 holds nothing yet, and step 4 is pre-order.  A node of step 4 cannot be
 * detached or move while its parent is locked, so only C needs the check of step 3; and whoever
 * moves or detaches a node has all its locks already and waits for nothing.
 *
 * But the order is of places, and C may move between step 2 and its turn in step 3: a hart that
 * waits for it then waits for a node of another place.  That does no harm if it holds nothing.  If
 * it holds nodes already, those of another cursor or of the lower of two ranges, the new place may
 * come before them, and whoever works there may wait for them.  So it does not wait: it tries, and
 * if another hart has C, it looks again where the place is now.  Trying is not fair, and nobody
 * interrupts a hart in here: if others have the node again and again, who bounds its work is told
 * so, and lets go of everything before it comes again.
 *
 * Several cursors on one hart.  The hart would wait for itself, or behind another hart that waits
 * for it, if a second cursor locked anything that does not come after all it holds.  So that is
 * refused (pt_order.c), before anything is waited for, whatever the other harts do.
 *
 * Two ranges at once.  Tables are linked for both with nothing held across; then both covering
 * nodes are known.  If one contains the other's range it covers both, and step 4 locks below it
 * what intersects either, in one pass, so in pre-order and a common node once.  Else their extents
 * are disjoint, and the lower is locked with all below it before the higher.  If one of them is
 * stray or elsewhere by then, or another hart has the higher, everything is let go and it starts
 * again.  So it does, with both ranges cut to the shorter length, where the nodes that it may lock
 * end in one range before they end in the other.
 *
 * Why no node is freed under a descent.  Steps 1 and 2 may walk through nodes that others detach
 * meanwhile.  A detached node is freed only when every hart has been seen outside of the kernel
 * since (mm/reclaim.c), and a descent does not leave the kernel.  What it reads in such a node is
 * old, but whole: the acquire of an entry pairs with the release that linked the node it names, and
 * the check of step 3 throws the result away.
 *
 * Unlocking goes the other way round.  Tables linked under a cursor are born locked.
 */
#include "pt_lock.h"

#include <limits.h>

#include "lib/assert.h"
#include "lib/counter.h"
#include "pt_descend.h"
#include "pt_order.h"

/* The ranges of one cursor, or of two with one covering node; the second may be empty.  How many
 * nodes each may still lock below that. */
struct wanted {
    struct va_range at[2];
    unsigned budget[2];
};

static void node_acquire(struct pt_node *node)
{
    spinlock_acquire(&node->lock);
    counter_add(COUNTER_node_locks, 1);
}

static bool range_touches(struct va_range range, struct va_range other)
{
    return range.start.raw < range.end.raw && range.start.raw < other.end.raw &&
           other.start.raw < range.end.raw;
}

static bool wanted_touches(const struct wanted *wanted, struct va_range extent)
{
    return range_touches(wanted->at[0], extent) || range_touches(wanted->at[1], extent);
}

static struct va_range wanted_hull(const struct wanted *wanted)
{
    bool is_two = wanted->at[1].start.raw < wanted->at[1].end.raw;

    return (struct va_range){wanted->at[0].start, wanted->at[is_two ? 1 : 0].end};
}

static struct va_range entry_extent(const struct pt_node *node, unsigned index)
{
    vaddr_t va = pt_node_entry_va(node, index);

    return (struct va_range){va, vaddr_add(va, pt_node_entry_bytes(node))};
}

static struct pt_node *child_at(const struct pt_node *node, unsigned index)
{
    return pt_node_of(pte_slot_load(&node->slots[index]));
}

/* Most nodes have none: asked before a call, so that it costs nothing. */
static inline bool may_have_children(const struct pt_node *node)
{
    return node->level > 0 && node->present > 0;
}

static void unlock_children(struct pt_node *node, const struct wanted *wanted)
{
    struct pt_span span = pt_node_span(node, wanted_hull(wanted));
    unsigned i;

    while (pt_node_prev_table(node, &span, &i)) {
        if (wanted_touches(wanted, entry_extent(node, i))) {
            struct pt_node *child = child_at(node, i);

            if (may_have_children(child)) {
                unlock_children(child, wanted);
            }
            spinlock_release(&child->lock);
        }
    }
}

/* Takes a node of that extent from the budget of a range that wants it.  A range that has none left
 * is cut before it.  False: then no range wants it. */
static bool wanted_pay(struct wanted *wanted, struct va_range extent)
{
    for (unsigned i = 0; i < 2; i++) {
        struct va_range *range = &wanted->at[i];

        if (!range_touches(*range, extent)) {
            continue;
        }
        if (wanted->budget[i] > 0) {
            wanted->budget[i]--;
            return true;
        }
        range->end = extent.start.raw > range->start.raw ? extent.start : range->start;
    }
    return false;
}

/* Step 4, at most PTE_LEVELS_MAX deep.  Cuts a range before the first node that exceeds its budget;
 * ERR_2BIG if that leaves nothing of the first: then no child of `node` is locked. */
static status_t lock_children(struct pt_node *node, struct wanted *wanted)
{
    struct pt_span span = pt_node_span(node, wanted_hull(wanted));
    unsigned i;

    while (pt_node_next_table(node, &span, &i)) {
        struct va_range extent = entry_extent(node, i);
        status_t status = OK;

        if (!wanted_touches(wanted, extent)) {
            continue;
        }
        if (wanted_pay(wanted, extent)) {
            struct pt_node *child = child_at(node, i);

            node_acquire(child);
            status = may_have_children(child) ? lock_children(child, wanted) : OK;
            if (status != OK || !wanted_touches(wanted, extent)) {
                spinlock_release(&child->lock); /* refused, or cut before its first address */
            }
        } else if (wanted->at[0].end.raw == wanted->at[0].start.raw) {
            status = ERR_2BIG;
        }
        if (status != OK || wanted_hull(wanted).end.raw <= extent.end.raw) {
            return status;
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

/* Steps 3 and 4 on one candidate.  ERR_AGAIN: start again, perhaps with the shorter range. */
static inline status_t lock_subtree(const struct pt_node *root, struct found found,
                                    enum pt_held held, struct wanted *wanted)
{
    struct pt_node *cover = found.node;
    struct va_range whole = wanted->at[0];
    status_t status = pt_lock_found(root, found, held);

    if (status != OK) {
        return status;
    }
    if (may_have_children(cover) && lock_children(cover, wanted) == ERR_2BIG) {
        /* Not even the nodes above the first page fit: look further down. */
        wanted->at[0] = (struct va_range){whole.start, lower_end(cover, whole)};
        spinlock_release(&cover->lock);
        return ERR_AGAIN;
    }
    return OK;
}

static void unlock_subtree(struct pt_node *cover, const struct wanted *wanted)
{
    if (may_have_children(cover)) {
        unlock_children(cover, wanted);
    }
    spinlock_release(&cover->lock);
}

/* How often a hart tries to get a node that others have, before it gives up. */
#define TRIES_MAX 1024U

/* True if an open that ended so starts again.  Who does not bound its nodes never gives up. */
static inline bool starts_again(status_t status, unsigned max_nodes, unsigned *tries)
{
    if (status == OK) {
        return false; /* mostly */
    }
    if (status == ERR_BUSY && max_nodes < UINT_MAX) {
        (*tries)++;
        return *tries < TRIES_MAX;
    }
    return status == ERR_AGAIN || status == ERR_BUSY;
}

inline status_t pt_lock_range(struct pt_node *root, enum pt_link link, unsigned max_nodes,
                              struct va_range *range, struct pt_node **cover)
{
    struct wanted wanted = {.at = {*range}};
    struct found found = {0};
    unsigned tries = 0;
    status_t status = pt_order_is_full() ? ERR_DEADLK : ERR_AGAIN;

    ASSERT(max_nodes > 0 && range->start.raw < range->end.raw);
    while (starts_again(status, max_nodes, &tries)) {
        wanted.budget[0] = max_nodes - 1;
        status = pt_descend(root, link, wanted.at[0], &found);
        if (status == OK) {
            status = lock_subtree(root, found, PT_HELD_NOTHING, &wanted);
        }
    }
    if (status == OK) {
        *range = wanted.at[0];
        *cover = found.node;
        pt_order_enter(root, range->end);
    }
    return status;
}

void pt_unlock_range(struct pt_node *root, struct pt_node *cover, struct va_range range)
{
    unlock_subtree(cover, &(struct wanted){.at = {range}});
    pt_order_leave(root, range.end);
}

/* What each of two ranges wants alone. */
static struct wanted wanted_one(const struct pt_two *two, unsigned which, unsigned budget)
{
    return (struct wanted){.at = {two->ranges[which]}, .budget = {budget}};
}

/* Takes the ranges over as step 4 has cut them.  ERR_AGAIN: it has cut them to different lengths;
 * now they are as long as the shorter, and what is locked has to be let go. */
static status_t two_cut(struct pt_two *two, struct va_range low, struct va_range high)
{
    uint64_t low_bytes = low.end.raw - low.start.raw;
    uint64_t high_bytes = high.end.raw - high.start.raw;
    uint64_t bytes = low_bytes < high_bytes ? low_bytes : high_bytes;

    if (low.end.raw == two->ranges[0].end.raw && high.end.raw == two->ranges[1].end.raw) {
        return OK;
    }
    two->ranges[0].end = vaddr_add(low.start, bytes);
    two->ranges[1].end = vaddr_add(high.start, bytes);
    return low_bytes == high_bytes ? OK : ERR_AGAIN;
}

/* Steps 3 and 4 for two ranges with one covering node. */
static status_t lock_two_below(const struct pt_node *root, struct found found, unsigned budget,
                               struct pt_two *two)
{
    struct wanted both = {{two->ranges[0], two->ranges[1]}, {budget, budget}};
    status_t status = lock_subtree(root, found, PT_HELD_NOTHING, &both);

    two->covers[0] = found.node;
    two->covers[1] = found.node;
    if (status == OK) {
        status = two_cut(two, both.at[0], both.at[1]);
        if (status != OK) {
            unlock_subtree(found.node, &both);
        }
    }
    return status;
}

/* The same with one each. */
static status_t lock_two_apart(const struct pt_node *root, const struct found found[2],
                               unsigned budget, struct pt_two *two)
{
    struct wanted low = wanted_one(two, 0, budget);
    struct wanted high = wanted_one(two, 1, budget);
    status_t status = lock_subtree(root, found[0], PT_HELD_NOTHING, &low);

    two->covers[0] = found[0].node;
    two->covers[1] = found[1].node;
    if (status != OK) {
        return status;
    }
    status = lock_subtree(root, found[1], PT_HELD_NODES, &high);
    if (status == OK) {
        status = two_cut(two, low.at[0], high.at[0]);
        if (status != OK) {
            unlock_subtree(found[1].node, &high);
        }
    }
    if (status != OK) {
        unlock_subtree(found[0].node, &low);
    }
    return status;
}

static status_t lock_two_found(const struct pt_node *root, const struct found found[2],
                               unsigned max_nodes, struct pt_two *two)
{
    unsigned budget = max_nodes / 2 - 1;

    for (unsigned i = 0; i < 2; i++) {
        if (found_contains(found[i], two->ranges[1 - i])) {
            return lock_two_below(root, found[i], budget, two);
        }
    }
    return lock_two_apart(root, found, budget, two);
}

status_t pt_lock_two(struct pt_node *root, enum pt_link link, unsigned max_nodes,
                     struct pt_two *two)
{
    struct found found[2] = {0};
    unsigned tries = 0;
    status_t status = pt_order_is_full() ? ERR_DEADLK : ERR_AGAIN;

    ASSERT(max_nodes >= PT_TWO_NODES_MIN);
    while (starts_again(status, max_nodes, &tries)) {
        status = pt_descend(root, link, two->ranges[0], &found[0]);
        if (status == OK) {
            status = pt_descend(root, link, two->ranges[1], &found[1]);
        }
        if (status == OK) {
            status = lock_two_found(root, found, max_nodes, two);
        }
    }
    if (status == OK) {
        pt_order_enter(root, two->ranges[1].end);
    }
    return status;
}

void pt_unlock_two(struct pt_node *root, const struct pt_two *two)
{
    struct wanted low = wanted_one(two, 0, 0);
    struct wanted high = wanted_one(two, 1, 0);

    if (two->covers[0] == two->covers[1]) {
        unlock_subtree(two->covers[0], &(struct wanted){.at = {two->ranges[0], two->ranges[1]}});
    } else {
        unlock_subtree(two->covers[1], &high);
        unlock_subtree(two->covers[0], &low);
    }
    pt_order_leave(root, two->ranges[1].end);
}

void pt_lock_unlinked(struct pt_node *node)
{
    node_acquire(node);
}

/* What a space is charged for a node and its entries, those of its children not counted. */
static uint64_t node_charge(const struct pt_node *node)
{
    return 1 + pt_node_ram_pages(node);
}

uint64_t pt_unlock_stray(struct pt_node *node)
{
    struct pt_span span = {0, PTE_ENTRIES};
    uint64_t charge = node_charge(node);
    unsigned i;

    node->is_stray = true;
    pt_node_forget_paged(node);
    while (pt_node_next_table(node, &span, &i)) {
        charge += pt_unlock_stray(child_at(node, i));
    }
    spinlock_release(&node->lock);
    return charge;
}
