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

    if (node->level == 0) {
        unmap_leaves(job, node);
        return;
    }
    for (unsigned i = span.first; node->present > 0 && i < span.end; i++) {
        struct pt_place place = {node, i, pte_slot_load(&node->slots[i]), PTE_TABLE};

        if (pte_kind(place.entry, node->level) != PTE_TABLE) {
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

/* A change of rights for all leaves of a node that it meets. */
struct rights_change {
    uint64_t set, clear; /* bits of an entry */
    enum vm_prot prot;
};

/* Bits go and bits come: no value in between may be seen. */
__attribute__((noinline)) static void replace_bits(struct pte_slot *slot, pte_t seen,
                                                   struct rights_change change)
{
    while (!pte_slot_replace(slot, &seen, pte_with_rights(seen, change.prot, VM_MEM_PMA))) {
        ASSERT_FMT(pte_kind(seen, 0) == PTE_LEAF, "entry=%lx", (unsigned long)seen.raw);
    }
}

/* Gives a leaf of RAM its new bits; hardware's A and D are kept.  Returns the bits taken away. */
static inline uint64_t change_bits(struct pte_slot *slot, pte_t entry, struct rights_change change)
{
    uint64_t taken = entry.raw & change.clear;
    bool grants = (entry.raw & change.set) != change.set;

    if (taken == 0 && grants) {
        pte_slot_set(slot, change.set);
    } else if (taken != 0 && grants) {
        replace_bits(slot, entry, change);
    } else if (taken != 0) {
        pte_slot_clear(slot, change.clear);
    }
    return taken;
}

/* True if an entry of a node of level 0 is a leaf that the range calls may change. */
static inline bool is_ram_page(pte_t entry)
{
    return pte_is_plain_page(entry) ||
           (pte_kind(entry, 0) == PTE_LEAF && pte_sw(entry) != PTE_SW_IO);
}

/* What was done to a part of a node of level 0. */
struct protected
{
    unsigned end;   /* index of the first page of a region, or of the part's end */
    unsigned count; /* leaves                                                    */
    uint64_t taken; /* bits that were taken away from any of them                */
};

/* Changes the leaves of a part of a node of level 0, as far as the first page of a region.  Not
 * inline: the loop is to have the registers for itself. */
__attribute__((noinline)) static struct protected protect_leaves(struct pt_node *node,
                                                                 struct pt_span span,
                                                                 struct rights_change change)
{
    struct protected done = {.end = span.end};
    struct pte_slot *end = &node->slots[span.end];

    for (struct pte_slot *slot = &node->slots[span.first]; slot < end; slot++) {
        pte_t entry = pte_slot_load(slot);

        if (is_ram_page(entry)) {
            done.taken |= change_bits(slot, entry, change);
            done.count++;
        } else if (pte_kind(entry, 0) == PTE_LEAF) {
            done.end = (unsigned)(slot - node->slots);
            break;
        }
    }
    return done;
}

/* What a change of rights of so many leaves owes: of all of them, if anything was taken from one.
 */
static void owe_protected(struct vm_cursor *cursor, struct va_range pages, struct protected done,
                          enum vm_prot prot)
{
    cursor->stores += done.count;
    if (done.taken != 0) {
        vm_cursor_issue(cursor, VM_FLUSH_PAGES, pages);
    }
    if (done.count > 0 && (prot & VM_X) != 0) {
        cursor->owed.code = true;
    }
}

/* The part of a span that can hold no more than so many leaves. */
static struct pt_span span_limit(struct pt_span span, uint64_t max)
{
    return (struct pt_span){span.first,
                            max < span.end - span.first ? span.first + (unsigned)max : span.end};
}

status_t vm_cursor_protect(struct vm_cursor *cursor, uint64_t len_bytes, enum vm_prot prot,
                           uint64_t max_pages, uint64_t *pages)
{
    struct rights_change change = {pte_prot_bits(prot), 0, prot};
    struct va_range part;
    struct pt_place place;
    status_t status = cursor_part_to_edit(cursor, len_bytes, &part);

    if (status == OK) {
        status = max_pages > 0 ? cursor_check_ram((struct vm_prop){prot, VM_MEM_PMA}) : ERR_INVAL;
    }
    if (status != OK) {
        return status;
    }
    change.clear = (PTE_R | PTE_W | PTE_X) & ~change.set;
    *pages = 0;
    while (pt_find_leaf(cursor, part, &place)) {
        struct pt_span span = span_limit(pt_node_span(place.node, part), max_pages - *pages);
        struct protected done = protect_leaves(place.node, span, change);

        owe_protected(cursor, pt_node_part(place.node, (struct pt_span){span.first, done.end}),
                      done, prot);
        *pages += done.count;
        part.start = pt_node_entry_va(place.node, done.end);
        if (done.end < span.end || *pages == max_pages) {
            cursor->va = part.start;
            return OK;
        }
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
