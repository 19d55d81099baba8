/* SPDX-License-Identifier: MIT */
/*
 * Cursors: taking mappings away.
 *
 *   leaf  --remove-->  dying  --flush, release-->  absent          at any level that has leaves
 *   hidden entry, the same, but it owes no flush of its own
 *   mark  --remove-->  absent
 *   table --detach-->  on the cursor's list, stray  --flush, release, park-->  freed by the reaper
 *
 * What may need memory is a large entry that an end of the range splits, before anything else is
 * done (pt_split.c); the rest allocates nothing, so it cannot fail for memory
 * (docs/decisions/0009).
 */
#include "cursor_priv.h"
#include "lib/assert.h"
#include "lib/counter.h"
#include "pt_lock.h"
#include "pt_split.h"
#include "vm_backing.h"
#include "vm_space_priv.h"

/* What a node's counts and the cursor's debts become by a removal.  hull: of what is dying now. */
static void note_removed(struct vm_cursor *cursor, struct pt_node *node,
                         const struct leaves *leaves, struct pt_span hull)
{
    unsigned mapped = leaves->count - leaves->hidden;

    cursor->stores += leaves->count + leaves->marks;
    node->present = (uint16_t)(node->present - mapped);
    node->io = (uint16_t)(node->io - leaves->io);
    node->hidden = (uint16_t)(node->hidden - leaves->hidden);
    node->marked = (uint16_t)(node->marked - leaves->marks);
    node->dying = (uint16_t)(node->dying + leaves->count);
    if (leaves->count > leaves->io) {
        vm_space_release(cursor->space, leaves->count - leaves->io);
    }
    if (mapped > 0) {
        cursor_owe_dying(cursor, pt_node_part(node, hull));
    } else if (leaves->count > 0) {
        cursor_owe_release(cursor, pt_node_part(node, hull));
    }
}

struct leaves cursor_remove_leaves(struct vm_cursor *cursor, struct pt_node *node,
                                   struct pt_span span, uint64_t max)
{
    struct pte_slot *slots = node->slots;
    struct leaves leaves = {.end = span.first};
    struct pt_span hull = {PTE_ENTRIES, 0};
    struct vm_backing_run paged = {.space = node->space};

    for (; leaves.end < span.end; leaves.end++) {
        pte_t entry = pte_slot_load(&slots[leaves.end]);
        bool is_leaf = (entry.raw & PTE_V) != 0;

        if (!is_leaf && !pte_is_mark(entry) && !pte_is_hidden(entry)) {
            continue;
        }
        if (leaves.count + leaves.marks == max) {
            break;
        }
        if (is_leaf) {
            pte_slot_store(&slots[leaves.end], pte_make_dying(entry));
            leaves.io += pte_sw(entry) == PTE_SW_IO ? 1 : 0;
        } else if (pte_is_hidden(entry)) {
            pte_slot_store(&slots[leaves.end], pte_hidden_make_dying(entry));
            leaves.hidden++;
        } else {
            pte_slot_store(&slots[leaves.end], pte_absent());
            leaves.marks++;
            if (pte_is_paged(entry)) {
                vm_backing_run_drop(&paged, pte_decode_mark(entry).slot);
                node->paged--;
            }
            continue;
        }
        hull.first = leaves.count == 0 ? leaves.end : hull.first;
        hull.end = leaves.end + 1;
        leaves.count++;
    }
    vm_backing_run_end(&paged);
    note_removed(cursor, node, &leaves, hull);
    return leaves;
}

struct vm_removed cursor_remove_large(struct vm_cursor *cursor, const struct pt_place *place)
{
    struct pt_node *node = place->node;
    struct va_range extent = pt_place_range(place);
    uint64_t pages = pt_node_entry_bytes(node) / PAGE_SIZE;
    bool is_leaf = (place->entry.raw & PTE_V) != 0;
    bool is_io = is_leaf && pte_sw(place->entry) == PTE_SW_IO;

    pte_slot_store(&node->slots[place->index],
                   is_leaf ? pte_make_dying(place->entry) : pte_hidden_make_dying(place->entry));
    cursor->stores++;
    node->dying++;
    node->io = (uint16_t)(node->io - (is_io ? 1 : 0));
    if (is_leaf) {
        node->present--;
        node->large--;
        cursor_owe_dying(cursor, extent);
    } else {
        node->hidden--;
        cursor_owe_release(cursor, extent);
    }
    if (is_io) {
        return (struct vm_removed){.io_pages = pages};
    }
    vm_space_release(cursor->space, pages);
    return (struct vm_removed){.ram_pages = pages};
}

/* What a sub-tree maps. */
struct sum {
    struct vm_removed pages;
    uint64_t io_entries;
};

/* At most PTE_LEVELS_MAX deep. */
static void sum_up(const struct pt_node *node, struct sum *sum)
{
    struct pt_span span = {0, PTE_ENTRIES};
    unsigned i;

    sum->io_entries += node->io;
    sum->pages.io_pages += pt_node_io_pages(node);
    sum->pages.ram_pages += pt_node_ram_pages(node);
    while (node->level > 0 && pt_node_next_table(node, &span, &i)) {
        sum_up(pt_node_of(pte_slot_load(&node->slots[i])), sum);
    }
}

