/* SPDX-License-Identifier: MIT */
/*
 * Cursors: what a transaction comes to, before anything is changed.
 *
 *   operations   |----unmap----|      |---protect---|
 *                      |-----mark-----|
 *   parts        |  -  |       M      |      p      |      -: leaves, M: marked, p: protected
 *
 * An operation that meets what an earlier one has left meets it in the plan: a mark that forbids W,
 * or the place that was emptied for an exclusive one.
 */
#include "lib/assert.h"
#include "pt_rights.h"
#include "vm_cursor_txn_priv.h"

#define LARGE_GRANT_EDITS 64U /* of a large entry, where it depends on that (vm_cursor_protect) */

/* What is there in a part before the transaction, seen by a change of rights.  Entries may reach
 * over its ends. */
struct look {
    struct va_range part;
    uint32_t large; /* entries that get the rights, if W of them depends on who has their frames */
    uint32_t small; /* the others                                                                 */
    bool has_view, has_io;
    bool is_done;
};

static void look_at(struct look *look, pte_t entry, enum pte_kind kind, unsigned level)
{
    enum pte_sw sw = PTE_SW_RAM;

    if (kind == PTE_LEAF) {
        sw = pte_sw(entry);
    } else if (kind == PTE_HIDDEN) {
        sw = pte_kept_sw(entry);
    } else if (kind == PTE_MARK && pte_mark_kind(entry) != PTE_MARK_GUARD) {
        sw = pte_mark_sw(entry);
    } else {
        return;
    }
    look->has_io |= sw == PTE_SW_IO;
    look->has_view |= sw == PTE_SW_VIEW;
    if (level > 0 && kind != PTE_MARK && (sw == PTE_SW_PRIVATE || sw == PTE_SW_PENDING) &&
        (entry.raw & (PTE_V | PTE_W)) != (PTE_V | PTE_W)) {
        look->large++;
    } else {
        look->small++;
    }
}

/* At most PTE_LEVELS_MAX deep. */
static void look_below(struct look *look, const struct pt_node *node)
{
    struct pt_span span = pt_node_span(node, look->part);

    if (!pt_node_is_used(node)) {
        return;
    }
    for (unsigned i = span.first; i < span.end; i++) {
        pte_t entry = pte_slot_load(&node->slots[i]);
        enum pte_kind kind = pte_kind(entry, node->level);

        if (kind == PTE_TABLE) {
            look_below(look, pt_node_of(entry));
        } else {
            look_at(look, entry, kind, node->level);
        }
    }
}

static status_t plan_protect(const struct txn *txn, struct txn_part *part, struct look *look,
                             enum vm_prot prot)
{
    if (part->net == TXN_REMOVE) {
        return OK;
    }
    if (part->net == TXN_MARK) {
        const struct vm_mark *mark = &txn->changes[part->mark].mark;
        bool is_view = mark->kind == VM_ITEM_PAGED && mark->share == VM_SHARE_VIEW;

        part->prot = mark->kind == VM_ITEM_GUARD ? part->prot : (uint8_t)prot;
        return is_view && (prot & VM_W) != 0 ? ERR_ACCES : OK;
    }
    if (!look->is_done) {
        look_below(look, txn->cursor->cover);
        look->is_done = true;
    }
    if (look->has_io) {
        return ERR_INVAL;
    }
    if (look->has_view && (prot & VM_W) != 0) {
        return ERR_ACCES;
    }
    part->net = TXN_PROTECT;
    part->prot = (uint8_t)prot;
    return OK;
}

static status_t plan_mark(const struct txn *txn, struct txn_part *part, const struct look *look,
                          unsigned i)
{
    struct pt_place place;

    if (txn->changes[i].mode == VM_MAP_EXCLUSIVE && part->net != TXN_REMOVE &&
        (part->net == TXN_MARK || pt_find_used(txn->cursor, look->part, &place))) {
        return ERR_EXIST;
    }
    part->net = TXN_MARK;
    part->mark = (uint8_t)i;
    part->prot = (uint8_t)txn->changes[i].mark.prot;
    return OK;
}

static bool is_inside(struct va_range part, struct va_range range)
{
    return part.start.raw >= range.start.raw && part.end.raw <= range.end.raw;
}

/* What the operations do to a part, in their order. */
static status_t plan_part(struct txn *txn, unsigned at)
{
    struct txn_part *part = &txn->part[at];
    struct look look = {.part = txn_part_range(txn, at)};
    status_t status = OK;

    for (unsigned i = 0; status == OK && i < txn->count; i++) {
        const struct vm_change *change = &txn->changes[i];

        if (!is_inside(look.part, change->range)) {
            continue;
        }
        part->by = (uint8_t)i;
        switch (change->kind) {
        case VM_CHANGE_UNMAP:
            *part = (struct txn_part){.start = part->start, .net = TXN_REMOVE, .by = (uint8_t)i};
            break;
        case VM_CHANGE_PROTECT:
            status = plan_protect(txn, part, &look, change->prot);
            break;
        case VM_CHANGE_MARK:
            status = plan_mark(txn, part, &look, i);
            break;
        }
    }
    return status;
}

