/* SPDX-License-Identifier: MIT */
/*
 * Cursors: giving a meaning to addresses where no page is.
 *
 *   1. the ends of the range become boundaries of entries: all tables that this needs (pt_split.c)
 *   2. what is there leaves, as by unmap, whole tables where an entry lies inside
 *   3. marks are stored in all entries that lie inside, at the highest level
 *
 * A page that leaves is dying, and holds its frame in the slot that the mark is to have, so its
 * flush comes between 2 and 3.  A mark itself owes none: V is clear before and after.
 */
#include "arch/arch.h"
#include "cursor_priv.h"
#include "lib/assert.h"
#include "pt_split.h"
#include "vm_space_priv.h"

static status_t check_mark(struct vm_mark mark)
{
    if (mark.kind == VM_ITEM_GUARD) {
        return OK;
    }
    return mark.kind == VM_ITEM_RESERVED &&
                   (mark.prot == VM_PROT_NONE || pte_prot_is_legal(mark.prot))
               ? OK
               : ERR_INVAL;
}

/* True if some mark of the part lies above level 0. */
static bool is_large(struct va_range part)
{
    uint64_t bytes = pte_level_bytes(1);

    return align_up(part.start.raw, bytes) + bytes <= part.end.raw;
}

/* Cuts the part where something is.  ERR_EXIST: at its start. */
static status_t cut_where_used(struct vm_cursor *cursor, struct va_range *part)
{
    struct pt_place place;
    vaddr_t used;

    if (!pt_find_used(cursor, *part, &place)) {
        return OK;
    }
    used = pt_place_range(&place).start;
    if (used.raw <= part->start.raw) {
        return ERR_EXIST;
    }
    part->end = used;
    return OK;
}

/* Stores the mark in all entries below `node` that the part holds; they are absent, and the part's
 * ends are boundaries of entries.  At most PTE_LEVELS_MAX deep. */
static void put_marks(struct vm_cursor *cursor, struct pt_node *node, struct va_range part,
                      pte_t mark)
{
    struct pt_span span = pt_node_span(node, part);

    for (unsigned i = span.first; i < span.end; i++) {
        pte_t entry = pte_slot_load(&node->slots[i]);

        if (node->level > 0 && pte_is_table(entry)) {
            put_marks(cursor, pt_node_of(entry), part, mark);
            continue;
        }
        DASSERT(pte_is_absent(entry));
        pte_slot_store(&node->slots[i], mark);
        node->marked++;
        cursor->stores++;
    }
}

/* All that can fail, for a part that is not empty; nothing changes the meaning of an address. */
static status_t prepare(struct vm_cursor *cursor, enum vm_map_mode mode, struct va_range *part)
{
    status_t status = mode == VM_MAP_EXCLUSIVE ? cut_where_used(cursor, part) : OK;

    if (status == OK && is_large(*part)) {
        status = vm_space_stock_fill(cursor->space);
    }
    return status == OK ? pt_split_ends(cursor, *part, PT_ENDS_ALL) : status;
}

/* NOLINTNEXTLINE(readability-function-size): an interface of cursors, fixed as a whole */
status_t vm_cursor_mark(struct vm_cursor *cursor, uint64_t len_bytes, struct vm_mark mark,
                        enum vm_map_mode mode, unsigned max_edits, struct vm_removed *removed)
{
    struct removal job = {.cursor = cursor, .counted = COUNT_SLOTS, .edits_left = max_edits};
    struct pte_mark meaning = {.kind =
                                   mark.kind == VM_ITEM_GUARD ? PTE_MARK_GUARD : PTE_MARK_RESERVED,
                               .sw = PTE_SW_PRIVATE,
                               .prot = mark.prot};
    status_t status = max_edits > 0 ? check_mark(mark) : ERR_INVAL;

    if (status == OK && cursor->mode != VM_CURSOR_CHANGE) {
        status = ERR_ACCES;
    }
    if (status == OK) {
        status = cursor_part(cursor, len_bytes, &job.part);
    }
    if (status == OK && len_bytes > 0) {
        status = prepare(cursor, mode, &job.part);
    }
    if (status != OK) {
        return status;
    }
    cursor_remove(&job);
    if (cursor->owed.removed.start.raw < cursor->owed.removed.end.raw) {
        vm_cursor_sync(cursor);
    }
    if (len_bytes > 0) {
        put_marks(cursor, cursor->cover, job.part, pte_make_mark(meaning));
    }
    *removed = job.removed;
    cursor->va = job.part.end;
    return OK;
}
