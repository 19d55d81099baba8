/* SPDX-License-Identifier: MIT */
/*
 * Cursors: looking at what is there, and moving.  Nothing changes but the position.
 */
#include "cursor_priv.h"
#include "lib/assert.h"
#include "mm/frame_block.h"
#include "vm_backing.h"

vaddr_t vm_cursor_va(const struct vm_cursor *cursor)
{
    return cursor->va;
}

static enum vm_share share_of(enum pte_sw sw)
{
    switch (sw) {
    case PTE_SW_PRIVATE:
    case PTE_SW_PENDING:
        return VM_SHARE_NONE;
    case PTE_SW_VIEW:
        return VM_SHARE_VIEW;
    case PTE_SW_RAM:
    case PTE_SW_IO:
        break;
    }
    return VM_SHARE_ALL;
}

static struct vm_item leaf_item(pte_t entry)
{
    struct pte_leaf leaf = pte_decode(entry);
    enum vm_prot prot = leaf.sw == PTE_SW_PENDING ? leaf.prot | VM_W : leaf.prot;

    return (struct vm_item){
        .kind = leaf.sw == PTE_SW_IO ? VM_ITEM_IO : VM_ITEM_RAM,
        .frame = leaf.sw == PTE_SW_IO ? NULL : frame_of(leaf.pa),
        .pa = leaf.pa,
        .prop = {prot, cursor_leaf_mem(&leaf)},
        .share = share_of(leaf.sw),
        .accessed = leaf.accessed,
        .dirty = leaf.dirty,
    };
}

static struct vm_item mark_item(const struct vm_space *space, pte_t entry)
{
    struct pte_mark mark = pte_decode_mark(entry);
    struct vm_item item = {
        .kind = mark.kind == PTE_MARK_GUARD ? VM_ITEM_GUARD : VM_ITEM_RESERVED,
        .page_level = mark.kind == PTE_MARK_RESERVED ? (unsigned)mark.place : 0,
        .prop = {mark.prot, VM_MEM_PMA},
        .share = share_of(mark.sw),
    };

    if (mark.kind == PTE_MARK_PAGED) {
        item.kind = VM_ITEM_PAGED;
        item.object = vm_backing_object(space, mark.slot);
        item.object_page = mark.place;
    } else if (mark.kind == PTE_MARK_SWAPPED) {
        item.kind = VM_ITEM_SWAPPED;
        item.cookie = mark.place;
    }
    return item;
}

static struct vm_item hidden_item(pte_t entry)
{
    paddr_t pa = pte_kept_pa(entry);

    return (struct vm_item){
        .kind = VM_ITEM_HIDDEN,
        .frame = frame_of(pa),
        .pa = pa,
        .prop = {VM_PROT_NONE, VM_MEM_PMA},
        .share = share_of(pte_kept_sw(entry)),
        .accessed = (entry.raw & PTE_A) != 0,
        .dirty = (entry.raw & PTE_D) != 0 && pte_kept_sw(entry) != PTE_SW_VIEW,
    };
}

static struct vm_item entry_item(const struct vm_space *space, const struct pt_place *place)
{
    switch (place->kind) {
    case PTE_LEAF:
        return leaf_item(place->entry);
    case PTE_MARK:
        return mark_item(space, place->entry);
    case PTE_HIDDEN:
        return hidden_item(place->entry);
    case PTE_ABSENT:
    case PTE_DYING: /* it has been removed, by this cursor */
    case PTE_TABLE:
    case PTE_UNKNOWN:
        break;
    }
    return (struct vm_item){.kind = VM_ITEM_ABSENT};
}

static struct vm_item item_of(const struct vm_space *space, const struct pt_place *place)
{
    struct vm_item item = entry_item(space, place);

    item.level = place->node->level;
    return item;
}

status_t vm_cursor_query(const struct vm_cursor *cursor, struct vm_slot *slot)
{
    struct pt_place place;

    ASSERT(cursor->cover != NULL);
    if (cursor->va.raw == cursor->range.end.raw) {
        return ERR_RANGE;
    }
    place = pt_look(cursor, cursor->va);
    *slot = (struct vm_slot){pt_place_range(&place), item_of(cursor->space, &place)};
    return OK;
}

status_t vm_cursor_query_get(const struct vm_cursor *cursor, struct vm_slot *slot)
{
    status_t status = vm_cursor_query(cursor, slot);

    if (status == OK && slot->item.frame != NULL) {
        frame_block_get(slot->item.frame, slot->item.level);
    }
    return status;
}

status_t vm_cursor_next(struct vm_cursor *cursor, struct vm_slot *slot)
{
    struct pt_place place;
    struct va_range extent;
    uint64_t skipped = 0;

    ASSERT(cursor->cover != NULL);
    if (cursor->va.raw == cursor->range.end.raw) {
        return ERR_NOENT;
    }
    place = pt_walk(cursor, cursor->va);
    extent = pt_place_range(&place);
    *slot = (struct vm_slot){extent, item_of(cursor->space, &place)};
    if (slot->range.start.raw < cursor->va.raw) {
        skipped = cursor->va.raw - slot->range.start.raw;
        slot->range.start = cursor->va;
    }
    if (slot->range.end.raw > cursor->range.end.raw) {
        slot->range.end = cursor->range.end;
    }
    slot->item.pa.raw += place.kind == PTE_LEAF || place.kind == PTE_HIDDEN ? skipped : 0;
    slot->item.object_page += slot->item.kind == VM_ITEM_PAGED ? skipped / PAGE_SIZE : 0;
    cursor->va = slot->range.end;
    return OK;
}

status_t vm_cursor_find_next(struct vm_cursor *cursor, uint64_t len_bytes, vaddr_t *found)
{
    struct va_range part;
    struct pt_place place;
    status_t status = cursor_part(cursor, len_bytes, &part);

    if (status != OK) {
        return status;
    }
    if (!pt_find_leaf(cursor, part, &place)) {
        cursor->va = part.end;
        return ERR_NOENT;
    }
    if (pt_place_range(&place).start.raw > cursor->va.raw) {
        cursor->va = pt_place_range(&place).start;
    }
    *found = cursor->va;
    return OK;
}

status_t vm_cursor_jump(struct vm_cursor *cursor, vaddr_t va)
{
    ASSERT(cursor->cover != NULL);
    if (!is_aligned(va.raw, PAGE_SIZE)) {
        return ERR_INVAL;
    }
    if (va.raw < cursor->range.start.raw || va.raw >= cursor->range.end.raw) {
        return ERR_RANGE;
    }
    cursor->va = va;
    return OK;
}
