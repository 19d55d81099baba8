/* SPDX-License-Identifier: MIT */
/*
 * Cursors: transactions.
 *
 *   1. what the operations come to, in parts of the range, is planned: vm_cursor_txn_plan.c
 *   2. the ends of the parts become boundaries of entries (pt_split.c), and the work is counted
 *   3. the rows of their objects are held
 *   4. what leaves is taken out, and rights change; one flush if a mark needs the place of a page;
 *      marks are stored
 *
 * Nothing fails after 3, and up to there every address means what it did.
 */
#include "lib/assert.h"
#include "pt_split.h"
#include "vm_cursor_txn_priv.h"
#include "vm_space_priv.h"

static status_t check_change(const struct vm_cursor *cursor, const struct vm_change *change)
{
    struct va_range range = change->range;

    if (range.start.raw >= range.end.raw ||
        !is_aligned(range.start.raw | range.end.raw, PAGE_SIZE)) {
        return ERR_INVAL;
    }
    if (range.start.raw < cursor->range.start.raw || range.end.raw > cursor->range.end.raw) {
        return ERR_RANGE;
    }
    switch (change->kind) {
    case VM_CHANGE_UNMAP:
        return OK;
    case VM_CHANGE_PROTECT:
        return change->prot == VM_PROT_NONE
                   ? OK
                   : cursor_check_ram((struct vm_prop){change->prot, VM_MEM_PMA});
    case VM_CHANGE_MARK:
        return change->mark.kind == VM_ITEM_SWAPPED
                   ? ERR_INVAL
                   : cursor_check_mark(&change->mark, range.end.raw - range.start.raw);
    }
    return ERR_INVAL;
}

static status_t check(struct txn *txn)
{
    status_t status = OK;

    ASSERT(txn->cursor->cover != NULL);
    if (txn->count == 0) {
        return ERR_INVAL;
    }
    if (txn->count > VM_CHANGES_MAX) {
        return ERR_2BIG;
    }
    if (txn->cursor->mode != VM_CURSOR_CHANGE) {
        return ERR_ACCES;
    }
    for (unsigned i = 0; status == OK && i < txn->count; i++) {
        status = check_change(txn->cursor, &txn->changes[i]);
        txn->failed = i;
    }
    return status;
}

/* Makes the ends of the parts boundaries: beside marks of absent entries, too. */
static status_t make_ends(struct txn *txn)
{
    status_t status = OK;

    for (unsigned i = 0; status == OK && i < txn->parts; i++) {
        struct va_range part = txn_part_range(txn, i);
        bool is_mark = txn->part[i].net == TXN_MARK;

        if (txn->part[i].net == TXN_KEEP) {
            continue;
        }
        if (is_mark && cursor_mark_is_large(part)) {
            status = vm_space_stock_fill(txn->cursor->space);
        }
        if (status == OK) {
            status = pt_split_ends(txn->cursor, part, is_mark ? PT_ENDS_ALL : PT_ENDS_OF_ENTRIES);
        }
        txn->failed = txn->part[i].by;
    }
    return status;
}

/* Lets go of the rows of the first `count` operations. */
static void drop(const struct txn *txn, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (txn->changes[i].kind == VM_CHANGE_MARK) {
            struct pte_mark meaning = pte_decode_mark(txn->meaning[i]);

            cursor_drop_meaning(txn->cursor, &meaning);
        }
    }
}

static status_t hold(struct txn *txn)
{
    for (unsigned i = 0; i < txn->count; i++) {
        const struct vm_change *change = &txn->changes[i];
        struct pte_mark meaning;
        status_t status;

        if (change->kind != VM_CHANGE_MARK) {
            continue;
        }
        status = cursor_hold_meaning(txn->cursor, change->range, &change->mark, &meaning);
        if (status != OK) {
            drop(txn, i);
            txn->failed = i;
            return status;
        }
        txn->meaning[i] = pte_make_mark(meaning);
    }
    return OK;
}

static void remove_part(struct txn *txn, struct va_range part, struct vm_removed *removed)
{
    struct removal job = {
        .cursor = txn->cursor, .part = part, .counted = COUNT_ENTRIES, .edits_left = UINT64_MAX};

    cursor_remove(&job);
    removed->ram_pages += job.removed.ram_pages;
    removed->io_pages += job.removed.io_pages;
}

static void mark_part(struct txn *txn, const struct txn_part *part, struct va_range range)
{
    uint64_t skipped = range.start.raw - txn->changes[part->mark].range.start.raw;
    struct pte_mark meaning =
        pte_decode_mark(pte_mark_at(txn->meaning[part->mark], skipped / PAGE_SIZE));

    meaning.prot = (enum vm_prot)part->prot;
    cursor_put_meaning(txn->cursor, range, &meaning);
}

/* Does what is planned. */
static void apply(struct txn *txn, struct vm_removed *removed)
{
    struct vm_cursor *cursor = txn->cursor;
    bool has_marks = false;

    for (unsigned i = 0; i < txn->parts; i++) {
        const struct txn_part *part = &txn->part[i];

        has_marks |= part->net == TXN_MARK;
        if (part->net == TXN_PROTECT) {
            cursor_protect(cursor, txn_part_range(txn, i), (enum vm_prot)part->prot);
        } else if (part->net != TXN_KEEP) {
            remove_part(txn, txn_part_range(txn, i), removed);
        }
    }
    if (has_marks && cursor->owed.removed.start.raw < cursor->owed.removed.end.raw) {
        vm_cursor_sync(cursor);
    }
    for (unsigned i = 0; i < txn->parts; i++) {
        if (txn->part[i].net == TXN_MARK) {
            mark_part(txn, &txn->part[i], txn_part_range(txn, i));
        }
    }
}

status_t vm_cursor_txn(struct vm_cursor *cursor, const struct vm_change *changes, unsigned count,
                       struct vm_removed *removed, unsigned *failed)
{
    struct txn txn = {.cursor = cursor, .changes = changes, .count = count};
    status_t status = check(&txn);

    if (status == OK) {
        status = txn_plan(&txn);
    }
    if (status == OK) {
        status = make_ends(&txn);
    }
    if (status == OK) {
        status = txn_check_edits(&txn);
    }
    if (status == OK) {
        status = hold(&txn);
    }
    if (status != OK) {
        *failed = txn.failed;
        return status;
    }
    *removed = (struct vm_removed){0};
    apply(&txn, removed);
    drop(&txn, count);
    return OK;
}
