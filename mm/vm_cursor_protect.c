/* SPDX-License-Identifier: MIT */
/*
 * Cursors: changing rights, of one leaf or of a range.
 *
 * Hardware may set A and D in a leaf at any moment, so rights change by one atomic instruction.
 * What is taken away owes a flush, what is granted none.  Nothing here allocates.
 */
#include "cursor_priv.h"
#include "lib/assert.h"

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
