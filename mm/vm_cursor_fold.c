/* SPDX-License-Identifier: MIT */
/*
 * Cursors: folding, a table that becomes one entry.
 *
 *   parent  | ... | table | ...     before
 *   parent  | ... |   0   | ...     the pointer is gone; the table is stray, unlocked, and empty as
 *                                   far as its record goes, for what its entries hold stays held
 *   parent  | ... |   0   | ...     the space is flushed, if anything in the table has V set: until
 *                                   then hardware may set A and D in its entries
 *   parent  | ... | entry | ...     with the A and D of all 512
 *
 * The table goes the way of all detached ones: it is parked after the flush, and freed when no
 * descent can know it.  What the space is charged for pages stays, that for the table goes.  All
 * tables of one node that fold wait for one flush.
 */
#include "arch/arch.h"
#include "cursor_priv.h"
#include "lib/assert.h"
#include "lib/counter.h"
#include "mm/vm_cursor_large.h"
#include "vm_backing.h"
#include "vm_space_priv.h"

/* A fold under way. */
struct folding {
    struct vm_cursor *cursor;
    struct va_range part; /* cut where it stops                        */
    unsigned left;        /* tables that it may still look at          */
    unsigned folded;
    status_t status; /* ERR_NOMEM: there is no table to put by         */
};

/* What entry i + 1 has more than entry i where entries of `level` are parts of one. */
static uint64_t step_of(pte_t first, enum pte_kind kind, unsigned level)
{
    uint64_t bytes = pte_level_bytes(level);

    switch (kind) {
    case PTE_LEAF:
        return pte_leaf_part(first, 1, bytes).raw - first.raw;
    case PTE_HIDDEN:
        return pte_hidden_part(first, 1, bytes).raw - first.raw;
    default:
        return pte_mark_at(first, bytes / PAGE_SIZE).raw - first.raw;
    }
}

/* True if the entries are the parts of one, A and D of pages aside. */
static bool are_parts(const struct pt_node *node, pte_t first, enum pte_kind kind)
{
    uint64_t step = step_of(first, kind, node->level);
    uint64_t aside = kind == PTE_MARK ? 0 : PTE_A | PTE_D;

    for (unsigned i = 1; i < PTE_ENTRIES; i++) {
        pte_t entry = pte_slot_load(&node->slots[i]);

        if (((entry.raw ^ (first.raw + i * step)) & ~aside) != 0) {
            return false;
        }
    }
    return true;
}

/* True if no part of the block that begins with the frame has an owner but the entry of `level`
 * that asks, one of 512. */
static bool are_ours(const struct frame *frame, unsigned level)
{
    for (unsigned i = 0; i < PTE_ENTRIES; i++) {
        if (!frame_block_is_named_once(frame + i * frame_block_frames(level), level)) {
            return false;
        }
    }
    return true;
}

/* True if one leaf may stand for what begins with this one, in a node of that level. */
static bool has_one_owner(pte_t leaf, unsigned level)
{
    paddr_t pa = pte_pa(leaf);
    uint64_t bytes = pte_level_bytes(level + 1);
    const struct io_mem *io;

    if (!is_aligned(pa.raw, bytes)) {
        return false;
    }
    switch (pte_sw(leaf)) {
    case PTE_SW_IO:
        io = io_mem_find(pa);
        return io != NULL && io_mem_range(io).end.raw - pa.raw >= bytes;
    case PTE_SW_PRIVATE:
    case PTE_SW_PENDING:
        return are_ours(frame_of(pa), level);
    default:
        return false; /* others have it on purpose */
    }
}

static bool can_be_one_page(const struct pt_node *node, pte_t first, enum pte_kind kind)
{
    pte_t leaf = kind == PTE_HIDDEN ? pte_hidden_make_leaf(first) : first;

    return node->level < PTE_LEVEL_RAM_MAX && are_parts(node, first, kind) &&
           has_one_owner(leaf, node->level);
}

/* True if one entry can mean what the table means. */
static bool can_be_one(const struct pt_node *node)
{
    pte_t first = pte_slot_load(&node->slots[0]);
    enum pte_kind kind = pte_kind(first, node->level);

    switch (kind) {
    case PTE_LEAF:
        return node->present == PTE_ENTRIES && can_be_one_page(node, first, kind);
    case PTE_HIDDEN:
        return node->hidden == PTE_ENTRIES && can_be_one_page(node, first, kind);
    case PTE_MARK:
        return node->marked == PTE_ENTRIES && pte_mark_kind(first) != PTE_MARK_SWAPPED &&
               are_parts(node, first, kind);
    default:
        return false;
    }
}

/* Takes out a table that can be one entry. */
static void take_out(struct vm_cursor *cursor, const struct pt_place *place)
{
    struct pt_node *node = pt_node_of(place->entry);
    pte_t first = pte_slot_load(&node->slots[0]);

    if (pte_is_paged(first)) {
        vm_backing_drop(cursor->space, pte_decode_mark(first).slot, PTE_ENTRIES - 1);
    }
    node->present = 0;
    node->large = 0;
    node->io = 0;
    node->hidden = 0;
    node->marked = 0;
    node->paged = 0;
    cursor_detach(cursor, place);
}