void cursor_detach(struct vm_cursor *cursor, const struct pt_place *place)
{
    struct pt_node *child = pt_node_of(place->entry);

    pt_node_take_table(place->node, place->index);
    cursor->stores++;
    vm_space_release(cursor->space, pt_unlock_stray(child));
    cursor->near = cursor->cover;
    cursor_owe_table(cursor, child);
}

static void remove_below(struct removal *job, struct pt_node *node);

/* Nothing from here on may be removed.  A deeper call may have cut the part already. */
static void cut_at(struct removal *job, vaddr_t va)
{
    job->part.end = va.raw < job->part.end.raw ? va : job->part.end;
}

static void note_pages(struct removal *job, struct vm_removed pages)
{
    job->removed.ram_pages += pages.ram_pages;
    job->removed.io_pages += pages.io_pages;
}

static void remove_at_level_0(struct removal *job, struct pt_node *node)
{
    struct pt_span span = pt_node_span(node, job->part);
    struct pt_span within = span;
    struct leaves leaves;

    if (job->counted == COUNT_SLOTS && span.end - span.first > job->edits_left) {
        within.end = span.first + (unsigned)job->edits_left;
    }
    leaves = cursor_remove_leaves(job->cursor, node, within, job->edits_left);
    note_pages(job, (struct vm_removed){leaves.count - leaves.io, leaves.io});
    job->edits_left -=
        job->counted == COUNT_SLOTS ? leaves.end - span.first : leaves.count + leaves.marks;
    if (leaves.end < span.end) {
        cut_at(job, pt_node_entry_va(node, leaves.end));
    }
}

/* Detaches the table if the range holds all of it, and its edits are allowed; else goes into it. */
static void remove_table(struct removal *job, const struct pt_place *place)
{
    struct va_range extent = pt_place_range(place);
    struct sum sum = {0};

    if (extent.start.raw >= job->part.start.raw && extent.end.raw <= job->part.end.raw) {
        sum_up(pt_node_of(place->entry), &sum);
        if (sum.io_entries < job->edits_left) {
            cursor_detach(job->cursor, place);
            note_pages(job, sum.pages);
            job->edits_left -= 1 + sum.io_entries;
            return;
        }
    }
    remove_below(job, pt_node_of(place->entry));
}

/* Removes the entry, which is no table and of which the range holds all. */
static void remove_entry(struct removal *job, const struct pt_place *place)
{
    if (place->kind == PTE_ABSENT || place->kind == PTE_DYING) {
        return; /* it counts as a slot at most */
    }
    DASSERT(pt_place_range(place).start.raw >= job->part.start.raw &&
            pt_place_range(place).end.raw <= job->part.end.raw);
    if (place->kind != PTE_MARK) {
        note_pages(job, cursor_remove_large(job->cursor, place));
        return;
    }
    pte_slot_store(&place->node->slots[place->index], pte_absent());
    job->cursor->stores++;
    pt_node_mark_gone(place->node, place->entry);
}

/* Removes what lies in the part below `node`, and cuts the part where no edit is left.  At most
 * PTE_LEVELS_MAX deep. */
static void remove_below(struct removal *job, struct pt_node *node)
{
    struct pt_span span = pt_node_span(node, job->part);

    if (job->counted == COUNT_ENTRIES && !pt_node_is_used(node)) {
        return;
    }
    if (node->level == 0) {
        remove_at_level_0(job, node);
        return;
    }
    for (unsigned i = span.first; i < span.end; i++) {
        pte_t entry = pte_slot_load(&node->slots[i]);
        struct pt_place place = {node, i, entry, PTE_TABLE};

        if (job->counted == COUNT_ENTRIES && (pte_is_absent(entry) || pte_is_dying(entry))) {
            continue;
        }
        if (job->edits_left == 0) {
            cut_at(job, pt_node_entry_va(node, i));
            return;
        }
        if (pte_is_table(entry)) {
            remove_table(job, &place);
        } else {
            place.kind = pte_kind(entry, node->level);
            remove_entry(job, &place);
            job->edits_left--;
        }
    }
}

void cursor_remove(struct removal *job)
{
    if (job->part.start.raw < job->part.end.raw) {
        remove_below(job, job->cursor->cover);
    }
    counter_add(COUNTER_pages_unmapped, job->removed.ram_pages + job->removed.io_pages);
}

static status_t unmap(struct vm_cursor *cursor, uint64_t len_bytes, uint64_t max_edits,
                      struct vm_removed *removed)
{
    struct removal job = {.cursor = cursor, .counted = COUNT_ENTRIES, .edits_left = max_edits};
    status_t status = cursor_part_to_edit(cursor, len_bytes, &job.part);

    if (status == OK) {
        status = pt_split_ends(cursor, job.part, PT_ENDS_OF_ENTRIES);
    }
    if (status != OK) {
        return status;
    }
    cursor_remove(&job);
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
