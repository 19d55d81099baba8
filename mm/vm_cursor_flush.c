/* SPDX-License-Identifier: MIT */
/*
 * Cursors: the batch of flushes, and what waits for it.
 *
 * A cursor collects what it owes over its life and pays once, before it unlocks.  What is removed
 * but not yet flushed must be kept somewhere that cannot run out, so it stays where it is: a dying
 * entry keeps its frame's number, a detached table its entries (vm_cursor_remove.c).
 *
 *   entries stored  ->  flush on every hart  ->  frames released, tables parked  ->  unlock
 *
 * A hidden page that is removed waits like any other, but owes no flush: no translation of it is
 * left but one that was taken away under this cursor, whose flush is owed already.
 */
#include "cursor_priv.h"
#include "lib/assert.h"
#include "lib/counter.h"
#include "reclaim.h"
#include "tlb.h"

/* Past so many bytes the whole space is flushed: a remote range of more than a page becomes a full
 * flush in firmware anyway, and a local one costs an instruction a page. */
#define FLUSH_RANGE_MAX_BYTES (UINT64_C(16) * PAGE_SIZE)

static void hull_add(struct va_range *hull, struct va_range pages)
{
    if (hull->start.raw >= hull->end.raw) {
        *hull = pages;
        return;
    }
    hull->start.raw = pages.start.raw < hull->start.raw ? pages.start.raw : hull->start.raw;
    hull->end.raw = pages.end.raw > hull->end.raw ? pages.end.raw : hull->end.raw;
}

void vm_cursor_issue(struct vm_cursor *cursor, enum vm_flush kind, struct va_range pages)
{
    ASSERT(cursor->cover != NULL);
    if (kind == VM_FLUSH_PAGES) {
        hull_add(&cursor->owed.flush, pages);
    }
    cursor->owed.flush_kind = kind > cursor->owed.flush_kind ? kind : cursor->owed.flush_kind;
}

void vm_cursor_issue_with(struct vm_cursor *cursor, enum vm_flush kind, struct va_range pages,
                          struct frame *keep)
{
    if (cursor->owed.kept_count == VM_CURSOR_KEPT) {
        vm_cursor_sync(cursor);
    }
    vm_cursor_issue(cursor, kind, pages);
    cursor->owed.kept[cursor->owed.kept_count++] = keep;
}

void cursor_owe_release(struct vm_cursor *cursor, struct va_range pages)
{
    hull_add(&cursor->owed.removed, pages);
}

void cursor_owe_dying(struct vm_cursor *cursor, struct va_range pages)
{
    cursor_owe_release(cursor, pages);
    vm_cursor_issue(cursor, VM_FLUSH_PAGES, pages);
}

void cursor_owe_table(struct vm_cursor *cursor, struct pt_node *detached)
{
    detached->next = cursor->owed.tables;
    cursor->owed.tables = detached;
    vm_cursor_issue(cursor, VM_FLUSH_SPACE, (struct va_range){0});
}

void vm_cursor_dispatch(struct vm_cursor *cursor)
{
    struct va_range pages = cursor->owed.flush;

    ASSERT(cursor->cover != NULL);
    if (cursor->owed.flush_kind != VM_FLUSH_NONE) {
        if (cursor->owed.flush_kind == VM_FLUSH_SPACE ||
            pages.end.raw - pages.start.raw > FLUSH_RANGE_MAX_BYTES) {
            pages = (struct va_range){0};
        }
        tlb_flush(cursor->space, pages);
    }
    if (cursor->owed.code) {
        tlb_sync_code(cursor->space);
    }
    cursor->owed.flush_kind = VM_FLUSH_NONE;
    cursor->owed.flush = (struct va_range){0};
    cursor->owed.code = false;
}

/* Releases what dying entries in `part` below `node` hold; at most PTE_LEVELS_MAX deep. */
static void sweep_dying(struct vm_cursor *cursor, struct pt_node *node, struct va_range part)
{
    struct pt_span span = pt_node_span(node, part);
    unsigned i;

    if (node->dying > 0) {
        cursor->stores += reclaim_dying(node, span);
    }
    while (node->level > 0 && pt_node_next_table(node, &span, &i)) {
        sweep_dying(cursor, pt_node_of(pte_slot_load(&node->slots[i])), part);
    }
}

/* What waited for the flush goes; the flush has been done. */
static void release(struct vm_cursor *cursor)
{
    struct va_range removed = cursor->owed.removed;
    unsigned leaves = RECLAIM_LEAVES;

    if (removed.start.raw < removed.end.raw) {
        sweep_dying(cursor, cursor->cover, removed);
        cursor->owed.removed = (struct va_range){0};
    }
    while (cursor->owed.tables != NULL) {
        struct pt_node *node = cursor->owed.tables;

        cursor->owed.tables = node->next;
        reclaim_release(node, &leaves);
        reclaim_park(node);
    }
    while (cursor->owed.kept_count > 0) {
        frame_put(cursor->owed.kept[--cursor->owed.kept_count]);
    }
}

/* Most cursors owe nothing: those that look, and those that only add. */
static bool owes(const struct vm_cursor *cursor)
{
    return cursor->owed.flush_kind != VM_FLUSH_NONE || cursor->owed.code ||
           cursor->owed.removed.start.raw < cursor->owed.removed.end.raw ||
           cursor->owed.tables != NULL || cursor->owed.kept_count > 0;
}

void vm_cursor_sync(struct vm_cursor *cursor)
{
    if (owes(cursor)) {
        vm_cursor_dispatch(cursor);
        release(cursor);
    }
    counter_add(COUNTER_entry_stores, cursor->stores);
    cursor->stores = 0;
}

void cursor_sync_two(struct vm_cursor pair[2])
{
    if (pair[1].owed.flush_kind != VM_FLUSH_NONE) {
        vm_cursor_issue(&pair[0], pair[1].owed.flush_kind, pair[1].owed.flush);
    }
    pair[0].owed.code = pair[0].owed.code || pair[1].owed.code;
    pair[1].owed.flush_kind = VM_FLUSH_NONE;
    pair[1].owed.code = false;
    vm_cursor_sync(&pair[0]);
    vm_cursor_sync(&pair[1]);
}
