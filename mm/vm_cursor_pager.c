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
 * it is closed.  One inside a large page is split off first.
 */
#include "mm/vm_cursor_pager.h"

#include "cursor_pass.h"
#include "lib/counter.h"
#include "mm/frame_block.h"
#include "pt_split.h"
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

/* A large page of RAM that an end lies in is split there.  ERR_NOMEM: nothing changed. */
static status_t split_leaves_at_ends(struct vm_cursor *cursor, struct va_range part)
{
    vaddr_t inside[2] = {part.start, {part.end.raw - PAGE_SIZE}};
    status_t status = OK;

    for (unsigned i = 0; status == OK && part.start.raw < part.end.raw && i < 2; i++) {
        struct pt_place place = pt_walk(cursor, inside[i]);

        if (place.kind == PTE_LEAF && pte_sw(place.entry) != PTE_SW_IO) {
            status = pt_split_place(cursor, &place, part);
        }
    }
    return status;
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
    status = split_leaves_at_ends(cursor, part);
    if (status != OK) {
        return status;
    }
    *accessed = 0;
    for (; max_pages > 0 && pt_find_leaf(cursor, part, &place); max_pages--) {
        struct va_range page = pt_place_range(&place);

        if (pte_sw(place.entry) != PTE_SW_IO && take_accessed(cursor, &place)) {
            vm_cursor_issue(cursor, VM_FLUSH_PAGES, page);
            *accessed += frame_block_frames(place.node->level);
        }
        part.start = page.end;
    }
    /* A device's page may reach past the end. */
    cursor->va = max_pages > 0 || part.start.raw > part.end.raw ? part.end : part.start;
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

/* The place of the page at the position, which may be larger, becomes one of 4 KiB. */
static status_t make_small(struct vm_cursor *cursor, struct pt_place *place)
{
    status_t status = OK;

    if (place->node->level > 0) {
        status = pt_split_to(cursor, cursor->va, 0);
        *place = pt_walk(cursor, cursor->va);
    }
    return status;
}

/* A page has changed hands. */
static void go_on(struct pass *pass)
{
    vm_space_release(pass->from->space, 1);
    pass_go_on(pass, PAGE_SIZE);
    pass_spend(pass, 1);
    pass->cookie++;
}

static status_t hand_over(struct pass *pass, uint64_t len_bytes,
                          status_t (*page)(struct pass *pass))
{
    status_t status = pass_begin(pass, len_bytes, PASS_TWO_SPACES);

    if (status == OK &&
        (pass->cookie > COOKIE_END || len_bytes / PAGE_SIZE > COOKIE_END - pass->cookie)) {
        status = ERR_INVAL;
    }
    return status == OK ? pass_run(pass, page) : status;
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

static status_t evict_page(struct pass *pass)
{
    struct pte_mark mark = {.kind = PTE_MARK_SWAPPED, .sw = PTE_SW_PRIVATE, .place = pass->cookie};
    struct pt_place target = pt_walk(pass->to, pass->to->va);
    struct pt_place source;
    status_t status = find_private(pass->from, &source);

    if (status == OK && target.kind != PTE_ABSENT) {
        status = ERR_EXIST;
    }
    if (status == OK) {
        status = make_small(pass->from, &source);
    }
    if (status == OK) {
        status = make_room(pass->to, &target);
    }
    if (status != OK) {
        return status;
    }
    mark.prot = source.kind == PTE_LEAF ? granted(source.entry) : VM_PROT_NONE;
    put_page(pass->to, &target,
             private_page(take_page(pass->from, &source, pte_make_mark(mark)), VM_R));
    go_on(pass);
    counter_add(COUNTER_pages_evicted, 1);
    return OK;
}

status_t vm_cursor_evict(struct vm_cursor *from, struct vm_cursor *to, uint64_t len_bytes,
                         unsigned max_edits, uint64_t cookie)
{
    struct pass pass = {.from = from, .to = to, .edits = max_edits, .cookie = cookie};

    return hand_over(&pass, len_bytes, evict_page);
}

static status_t supply_page(struct pass *pass)
{
    struct pt_place target = pt_walk(pass->to, pass->to->va);
    struct pte_mark mark = pte_decode_mark(target.entry);
    struct pt_place source;
    status_t status = find_private(pass->from, &source);

    if (status == OK &&
        (target.kind != PTE_MARK || mark.kind != PTE_MARK_SWAPPED || mark.place != pass->cookie)) {
        status = ERR_AGAIN;
    }
    if (status == OK) {
        status = make_small(pass->from, &source);
    }
    if (status == OK) {
        status = vm_space_charge(pass->to->space, 1);
    }
    if (status != OK) {
        return status;
    }
    pt_node_mark_gone(target.node, target.entry);
    put_page(pass->to, &target,
             private_page(take_page(pass->from, &source, pte_absent()), mark.prot));
    go_on(pass);
    counter_add(COUNTER_pages_supplied, 1);
    return OK;
}

status_t vm_cursor_supply(struct vm_cursor *from, struct vm_cursor *to, uint64_t len_bytes,
                          unsigned max_edits, uint64_t cookie)
{
    struct pass pass = {.from = from, .to = to, .edits = max_edits, .cookie = cookie};

    return hand_over(&pass, len_bytes, supply_page);
}
