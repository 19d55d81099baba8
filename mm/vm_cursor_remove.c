/* SPDX-License-Identifier: MIT */
/*
 * Cursors: taking mappings and rights away, and paying for it.
 *
 * What is removed but not yet flushed must be kept somewhere that cannot run out, so it stays where
 * it is: the entry loses V and keeps the frame's number ("dying"); a detached table keeps its
 * entries.  Then one flush; then frames and tables go.
 *
 *   leaf  --remove-->  dying  --flush, release-->  absent
 *   table --detach-->  on the cursor's list, stray  --flush, release-->  freed
 */
#include "cursor_priv.h"
#include "lib/assert.h"
#include "lib/counter.h"
#include "pt_lock.h"
#include "reclaim.h"
#include "tlb.h"
#include "vm_space_priv.h"

static void count_removed(struct vm_removed *removed, pte_t leaf)
{
    if (pte_sw(leaf) == PTE_SW_IO) {
        removed->io_pages++;
    } else {
        removed->ram_pages++;
    }
    counter_add(COUNTER_pages_unmapped, 1);
}

static void note_dying(struct vm_cursor *cursor, struct va_range page)
{
    struct va_range *hull = &cursor->owed.removed;

    if (hull->start.raw >= hull->end.raw) {
        *hull = page;
        return;
    }
    hull->start.raw = page.start.raw < hull->start.raw ? page.start.raw : hull->start.raw;
    hull->end.raw = page.end.raw > hull->end.raw ? page.end.raw : hull->end.raw;
}

void cursor_remove_leaf(struct vm_cursor *cursor, const struct pt_place *place,
                        struct vm_removed *removed)
{
    struct va_range page = pt_place_range(place);

    ASSERT(place->node->level == 0);
    pte_slot_store(&place->node->slots[place->index], pte_make_dying(place->entry));
    place->node->present--;
    count_removed(removed, place->entry);
    note_dying(cursor, page);
    tlb_owe_page(cursor, page);
}

/* At most PTE_LEVELS_MAX deep. */
static void count_subtree(const struct pt_node *node, struct vm_removed *removed)
{
    for (unsigned i = 0; node->present > 0 && i < PTE_ENTRIES; i++) {
        pte_t entry = pte_slot_load(&node->slots[i]);
        enum pte_kind kind = pte_kind(entry, node->level);

        if (kind == PTE_TABLE) {
            count_subtree(pt_node_of(entry), removed);
        } else if (kind == PTE_LEAF) {
            count_removed(removed, entry);
        }
    }
}

static void detach(struct vm_cursor *cursor, const struct pt_place *place,
                   struct vm_removed *removed)
{
    struct pt_node *child = pt_node_of(place->entry);

    count_subtree(child, removed);
    pte_slot_store(&place->node->slots[place->index], pte_absent());
    place->node->present--;
    pt_unlock_stray(child);
    child->next = cursor->owed.tables;
    cursor->owed.tables = child;
    cursor->near = cursor->cover;
    tlb_owe_space(cursor);
}

/* Removes what lies in `part` below `node`; at most PTE_LEVELS_MAX deep. */
static void remove_below(struct vm_cursor *cursor, struct pt_node *node, struct va_range part,
                         struct vm_removed *removed)
{
    struct pt_span span = pt_node_span(node, part);

    for (unsigned i = span.first; node->present > 0 && i < span.end; i++) {
        struct pt_place place = {.node = node, .index = i, .entry = pte_slot_load(&node->slots[i])};
        struct va_range extent = pt_place_range(&place);

        place.kind = pte_kind(place.entry, node->level);
        if (place.kind == PTE_LEAF) {
            cursor_remove_leaf(cursor, &place, removed);
        } else if (place.kind == PTE_TABLE) {
            if (extent.start.raw >= part.start.raw && extent.end.raw <= part.end.raw) {
                detach(cursor, &place, removed);
            } else {
                remove_below(cursor, pt_node_of(place.entry), part, removed);
            }
        }
    }
}

