/* SPDX-License-Identifier: MIT */
/*
 * Cursors: giving a meaning to addresses where no page is.
 *
 *   1. the ends of the range become boundaries of entries: all tables that this needs (pt_split.c)
 *   2. what is there leaves, as by unmap, whole tables where an entry lies inside
 *   3. marks are stored in all entries that lie inside, at the highest level
 *
 * Pages of an object are named by a slot, whose row in the space's table (vm_backing.c) is held
 * from before 2 until the marks count for it.
 *
 * A page that leaves is dying, and holds its frame in the slot that the mark is to have, so its
 * flush comes between 2 and 3.  A mark itself owes none: V is clear before and after.
 */
#include "arch/arch.h"
#include "cursor_priv.h"
#include "lib/assert.h"
#include "pt_split.h"
#include "vm_backing.h"
#include "vm_space_priv.h"

status_t cursor_check_mark(const struct vm_mark *mark, uint64_t len_bytes)
{
    if (mark->kind == VM_ITEM_GUARD) {
        return OK;
    }
    if ((mark->kind != VM_ITEM_RESERVED && mark->kind != VM_ITEM_PAGED &&
         mark->kind != VM_ITEM_SWAPPED) ||
        (mark->prot != VM_PROT_NONE && !pte_prot_is_legal(mark->prot))) {
        return ERR_INVAL;
    }
    if (mark->kind == VM_ITEM_RESERVED && mark->page_level > PTE_LEVEL_RAM_MAX) {
        return ERR_INVAL;
    }
    if (mark->kind == VM_ITEM_PAGED &&
        (mark->object == NULL || mark->share > VM_SHARE_NONE ||
         (mark->share == VM_SHARE_VIEW && (mark->prot & VM_W) != 0))) {
        return ERR_INVAL;
    }
    if (mark->kind == VM_ITEM_SWAPPED &&
        (len_bytes != PAGE_SIZE || mark->cookie >> PTE_MARK_PLACE_BITS != 0)) {
        return ERR_INVAL;
    }
    return OK;
}

status_t cursor_hold_meaning(struct vm_cursor *cursor, struct va_range part,
                             const struct vm_mark *mark, struct pte_mark *meaning)
{
    static const enum pte_sw sw_of[] = {[VM_SHARE_ALL] = PTE_SW_RAM,
                                        [VM_SHARE_VIEW] = PTE_SW_VIEW,
                                        [VM_SHARE_NONE] = PTE_SW_PRIVATE};
    uint64_t pages = (part.end.raw - part.start.raw) / PAGE_SIZE;

    *meaning = (struct pte_mark){.kind = PTE_MARK_GUARD};
    if (mark->kind == VM_ITEM_GUARD) {
        return OK;
    }
    *meaning =
        (struct pte_mark){PTE_MARK_RESERVED, PTE_SW_PRIVATE, mark->prot, 0, mark->page_level};
    if (mark->kind == VM_ITEM_RESERVED) {
        return OK;
    }
    if (mark->kind == VM_ITEM_SWAPPED) {
        meaning->kind = PTE_MARK_SWAPPED;
        meaning->place = mark->cookie;
        return OK;
    }
    if (mark->object_page > MEM_OBJECT_PAGES_MAX) {
        return ERR_RANGE;
    }
    *meaning =
        (struct pte_mark){PTE_MARK_PAGED, sw_of[mark->share], mark->prot, 0, mark->object_page};
    return vm_backing_hold(cursor->space, mark->object, mark->object_page + pages, &meaning->slot);
}

struct vm_mark cursor_mark_there(const struct vm_cursor *cursor)
{
    struct vm_slot slot;
    struct vm_mark mark;
    status_t status = vm_cursor_query(cursor, &slot);