/* The first entry of a table that no hart can walk through any more, with A and D of all.  Those of
 * marks are alike in the bits that A and D would be. */
static pte_t gather(const struct pt_node *node)
{
    pte_t whole = pte_slot_load(&node->slots[0]);

    for (unsigned i = 1; i < PTE_ENTRIES; i++) {
        whole.raw |= pte_slot_load(&node->slots[i]).raw & (PTE_A | PTE_D);
    }
    return whole;
}

/* Stores in the place that a table had what it meant. */
static void put_whole(struct vm_cursor *cursor, struct pt_node *parent, const struct pt_node *node)
{
    pte_t whole = gather(node);
    bool is_leaf = (whole.raw & PTE_V) != 0;

    if (pte_is_mark(whole)) {
        pt_node_mark_added(parent, whole);
    } else if (is_leaf && pte_sw(whole) == PTE_SW_IO) {
        parent->io++;
    } else {
        frame_block_join(frame_of(is_leaf ? pte_pa(whole) : pte_kept_pa(whole)), parent->level);
    }
    parent->present = (uint16_t)(parent->present + (is_leaf ? 1 : 0));
    parent->large = (uint16_t)(parent->large + (is_leaf ? 1 : 0));
    parent->hidden = (uint16_t)(parent->hidden + (pte_is_hidden(whole) ? 1 : 0));
    pte_slot_store(&parent->slots[pte_index(node->base, parent->level)], whole);
    cursor->stores++;
    counter_add(COUNTER_tables_folded, 1);
}

/* Entries for the tables of `parent` that were taken out since `before` was the last one; those
 * below them have theirs. */
static void put_all(struct vm_cursor *cursor, struct pt_node *parent, const struct pt_node *before)
{
    for (const struct pt_node *node = cursor->owed.tables; node != before; node = node->next) {
        if (node->level + 1U == parent->level) {
            put_whole(cursor, parent, node);
        }
    }
}

static bool is_inside(struct va_range inner, struct va_range outer)
{
    return inner.start.raw >= outer.start.raw && inner.end.raw <= outer.end.raw;
}

/* Nothing from here on is looked at. */
static void cut_at(struct folding *job, vaddr_t va)
{
    job->part.end = va.raw < job->part.end.raw ? va : job->part.end;
}

/* Takes the table out if it can be one entry and all of it lies in the part.  True: V was set in
 * it.
 */
static bool try_table(struct folding *job, const struct pt_place *place)
{
    struct va_range extent = pt_place_range(place);
    const struct pt_node *node = pt_node_of(place->entry);
    bool is_valid = node->present > 0;

    if (!is_inside(extent, job->part) || !can_be_one(node)) {
        return false;
    }
    job->status = vm_space_stock_fill(job->cursor->space);
    if (job->status != OK) {
        cut_at(job, extent.start);
        return false;
    }
    take_out(job->cursor, place);
    job->folded++;
    return is_valid;
}

/* Folds what lies in the part below `node`, the lowest first.  Tables with others below them are
 * looked at when these have been.  At most PTE_LEVELS_MAX deep. */
static void fold_below(struct folding *job, struct pt_node *node)
{
    const struct pt_node *before = job->cursor->owed.tables;
    struct pt_span span = pt_node_span(node, job->part);
    bool owes_flush = false;
    unsigned i;

    while (pt_node_next_table(node, &span, &i)) {
        struct pt_place place = {node, i, pte_slot_load(&node->slots[i]), PTE_TABLE};
        struct pt_node *child = pt_node_of(place.entry);

        if (pt_place_range(&place).start.raw >= job->part.end.raw) {
            break;
        }
        if (child->present > child->large && child->level > 0) {
            fold_below(job, child);
        } else if (job->left == 0) {
            cut_at(job, pt_place_range(&place).start);
            break;
        } else {
            job->left--;
        }
        owes_flush = try_table(job, &place) || owes_flush;
    }
    if (owes_flush) {
        vm_cursor_dispatch(job->cursor);
    }
    put_all(job->cursor, node, before);
}

bool cursor_fold_marks(struct vm_cursor *cursor, const struct pt_place *place)
{
    const struct pt_node *node = pt_node_of(place->entry);

    if (node->marked < PTE_ENTRIES || !can_be_one(node) || !vm_space_stock_is_full(cursor->space)) {
        return false;
    }
    take_out(cursor, place);
    put_whole(cursor, place->node, node);
    return true;
}

status_t vm_cursor_fold(struct vm_cursor *cursor, uint64_t len_bytes, unsigned max_tables,
                        unsigned *folded)
{
    struct folding job = {.cursor = cursor, .left = max_tables, .status = OK};
    status_t status =
        max_tables > 0 ? cursor_part_to_edit(cursor, len_bytes, &job.part) : ERR_INVAL;

    if (status != OK) {
        return status;
    }
    if (len_bytes > 0 && cursor->cover->level > 0) {
        fold_below(&job, cursor->cover);
    }
    *folded = job.folded;
    cursor->va = job.part.end;
    return job.status;
}
