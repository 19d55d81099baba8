/* SPDX-License-Identifier: MIT */
/*
 * Cursors: taking mappings and rights away.
 *
 *   leaf  --remove-->  dying  --flush, release-->  absent
 *   table --detach-->  on the cursor's list, stray  --flush, release, park-->  freed by the reaper
 *
 * Nothing here allocates, so nothing here can fail for memory (docs/decisions/0009).
 */
#include "cursor_priv.h"
#include "lib/assert.h"
#include "lib/counter.h"
#include "pt_lock.h"

void cursor_remove_leaf(struct vm_cursor *cursor, const struct pt_place *place)
{
    struct pt_node *node = place->node;

    ASSERT(node->level == 0);
    pte_slot_store(&node->slots[place->index], pte_make_dying(place->entry));
    cursor->stores++;
    node->present--;
    node->dying++;
    if (pte_sw(place->entry) == PTE_SW_IO) {
        node->io--;
    }
    cursor_owe_dying(cursor, pt_place_range(place));
}

/* What a sub-tree maps.  At most PTE_LEVELS_MAX deep. */
static void count_pages(const struct pt_node *node, struct vm_removed *pages)
{
    if (node->level == 0) {
        pages->io_pages += node->io;
        pages->ram_pages += (unsigned)node->present - node->io;
        return;
    }
    for (unsigned i = 0, left = node->present; i < PTE_ENTRIES && left > 0; i++) {
        pte_t entry = pte_slot_load(&node->slots[i]);

        if (pte_kind(entry, node->level) == PTE_TABLE) {
            count_pages(pt_node_of(entry), pages);
            left--;
        }
    }
}

/* An unmap under way. */
struct unmapping {
    struct vm_cursor *cursor;
    struct va_range part;
    struct vm_removed removed;
    uint64_t edits_left;
};

static void detach(struct unmapping *job, const struct pt_place *place)
{
    struct vm_cursor *cursor = job->cursor;
    struct pt_node *child = pt_node_of(place->entry);

    pte_slot_store(&place->node->slots[place->index], pte_absent());
    cursor->stores++;
    place->node->present--;
    pt_unlock_stray(child);
    cursor->near = cursor->cover;
    cursor_owe_table(cursor, child);
}

static void unmap_below(struct unmapping *job, struct pt_node *node);

static void unmap_leaf(struct unmapping *job, const struct pt_place *place)
{
    cursor_remove_leaf(job->cursor, place);
    job->removed.io_pages += pte_sw(place->entry) == PTE_SW_IO ? 1 : 0;
    job->removed.ram_pages += pte_sw(place->entry) == PTE_SW_IO ? 0 : 1;
    job->edits_left--;
}

/* Detaches the table if the range holds all of it, and its edits are allowed; else goes into it. */
static void unmap_table(struct unmapping *job, const struct pt_place *place)
{
    struct va_range extent = pt_place_range(place);
    struct vm_removed pages = {0};

    if (extent.start.raw >= job->part.start.raw && extent.end.raw <= job->part.end.raw) {
        count_pages(pt_node_of(place->entry), &pages);
        if (pages.io_pages < job->edits_left) {
            detach(job, place);
            job->removed.ram_pages += pages.ram_pages;
            job->removed.io_pages += pages.io_pages;
            job->edits_left -= 1 + pages.io_pages;
            return;
        }
    }
    unmap_below(job, pt_node_of(place->entry));
}

/* Removes what lies in the part below `node`, and cuts the part where no edit is left.  At most
 * PTE_LEVELS_MAX deep. */
static void unmap_below(struct unmapping *job, struct pt_node *node)
{
    struct pt_span span = pt_node_span(node, job->part);

    for (unsigned i = span.first; node->present > 0 && i < span.end; i++) {
        struct pt_place place = {.node = node, .index = i, .entry = pte_slot_load(&node->slots[i])};

        place.kind = pte_kind(place.entry, node->level);
        if (place.kind != PTE_LEAF && place.kind != PTE_TABLE) {
            continue;
        }
        if (job->edits_left == 0) {
            uint64_t start = pt_place_range(&place).start.raw;

            /* A deeper call may have cut it already. */
            job->part.end.raw = start < job->part.end.raw ? start : job->part.end.raw;
            return;
        }
        if (place.kind == PTE_LEAF) {
            unmap_leaf(job, &place);
        } else {
            unmap_table(job, &place);
        }
    }
}

static status_t unmap(struct vm_cursor *cursor, uint64_t len_bytes, uint64_t max_edits,
                      struct vm_removed *removed)
{
    struct unmapping job = {.cursor = cursor, .edits_left = max_edits};
    status_t status = cursor_part_to_edit(cursor, len_bytes, &job.part);

    if (status != OK) {
        return status;
    }
    if (len_bytes > 0) {
        unmap_below(&job, cursor->cover);
    }
    counter_add(COUNTER_pages_unmapped, job.removed.ram_pages + job.removed.io_pages);
    *removed = job.removed;
    cursor->va = job.part.end;
    return OK;
}

status_t vm_cursor_unmap(struct vm_cursor *cursor, uint64_t len_bytes, struct vm_removed *removed)
{
    return unmap(cursor, len_bytes, UINT64_MAX, removed);
}

status_t vm_cursor_unmap_bounded(struct vm_cursor *cursor, uint64_t len_bytes, unsigned max_edits,
                                 struct vm_removed *removed)
{
    return max_edits > 0 ? unmap(cursor, len_bytes, max_edits, removed) : ERR_INVAL;
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

/* What a change of rights from `leaf` owes: a flush if something is taken away; a fence.i if the
 * page is to be executed, even if it could be before: who seals a page has just written it. */
static void owe_rights(struct vm_cursor *cursor, struct va_range page, const struct pte_leaf *leaf,
                       enum vm_prot prot, enum vm_mem mem)
{
    unsigned taken = leaf->prot & ~(unsigned)prot;

    if (taken != 0 || mem != leaf->mem) {
        vm_cursor_issue(cursor, VM_FLUSH_PAGES, page);
    }
    if ((prot & VM_X) != 0) {
        cursor->owed.code = true;
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
    status_t status = cursor_part_to_edit(cursor, len_bytes, &part);

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
    cursor->stores++;
    *changed = pt_place_range(&place);
    owe_rights(cursor, *changed, &leaf, rights.prop.prot, mem);
    cursor->va = changed->end;
    return OK;
}
