/* SPDX-License-Identifier: MIT */
/*
 * Cursors: moving.
 *
 * Entries change their place, and no page is copied:
 *
 *   a table               as it is, with all below it, where both sides are aligned alike and
 *                         nothing is in `to` (pt_relink.c)
 *   pages, hidden pages,  as they are, a table's at a time (vm_cursor_move_entries.c)
 *     marks of level 0
 *   larger marks          made anew in `to`, as large as fits there, then removed in `from`
 *
 * What moves has as many owners as before; only the charge goes to the other space, if it is
 * another.  Translations of the old addresses may live until `from` is closed, which pays for their
 * flush: they lead to the same frames, and nobody else can give those away, for both ranges are
 * locked.
 */
#include "vm_cursor_move_priv.h"

#include "lib/counter.h"
#include "pt_relink.h"
#include "vm_space_priv.h"

/* Finds the highest table, below `node` of the source, that lies in what is still to be moved,
 * holds the page at `va`, the first that means something, and could stand where it is to go: both
 * sides are aligned alike. */
static bool find_table(const struct moving *job, struct pt_node *node, vaddr_t va,
                       struct pt_place *table)
{
    uint64_t apart = job->from->va.raw ^ job->to->va.raw;

    for (; node->level > 0; node = pt_node_of(table->entry)) {
        unsigned index = pte_index(va, node->level);
        struct va_range extent;

        *table = (struct pt_place){node, index, pte_slot_load(&node->slots[index]), PTE_TABLE};
        if (!pte_is_table(table->entry)) {
            return false;
        }
        extent = pt_place_range(table);
        if (extent.start.raw >= job->from->va.raw && extent.end.raw <= job->end.raw &&
            is_aligned(apart, pt_node_entry_bytes(node))) {
            return true;
        }
    }
    return false;
}

/* Where the table at `source` is to go: in *target, an absent entry of its level or above.  False:
 * there is none, or it is to be gone into for what is in it.  What is before it is empty. */
static bool may_relink(struct moving *job, const struct pt_place *source, struct pt_place *target,
                       struct pt_weight *weight)
{
    uint64_t ahead = pt_place_range(source).start.raw - job->from->va.raw;

    *target = pt_walk(job->to, vaddr_add(job->to->va, ahead));
    return target->kind == PTE_ABSENT && target->node->level >= source->node->level &&
           pt_weigh(pt_node_of(source->entry), job->edits, weight) &&
           (weight->is_free || !moving_is_between_spaces(job));
}

/* Moves the table at `source` to `target`.  ERR_NOMEM: nothing changed. */
static status_t move_table(struct moving *job, const struct pt_place *source,
                           struct pt_place *target, const struct pt_weight *weight)
{
    struct va_range extent = pt_place_range(source);
    vaddr_t there = vaddr_add(job->to->va, extent.start.raw - job->from->va.raw);
    uint64_t charge = moving_is_between_spaces(job) ? weight->charge : 0;
    struct pt_pool pool;
    status_t status = charge > 0 ? vm_space_charge(job->to->space, charge) : OK;

    if (status != OK) {
        return status;
    }
    status = pt_pool_get(job->to->space, target->node->level - source->node->level, &pool);
    if (status != OK) {
        vm_space_release(job->to->space, charge);
        return status;
    }
    while (target->node->level > source->node->level) {
        *target = pt_link(job->to, target, there, &pool);
    }
    pt_relink(source, target->node, target->index);
    vm_space_release(job->from->space, charge);
    job->from->near = job->from->cover;
    job->to->near = job->to->cover;
    job->from->stores++;
    job->to->stores++;
    vm_cursor_issue(job->from, VM_FLUSH_SPACE, extent);
    job->to->owed.code = job->to->owed.code || moving_is_between_spaces(job);
    moving_go_on(job, extent.end.raw - job->from->va.raw);
    moving_spend(job, weight->tables);
    counter_add(COUNTER_tables_moved, weight->tables);
    return OK;
}

/* Moves the highest table that it can, of those that hold the page at `va`.  False: none. */
static bool move_some_table(struct moving *job, vaddr_t va, status_t *status)
{
    struct pt_node *node = job->from->cover;
    struct pt_place table, target;
    struct pt_weight weight;

    for (; find_table(job, node, va, &table); node = pt_node_of(table.entry)) {
        if (may_relink(job, &table, &target, &weight)) {
            *status = move_table(job, &table, &target, &weight);
            return true;
        }
    }
    return false;
}

/* The next entry that is used, a table that it is in, or as many entries as go with it. */
static status_t move_some(struct moving *job)
{
    struct pt_place source;
    status_t status;
    vaddr_t start;

    if (!pt_find_used(job->from, (struct va_range){job->from->va, job->end}, &source)) {
        moving_go_on(job, job->end.raw - job->from->va.raw);
        return OK;
    }
    start = pt_place_range(&source).start;
    start = start.raw > job->from->va.raw ? start : job->from->va;
    if (move_some_table(job, start, &status)) {
        return status;
    }
    moving_go_on(job, start.raw - job->from->va.raw); /* nothing is there */
    return moving_take_entries(job, &source);
}

/* Two spaces, or the two of one pair. */
static bool are_a_pair(const struct vm_cursor *from, const struct vm_cursor *to)
{
    return from->space != to->space ||
           (from->is_pair && to->is_pair && (from + 1 == to || to + 1 == from));
}

status_t vm_cursor_move(struct vm_cursor *from, struct vm_cursor *to, uint64_t len_bytes,
                        unsigned max_edits)
{
    struct moving job = {.from = from, .to = to, .edits = max_edits};
    struct va_range part, target;
    status_t status = cursor_part_to_edit(from, len_bytes, &part);

    if (status == OK) {
        status = cursor_part(to, len_bytes, &target);
    }
    if (status == OK && to->mode != VM_CURSOR_CHANGE) {
        status = ERR_ACCES;
    }
    if (status == OK && (!are_a_pair(from, to) || max_edits == 0)) {
        status = ERR_INVAL;
    }
    if (status != OK) {
        return status;
    }
    /* What waits for a flush still takes its place. */
    vm_cursor_sync(to);
    if (from->owed.removed.start.raw < from->owed.removed.end.raw) {
        vm_cursor_sync(from);
    }
    job.end = part.end;
    while (status == OK && from->va.raw < job.end.raw && job.edits > 0) {
        status = move_some(&job);
    }
    return status;
}