status_t vm_cursor_unmap(struct vm_cursor *cursor, uint64_t len_bytes, struct vm_removed *removed)
{
    struct va_range part;
    status_t status = cursor_part_to_change(cursor, len_bytes, &part);

    if (status != OK) {
        return status;
    }
    *removed = (struct vm_removed){0};
    if (len_bytes > 0) {
        remove_below(cursor, cursor->cover, part, removed);
    }
    cursor->va = part.end;
    return OK;
}

/* Stores the leaf with new rights; what hardware sets meanwhile is kept. */
static void change_rights(const struct pt_place *place, enum vm_prot prot, enum vm_mem mem)
{
    pte_t seen = place->entry;

    while (!pte_slot_replace(&place->node->slots[place->index], &seen,
                             pte_with_rights(seen, prot, mem))) {
        ASSERT_FMT(pte_kind(seen, place->node->level) == PTE_LEAF, "entry=%lx",
                   (unsigned long)seen.raw);
    }
}

status_t vm_cursor_protect_next(struct vm_cursor *cursor, uint64_t len_bytes,
                                void (*op)(struct vm_rights *rights, void *context), void *context,
                                struct va_range *changed)
{
    struct pt_place place;
    struct pte_leaf leaf;
    struct vm_rights rights;
    enum vm_mem mem;
    struct va_range part;
    status_t status = cursor_part_to_change(cursor, len_bytes, &part);

    if (status != OK) {
        return status;
    }
    if (!pt_find_leaf(cursor, part, &place)) {
        cursor->va = part.end;
        return ERR_NOENT;
    }
    leaf = pte_decode(place.entry);
    rights = (struct vm_rights){{leaf.prot, cursor_leaf_mem(&leaf)}, leaf.accessed, leaf.dirty};
    op(&rights, context);
    status = leaf.sw == PTE_SW_IO ? cursor_check_io(rights.prop) : cursor_check_ram(rights.prop);
    if (status != OK) {
        return status;
    }
    mem = leaf.sw == PTE_SW_IO ? cursor_io_encoding(rights.prop.mem) : rights.prop.mem;
    change_rights(&place, rights.prop.prot, mem);
    *changed = pt_place_range(&place);
    if ((leaf.prot & ~(unsigned)rights.prop.prot) != 0 || mem != leaf.mem) {
        tlb_owe_page(cursor, *changed);
    }
    cursor->va = changed->end;
    return OK;
}

/* Frees what dying entries in `part` below `node` hold; at most PTE_LEVELS_MAX deep. */
static void sweep_dying(struct vm_space *space, struct pt_node *node, struct va_range part)
{
    struct pt_span span = pt_node_span(node, part);

    for (unsigned i = span.first; i < span.end; i++) {
        pte_t entry = pte_slot_load(&node->slots[i]);

        switch (pte_kind(entry, node->level)) {
        case PTE_TABLE:
            sweep_dying(space, pt_node_of(entry), part);
            break;
        case PTE_DYING:
            pte_slot_store(&node->slots[i], pte_absent());
            vm_space_release_page(space, pte_dying_pa(entry),
                                  pte_dying_is_io(entry) ? VM_PAGE_IO : VM_PAGE_RAM);
            break;
        case PTE_ABSENT:
        case PTE_LEAF:
        case PTE_UNKNOWN:
            break;
        }
    }
}

void vm_cursor_sync(struct vm_cursor *cursor)
{
    struct va_range removed = cursor->owed.removed;

    ASSERT(cursor->cover != NULL);
    tlb_pay(cursor);
    if (removed.start.raw < removed.end.raw) {
        sweep_dying(cursor->space, cursor->cover, removed);
    }
    while (cursor->owed.tables != NULL) {
        struct pt_node *node = cursor->owed.tables;

        cursor->owed.tables = node->next;
        reclaim_table(cursor->space, node);
    }
    cursor->owed.removed = (struct va_range){0};
}
