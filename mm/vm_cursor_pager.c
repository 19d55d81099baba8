/* SPDX-License-Identifier: MIT */
/*
 * Cursors: what pagers do.  Which pages are used, and which are kept elsewhere.
 *
 *   evict    page of `from`  -->  swapped, under a cookie    frame: read-only page of `to`
 *   supply   page of `from`  -->  nothing                    frame: page of `to`, where the cookie
 *                                                            was, with that mark's rights
 *
 * A page that changes hands keeps its frame and its owners: it is private before and after, and who
 * else names the frame still does.  The charge goes along.  `from` owes the flush, and pays it when
 * it is closed.
 */
#include "mm/vm_cursor_pager.h"

#include "cursor_priv.h"
#include "lib/assert.h"
#include "lib/counter.h"
#include "vm_space_priv.h"

/* ---- which are used ---- */

/* Takes A from a leaf.  True if it had it. */
static bool take_accessed(struct vm_cursor *cursor, const struct pt_place *place)
{
    pte_t seen = place->entry;

    while ((seen.raw & PTE_A) != 0) {
        if (pte_slot_replace(&place->node->slots[place->index], &seen,
                             (pte_t){seen.raw & ~PTE_A})) {
            cursor->stores++;
            return true;
        }
    }
    return false;
}

status_t vm_cursor_clear_accessed(struct vm_cursor *cursor, uint64_t len_bytes, uint64_t max_pages,
                                  uint64_t *accessed)
{
    struct va_range part;
    struct pt_place place;
    status_t status = cursor_part_to_edit(cursor, len_bytes, &part);

    if (status == OK && max_pages == 0) {
        status = ERR_INVAL;
    }
    if (status != OK) {
        return status;
    }
    *accessed = 0;
    for (; max_pages > 0 && pt_find_leaf(cursor, part, &place); max_pages--) {
        struct va_range page = pt_place_range(&place);

        if (pte_sw(place.entry) != PTE_SW_IO && take_accessed(cursor, &place)) {
            vm_cursor_issue(cursor, VM_FLUSH_PAGES, page);
            (*accessed)++;
        }
        part.start = page.end;
    }
    cursor->va = max_pages > 0 ? part.end : part.start;
    return OK;
}

/* ---- which are kept elsewhere ---- */

#define COOKIE_END (UINT64_C(1) << PTE_MARK_PLACE_BITS)

/* The leaf of a private page with these rights, whose frame may have other owners: W is pending
 * then.  VM_PROT_NONE: it is hidden. */
static pte_t private_page(const struct frame *frame, enum vm_prot prot)
{
    bool is_pending = (prot & VM_W) != 0 && !frame_has_one_ref(frame);
    struct pte_leaf leaf = {.pa = frame_pa(frame),
                            .prot = is_pending ? prot & VM_RX : prot,
                            .sw = is_pending ? PTE_SW_PENDING : PTE_SW_PRIVATE,
                            .user = true};

    return prot != VM_PROT_NONE ? pte_make_leaf(leaf) : pte_make_hidden(pte_make_leaf(leaf));
}

/* The private page at the position, mapped or hidden; ERR_NOENT: nothing that could change hands.
 */
static status_t find_private(struct vm_cursor *cursor, struct pt_place *place)
{
    enum pte_sw sw;

    *place = pt_walk(cursor, cursor->va);
    if (place->kind != PTE_LEAF && place->kind != PTE_HIDDEN) {
        return ERR_NOENT;
    }
    sw = place->kind == PTE_LEAF ? pte_sw(place->entry) : pte_kept_sw(place->entry);
    return sw == PTE_SW_PRIVATE || sw == PTE_SW_PENDING ? OK : ERR_NOENT;
}

/* A range that changes hands, page by page. */
struct handing {
    struct vm_cursor *from, *to;
    uint64_t cookie; /* of the page at the positions */
};

/* Checks both ranges; then what waits in `to`, and still takes its place, goes. */
static status_t begin(const struct handing *job, uint64_t len_bytes, unsigned max_edits)
{
    struct va_range part;
    status_t status = cursor_part_to_edit(job->from, len_bytes, &part);

    if (status == OK) {
        status = cursor_part(job->to, len_bytes, &part);
    }
    if (status == OK && job->to->mode != VM_CURSOR_CHANGE) {
        status = ERR_ACCES;
    }
    if (status == OK &&
        (job->from->space == job->to->space || max_edits == 0 || job->cookie > COOKIE_END ||
         len_bytes / PAGE_SIZE > COOKIE_END - job->cookie)) {
        status = ERR_INVAL;
    }
    if (status == OK) {
        vm_cursor_sync(job->to);
    }
    return status;
}

static void move_on(struct handing *job)
{
    job->from->va = vaddr_add(job->from->va, PAGE_SIZE);
    job->to->va = vaddr_add(job->to->va, PAGE_SIZE);
    job->cookie++;
}

