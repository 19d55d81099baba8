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
 *   large pages           as one entry, where both sides are aligned alike; else split first
 *                         (vm_cursor_pass.c)
 *   larger marks          made anew in `to`, as large as fits there, then removed in `from`
 *                         (vm_cursor_move_marks.c)
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
static bool find_table(const struct pass *pass, struct pt_node *node, vaddr_t va,
                       struct pt_place *table)
{
    uint64_t apart = pass->from->va.raw ^ pass->to->va.raw;

    for (; node->level > 0; node = pt_node_of(table->entry)) {
        unsigned index = pte_index(va, node->level);
        struct va_range extent;

        *table = (struct pt_place){node, index, pte_slot_load(&node->slots[index]), PTE_TABLE};
        if (!pte_is_table(table->entry)) {
            return false;
        }
        extent = pt_place_range(table);
        if (extent.start.raw >= pass->from->va.raw && extent.end.raw <= pass->end.raw &&
            is_aligned(apart, pt_node_entry_bytes(node))) {
            return true;
        }
    }
    return false;
}

/* Where the table at `source` is to go: in *target, an absent entry of its level or above.  False:
 * there is none, or it is to be gone into for what is in it.  What is before it is empty. */
static bool may_relink(struct pass *pass, const struct pt_place *source, struct pt_place *target,
                       struct pt_weight *weight)
{
    uint64_t ahead = pt_place_range(source).start.raw - pass->from->va.raw;

    *target = pt_walk(pass->to, vaddr_add(pass->to->va, ahead));
    return target->kind == PTE_ABSENT && target->node->level >= source->node->level &&
           pt_weigh(pt_node_of(source->entry), pass->edits, weight) &&
           (weight->is_free || !pass_is_between_spaces(pass));
}

/* Moves the table at `source` to `target`.  ERR_NOMEM: nothing changed. */
static status_t move_table(struct pass *pass, const struct pt_place *source,
                           struct pt_place *target, const struct pt_weight *weight)
{
    struct va_range extent = pt_place_range(source);
    vaddr_t there = vaddr_add(pass->to->va, extent.start.raw - pass->from->va.raw);
    uint64_t charge = pass_is_between_spaces(pass) ? weight->charge : 0;
    struct pt_pool pool;
    status_t status = charge > 0 ? vm_space_charge(pass->to->space, charge) : OK;

    if (status != OK) {
        return status;
    }
    if (!weight->is_flat && pass_is_between_spaces(pass)) {
        status = vm_space_stock_fill(pass->to->space);
    }
    if (status == OK) {
        status = pt_pool_get(pass->to->space, target->node->level - source->node->level, &pool);
    }
    if (status != OK) {
        vm_space_release(pass->to->space, charge);
        return status;
    }
    while (target->node->level > source->node->level) {
        *target = pt_link(pass->to, target, there, &pool);
    }
    pt_relink(source, target->node, target->index);
    vm_space_release(pass->from->space, charge);
    pass->from->near = pass->from->cover;
    pass->to->near = pass->to->cover;
    pass->from->stores++;
    pass->to->stores++;
    vm_cursor_issue(pass->from, VM_FLUSH_SPACE, extent);
    pass->to->owed.code = pass->to->owed.code || pass_is_between_spaces(pass);
    pass_go_on(pass, extent.end.raw - pass->from->va.raw);
    pass_spend(pass, weight->tables);
    counter_add(COUNTER_tables_moved, weight->tables);
    return OK;
}

/* Moves the highest table that it can, of those that hold the page at `va`.  False: none. */
static bool move_some_table(struct pass *pass, vaddr_t va, status_t *status)
{
    struct pt_node *node = pass->from->cover;
    struct pt_place table, target;
    struct pt_weight weight;

    for (; find_table(pass, node, va, &table); node = pt_node_of(table.entry)) {
        if (may_relink(pass, &table, &target, &weight)) {
            *status = move_table(pass, &table, &target, &weight);
            return true;
        }
    }
    return false;
}

/* The next entry that is used, a table that it is in, or as many entries as go with it. */
static status_t move_some(struct pass *pass)
{
    struct pt_place source;
    status_t status;
    vaddr_t start;

    if (!pt_find_used(pass->from, (struct va_range){pass->from->va, pass->end}, &source)) {
        pass_go_on(pass, pass->end.raw - pass->from->va.raw);
        return OK;
    }
    start = pt_place_range(&source).start;
    start = start.raw > pass->from->va.raw ? start : pass->from->va;
    if (move_some_table(pass, start, &status)) {
        return status;
    }
    pass_go_on(pass, start.raw - pass->from->va.raw); /* nothing is there */
    return moving_take_entries(pass, &source);
}

status_t vm_cursor_move(struct vm_cursor *from, struct vm_cursor *to, uint64_t len_bytes,
                        unsigned max_edits)
{
    struct pass pass = {.from = from, .to = to, .edits = max_edits};
    status_t status = pass_begin(&pass, len_bytes, PASS_PAIR_TOO);

    if (status != OK) {
        return status;
    }
    if (from->owed.removed.start.raw < from->owed.removed.end.raw) {
        vm_cursor_sync(from); /* what waits there, too, still takes its place */
    }
    return pass_run(&pass, move_some);
}
