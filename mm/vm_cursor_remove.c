/* SPDX-License-Identifier: MIT */
/*
 * Cursors: taking mappings away.
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
#include "vm_space_priv.h"

struct leaves cursor_remove_leaves(struct vm_cursor *cursor, struct pt_node *node,
                                   struct pt_span span, uint64_t max)
{
    struct pte_slot *slots = node->slots;
    struct leaves leaves = {.end = span.first};
    struct pt_span hull = {PTE_ENTRIES, 0};

    for (; leaves.end < span.end; leaves.end++) {
        pte_t entry = pte_slot_load(&slots[leaves.end]);

        if (!pte_is_plain_page(entry) && pte_kind(entry, 0) != PTE_LEAF) {
            continue;
        }
        if (leaves.count == max) {
            break;
        }
        pte_slot_store(&slots[leaves.end], pte_make_dying(entry));
        leaves.io += pte_sw(entry) == PTE_SW_IO ? 1 : 0;
        hull.first = leaves.count == 0 ? leaves.end : hull.first;
        hull.end = leaves.end + 1;
        leaves.count++;
    }
    if (leaves.count > 0) {
        cursor->stores += leaves.count;
        node->present = (uint16_t)(node->present - leaves.count);
        node->io = (uint16_t)(node->io - leaves.io);
        node->dying = (uint16_t)(node->dying + leaves.count);
        cursor_owe_dying(cursor, pt_node_part(node, hull));
        vm_space_release(cursor->space, leaves.count - leaves.io);
    }
    return leaves;
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

        if (pte_is_table(entry)) {
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

void cursor_detach(struct vm_cursor *cursor, const struct pt_place *place)
{
    struct pt_node *child = pt_node_of(place->entry);

    pte_slot_store(&place->node->slots[place->index], pte_absent());
    cursor->stores++;
    place->node->present--;
    vm_space_release(cursor->space, pt_unlock_stray(child));
    cursor->near = cursor->cover;
    cursor_owe_table(cursor, child);
}

static void unmap_below(struct unmapping *job, struct pt_node *node);

/* Nothing from here on may be removed.  A deeper call may have cut the part already. */
static void cut_at(struct unmapping *job, vaddr_t va)
{
    job->part.end = va.raw < job->part.end.raw ? va : job->part.end;
}

static void unmap_leaves(struct unmapping *job, struct pt_node *node)
{
    struct pt_span span = pt_node_span(node, job->part);
    struct leaves leaves = cursor_remove_leaves(job->cursor, node, span, job->edits_left);

    job->removed.io_pages += leaves.io;
    job->removed.ram_pages += leaves.count - leaves.io;
    job->edits_left -= leaves.count;
    if (leaves.end < span.end) {
        cut_at(job, pt_node_entry_va(node, leaves.end));
    }
}

/* Detaches the table if the range holds all of it, and its edits are allowed; else goes into it. */
static void unmap_table(struct unmapping *job, const struct pt_place *place)
{
    struct va_range extent = pt_place_range(place);
    struct vm_removed pages = {0};

    if (extent.start.raw >= job->part.start.raw && extent.end.raw <= job->part.end.raw) {
        count_pages(pt_node_of(place->entry), &pages);
        if (pages.io_pages < job->edits_left) {
            cursor_detach(job->cursor, place);
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

    if (node->level == 0) {
        unmap_leaves(job, node);
        return;
    }
    for (unsigned i = span.first; node->present > 0 && i < span.end; i++) {
        struct pt_place place = {node, i, pte_slot_load(&node->slots[i]), PTE_TABLE};

        if (!pte_is_table(place.entry)) {
            continue;
        }
        if (job->edits_left == 0) {
            cut_at(job, pt_node_entry_va(node, i));
            return;
        }
        unmap_table(job, &place);
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