/* The page's rights, as granted, W that is pending included. */
static enum vm_prot granted(pte_t leaf)
{
    return pte_prot(leaf) | (pte_sw(leaf) == PTE_SW_PENDING ? VM_W : 0);
}

/* Takes the page out of its slot, and puts `instead` there, a mark or nothing.  Returns the frame,
 * with the reference that the entry had. */
static struct frame *take_page(struct vm_cursor *from, const struct pt_place *place, pte_t instead)
{
    bool is_hidden = place->kind == PTE_HIDDEN;
    pte_t before = pte_slot_exchange(&place->node->slots[place->index], instead);

    from->stores++;
    if (pte_is_mark(instead)) {
        pt_node_mark_added(place->node, instead);
    }
    if (is_hidden) {
        place->node->hidden--;
        return frame_of(pte_kept_pa(before));
    }
    place->node->present--;
    vm_cursor_issue(from, VM_FLUSH_PAGES, pt_place_range(place));
    return frame_of(pte_pa(before));
}

/* Stores a page of RAM where nothing is, or a mark. */
static void put_page(struct vm_cursor *to, const struct pt_place *place, pte_t page)
{
    pte_slot_store(&place->node->slots[place->index], page);
    to->stores++;
    if (pte_is_hidden(page)) {
        place->node->hidden++;
        return;
    }
    place->node->present++;
    to->owed.code = to->owed.code || (pte_prot(page) & VM_X) != 0;
}

/* The charge and the table for a page at the position of `to`, where nothing is. */
static status_t make_room(struct vm_cursor *to, struct pt_place *target)
{
    struct va_range page = {to->va, vaddr_add(to->va, PAGE_SIZE)};
    struct pt_pool pool;
    status_t status = vm_space_charge(to->space, 1);

    if (status != OK) {
        return status;
    }
    status = pt_pool_fill(to, page, &pool);
    if (status != OK) {
        vm_space_release(to->space, 1);
        return status;
    }
    *target = pt_walk_linking(to, to->va, &pool);
    return OK;
}

static status_t evict_page(struct handing *job)
{
    struct pte_mark mark = {.kind = PTE_MARK_SWAPPED, .sw = PTE_SW_PRIVATE, .place = job->cookie};
    struct pt_place target = pt_walk(job->to, job->to->va);
    struct pt_place source;
    status_t status = find_private(job->from, &source);

    if (status == OK && target.kind != PTE_ABSENT) {
        status = ERR_EXIST;
    }
    if (status == OK) {
        status = make_room(job->to, &target);
    }
    if (status != OK) {
        return status;
    }
    mark.prot = source.kind == PTE_LEAF ? granted(source.entry) : VM_PROT_NONE;
    put_page(job->to, &target,
             private_page(take_page(job->from, &source, pte_make_mark(mark)), VM_R));
    vm_space_release(job->from->space, 1);
    move_on(job);
    counter_add(COUNTER_pages_evicted, 1);
    return OK;
}

status_t vm_cursor_evict(struct vm_cursor *from, struct vm_cursor *to, uint64_t len_bytes,
                         unsigned max_edits, uint64_t cookie)
{
    struct handing job = {from, to, cookie};
    vaddr_t end = vaddr_add(from->va, len_bytes);
    status_t status = begin(&job, len_bytes, max_edits);

    for (; status == OK && max_edits > 0 && from->va.raw < end.raw; max_edits--) {
        status = evict_page(&job);
    }
    return status;
}

static status_t supply_page(struct handing *job)
{
    struct pt_place target = pt_walk(job->to, job->to->va);
    struct pte_mark mark = pte_decode_mark(target.entry);
    struct pt_place source;
    status_t status = find_private(job->from, &source);

    if (status == OK &&
        (target.kind != PTE_MARK || mark.kind != PTE_MARK_SWAPPED || mark.place != job->cookie)) {
        status = ERR_AGAIN;
    }
    if (status == OK) {
        status = vm_space_charge(job->to->space, 1);
    }
    if (status != OK) {
        return status;
    }
    pt_node_mark_gone(target.node, target.entry);
    put_page(job->to, &target,
             private_page(take_page(job->from, &source, pte_absent()), mark.prot));
    vm_space_release(job->from->space, 1);
    move_on(job);
    counter_add(COUNTER_pages_supplied, 1);
    return OK;
}

status_t vm_cursor_supply(struct vm_cursor *from, struct vm_cursor *to, uint64_t len_bytes,
                          unsigned max_edits, uint64_t cookie)
{
    struct handing job = {from, to, cookie};
    vaddr_t end = vaddr_add(from->va, len_bytes);
    status_t status = begin(&job, len_bytes, max_edits);

    for (; status == OK && max_edits > 0 && from->va.raw < end.raw; max_edits--) {
        status = supply_page(&job);
    }
    return status;
}