/* Puts a boundary of parts among the others. */
static void add_start(struct txn *txn, vaddr_t start)
{
    unsigned i = txn->parts;

    while (i > 0 && txn->part[i - 1].start.raw > start.raw) {
        i--;
    }
    if (i > 0 && txn->part[i - 1].start.raw == start.raw) {
        return;
    }
    for (unsigned k = txn->parts; k > i; k--) {
        txn->part[k] = txn->part[k - 1];
    }
    txn->part[i] = (struct txn_part){.start = start};
    txn->parts++;
}

static bool is_alike(const struct txn_part *a, const struct txn_part *b)
{
    return a->net == b->net && a->mark == b->mark && a->prot == b->prot;
}

/* Parts side by side to which the same is done are one: no entry has to come apart between them,
 * and whole tables may lie in it that lie in none of them. */
static void join_alike(struct txn *txn)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < txn->parts; i++) {
        if (kept > 0 && is_alike(&txn->part[i], &txn->part[kept - 1])) {
            txn->part[kept - 1].by = txn->part[i].by;
        } else {
            txn->part[kept++] = txn->part[i];
        }
    }
    txn->part[kept] = txn->part[txn->parts];
    txn->parts = kept;
}

/* Leaves of regions in and below a node; at most PTE_LEVELS_MAX deep. */
static uint32_t count_io(const struct pt_node *node)
{
    struct pt_span span = {0, PTE_ENTRIES};
    uint32_t count = node->io;
    unsigned i;

    while (node->level > 0 && pt_node_next_table(node, &span, &i)) {
        count += count_io(pt_node_of(pte_slot_load(&node->slots[i])));
    }
    return count;
}

/* What cursor_remove counts for a part below `node`; at most PTE_LEVELS_MAX deep. */
static uint32_t count_removal(struct pt_node *node, struct va_range part,
                              enum removal_count counted)
{
    struct pt_span span = pt_node_span(node, part);
    uint32_t count = 0;

    if (counted == COUNT_ENTRIES && !pt_node_is_used(node)) {
        return 0;
    }
    for (unsigned i = span.first; i < span.end; i++) {
        struct pt_place place = {node, i, pte_slot_load(&node->slots[i]), PTE_ABSENT};

        if (node->level == 0 || !pte_is_table(place.entry)) {
            bool is_empty = pte_is_absent(place.entry) || pte_is_dying(place.entry);

            count += counted == COUNT_SLOTS || !is_empty ? 1 : 0;
        } else if (is_inside(pt_place_range(&place), part)) {
            count += 1 + count_io(pt_node_of(place.entry));
        } else {
            count += count_removal(pt_node_of(place.entry), part, counted);
        }
    }
    return count;
}

/* What cursor_protect counts for a part. */
static uint32_t count_protect(const struct pt_node *cover, struct va_range part, enum vm_prot prot)
{
    struct look look = {.part = part};

    look_below(&look, cover);
    return look.small + look.large * ((prot & VM_W) != 0 ? LARGE_GRANT_EDITS : 1);
}

static uint32_t count_part(const struct txn *txn, unsigned i)
{
    const struct txn_part *part = &txn->part[i];
    struct va_range range = txn_part_range(txn, i);
    struct pt_node *cover = txn->cursor->cover;

    switch ((enum txn_net)part->net) {
    case TXN_KEEP:
        return 0;
    case TXN_PROTECT:
        return count_protect(cover, range, (enum vm_prot)part->prot);
    case TXN_REMOVE:
        return count_removal(cover, range, COUNT_ENTRIES);
    case TXN_MARK:
        break;
    }
    return count_removal(cover, range, COUNT_SLOTS);
}

status_t txn_check_edits(struct txn *txn)
{
    uint32_t edits = 0;

    for (unsigned i = 0; i < txn->parts; i++) {
        edits += count_part(txn, i);
        if (edits > VM_CHANGES_EDITS_MAX) {
            txn->failed = txn->part[i].by;
            return ERR_2BIG;
        }
    }
    return OK;
}

/* Plans all parts.  An error is that of the first operation that meets one, wherever it does. */
static status_t plan_parts(struct txn *txn)
{
    status_t status = OK;

    txn->failed = txn->count;
    for (unsigned i = 0; i < txn->parts; i++) {
        status_t met = plan_part(txn, i);

        if (met != OK && txn->part[i].by < txn->failed) {
            txn->failed = txn->part[i].by;
            status = met;
        }
    }
    return status;
}

status_t txn_plan(struct txn *txn)
{
    status_t status;

    txn->parts = 0;
    for (unsigned i = 0; i < txn->count; i++) {
        add_start(txn, txn->changes[i].range.start);
        add_start(txn, txn->changes[i].range.end);
    }
    txn->parts--; /* the last one is where the parts end */
    status = plan_parts(txn);
    if (status == OK) {
        join_alike(txn);
    }
    return status;
}
