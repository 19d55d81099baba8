/* SPDX-License-Identifier: MIT */
/*
 * Cursors: changing rights, of one leaf or of a range.
 *
 * Hardware may set A and D in a leaf at any moment, so rights change by one atomic instruction.
 * What is taken away owes a flush, what is granted none.  Tables are needed only where an end of a
 * range lies inside something larger (pt_split.c).
 */
#include "cursor_priv.h"
#include "lib/assert.h"
#include "pt_rights.h"
#include "pt_split.h"

/* A change of the rights of a range, under way. */
struct protecting {
    struct vm_cursor *cursor;
    struct va_range part; /* cut where it stops                 */
    enum vm_prot prot;
    bool is_cut;
    bool is_refused; /* it stops at a view, which is not to have W */
    uint64_t left;   /* pages and marks that it may still meet */
    uint64_t pages;  /* that it has met                        */
};

/* Nothing from here on may be changed. */
static void cut_at(struct protecting *job, vaddr_t va)
{
    job->part.end = va;
    job->is_cut = true;
}

/* What a change of rights owes: a flush of all, if anything was taken from one; a fence.i as
 * owe_rights. */
static void owe_protected(struct protecting *job, struct va_range pages,
                          const struct pt_rights *done)
{
    struct vm_cursor *cursor = job->cursor;

    cursor->stores += done->stores;
    if (done->has_taken) {
        vm_cursor_issue(cursor, VM_FLUSH_PAGES, pages);
    }
    if (done->pages > 0 && (job->prot & VM_X) != 0) {
        cursor->owed.code = true;
    }
}

/* The part of a span that can hold no more than so many pages. */
static struct pt_span span_limit(struct pt_span span, uint64_t max)
{
    return (struct pt_span){span.first,
                            max < span.end - span.first ? span.first + (unsigned)max : span.end};
}

static void protect_pages(struct protecting *job, struct pt_node *node)
{
    struct pt_span span = pt_node_span(node, job->part);

    while (span.first < span.end) {
        struct pt_span some = span_limit(span, job->left);
        struct pt_rights done = pt_rights_change(node, some, job->prot);

        owe_protected(job, pt_node_part(node, (struct pt_span){some.first, done.end}), &done);
        job->pages += done.pages;
        job->left -= done.pages + done.marks;
        job->is_refused = done.is_refused;
        span.first = done.end;
        if (done.end < some.end || job->left == 0) {
            cut_at(job, pt_node_entry_va(node, done.end));
            return;
        }
    }
}

/* An entry above level 0 that is no table, all of which lies in the part.  Not inline: few are. */
__attribute__((noinline)) static void protect_large(struct protecting *job, struct pt_node *node,
                                                    unsigned index)
{
    struct pt_rights done = pt_rights_change_large(node, index, job->prot);

    owe_protected(job, pt_node_part(node, (struct pt_span){index, index + 1}), &done);
    job->pages += done.pages;
    job->left -= done.cost < job->left ? done.cost : job->left;
    job->is_refused = done.is_refused;
    if (done.end == index || job->left == 0) {
        cut_at(job, pt_node_entry_va(node, done.end));
    }
}

/* Changes what lies in the part below `node`.  At most PTE_LEVELS_MAX deep. */
static void protect_below(struct protecting *job, struct pt_node *node)
{
    struct pt_span span = pt_node_span(node, job->part);

    if (!pt_node_is_used(node)) {
        return;
    }
    if (node->level == 0) {
        protect_pages(job, node);
        return;
    }
    for (unsigned i = span.first; i < span.end && !job->is_cut; i++) {
        pte_t entry = pte_slot_load(&node->slots[i]);

        if (pte_is_table(entry)) {
            protect_below(job, pt_node_of(entry));
        } else if (!pte_is_absent(entry)) {
            protect_large(job, node, i);
        }
    }
}

void cursor_protect(struct vm_cursor *cursor, struct va_range part, enum vm_prot prot)
{
    struct protecting job = {.cursor = cursor, .part = part, .prot = prot, .left = UINT64_MAX};

    protect_below(&job, cursor->cover);
    ASSERT(!job.is_cut);
}

status_t vm_cursor_protect(struct vm_cursor *cursor, uint64_t len_bytes, enum vm_prot prot,
                           uint64_t max_pages, uint64_t *pages)
{
    struct protecting job = {.cursor = cursor, .prot = prot, .left = max_pages};
    status_t status = cursor_part_to_edit(cursor, len_bytes, &job.part);

    if (status == OK && max_pages == 0) {
        status = ERR_INVAL;
    }
    if (status == OK && prot != VM_PROT_NONE) {
        status = cursor_check_ram((struct vm_prop){prot, VM_MEM_PMA});
    }
    if (status == OK) {
        status = pt_split_ends(cursor, job.part, PT_ENDS_OF_ENTRIES);
    }
    if (status != OK) {
        return status;
    }
    if (len_bytes > 0) {
        protect_below(&job, cursor->cover);
    }
    *pages = job.pages;
    cursor->va = job.part.end;
    return job.is_refused ? ERR_ACCES : OK;
}

/* Stores the leaf with new rights; what hardware sets meanwhile is kept. */
static void change_rights(const struct pt_place *place, enum vm_prot prot, enum vm_mem mem)
{
    pte_t seen = place->entry;

    if (pte_sw(seen) != PTE_SW_IO && place->node->level > 0) {
        (void)pt_rights_change_large(place->node, place->index, prot);
        return;
    }
    if (pte_sw(seen) != PTE_SW_IO) {
        (void)pt_rights_change(place->node, (struct pt_span){place->index, place->index + 1}, prot);
        return;
    }
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
    rights.prop.prot |= leaf.sw == PTE_SW_PENDING ? VM_W : 0;
    op(&rights, context);
    status = leaf.sw == PTE_SW_IO ? cursor_check_io(rights.prop) : cursor_check_ram(rights.prop);
    if (status == OK && pt_rights_are_refused(leaf.sw, rights.prop.prot)) {
        status = ERR_ACCES;
    }
    if (status == OK) {
        status = pt_split_place(cursor, &place, part);
    }
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