    ASSERT(status == OK);
    mark = (struct vm_mark){.kind = slot.item.kind,
                            .prot = slot.item.prop.prot,
                            .object = slot.item.object,
                            .share = slot.item.share,
                            .page_level = slot.item.page_level};
    if (mark.kind == VM_ITEM_PAGED) {
        mark.object_page =
            slot.item.object_page + (cursor->va.raw - slot.range.start.raw) / PAGE_SIZE;
    } else if (mark.kind == VM_ITEM_SWAPPED) {
        mark.cookie = slot.item.cookie;
    }
    return mark;
}

void cursor_drop_meaning(struct vm_cursor *cursor, const struct pte_mark *meaning)
{
    if (meaning->kind == PTE_MARK_PAGED) {
        vm_backing_drop(cursor->space, meaning->slot, 1);
    }
}

bool cursor_mark_is_large(struct va_range part)
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
 * ends are boundaries of entries.  At most PTE_LEVELS_MAX deep.  Returns how many. */
static uint64_t put_marks(struct pt_node *node, struct va_range part, pte_t mark)
{
    struct pt_span span = pt_node_span(node, part);
    uint64_t count = 0;

    for (unsigned i = span.first; i < span.end; i++) {
        pte_t entry = pte_slot_load(&node->slots[i]);

        if (node->level > 0 && pte_is_table(entry)) {
            count += put_marks(pt_node_of(entry), part, mark);
            continue;
        }
        DASSERT(pte_is_absent(entry));
        entry = pte_mark_at(mark, (pt_node_entry_va(node, i).raw - part.start.raw) / PAGE_SIZE);
        pte_slot_store(&node->slots[i], entry);
        pt_node_mark_added(node, entry);
        count++;
    }
    return count;
}

void cursor_put_meaning(struct vm_cursor *cursor, struct va_range part,
                        const struct pte_mark *meaning)
{
    uint64_t count = put_marks(cursor->cover, part, pte_make_mark(*meaning));

    cursor->stores += (uint32_t)count;
    if (meaning->kind == PTE_MARK_PAGED) {
        vm_backing_add(cursor->space, meaning->slot, count);
    }
}

/* All that can fail, for a part that is not empty; nothing changes the meaning of an address. */
static status_t prepare(struct vm_cursor *cursor, enum vm_map_mode mode, struct va_range *part)
{
    status_t status = mode == VM_MAP_EXCLUSIVE ? cut_where_used(cursor, part) : OK;

    if (status == OK && cursor_mark_is_large(*part)) {
        status = vm_space_stock_fill(cursor->space);
    }
    return status == OK ? pt_split_ends(cursor, *part, PT_ENDS_ALL) : status;
}

/* NOLINTNEXTLINE(readability-function-size): an interface of cursors, fixed as a whole */
status_t vm_cursor_mark(struct vm_cursor *cursor, uint64_t len_bytes, struct vm_mark mark,
                        enum vm_map_mode mode, unsigned max_edits, struct vm_removed *removed)
{
    struct removal job = {.cursor = cursor, .counted = COUNT_SLOTS, .edits_left = max_edits};
    struct pte_mark meaning;
    status_t status = max_edits > 0 ? cursor_check_mark(&mark, len_bytes) : ERR_INVAL;

    if (status == OK && cursor->mode != VM_CURSOR_CHANGE) {
        status = ERR_ACCES;
    }
    if (status == OK) {
        status = cursor_part(cursor, len_bytes, &job.part);
    }
    if (status == OK && len_bytes > 0) {
        status = prepare(cursor, mode, &job.part);
    }
    if (status == OK && len_bytes > 0) {
        status = cursor_hold_meaning(cursor, job.part, &mark, &meaning);
    }
    if (status != OK) {
        return status;
    }
    cursor_remove(&job);
    if (cursor->owed.removed.start.raw < cursor->owed.removed.end.raw) {
        vm_cursor_sync(cursor);
    }
    if (len_bytes > 0) {
        cursor_put_meaning(cursor, job.part, &meaning);
        cursor_drop_meaning(cursor, &meaning);
    }
    *removed = job.removed;
    cursor->va = job.part.end;
    return OK;
}
