/* SPDX-License-Identifier: MIT */
/*
 * Cursors: touching.  What an access to a page makes of what the entry says.
 *
 *   a mark              a page (vm_cursor_touch_mark.c)                       no flush
 *   pending, write      a frame of its own, PRIVATE                           break before make
 *   the same, and nobody else names the frame: W and D are set, PRIVATE       a local flush at most
 *   what permits it     A, and D for a write, as hardware would               a local flush at most
 *
 * A larger page is touched as a whole, but for a write that is pending: it is split around the
 * position until nobody else names what is left, or it is of 4 KiB; so no more than that is ever
 * copied.  The frame is there before the page's entry changes.
 */
#include "arch/arch.h"
#include "cursor_priv.h"
#include "lib/assert.h"
#include "lib/counter.h"
#include "mm/frame_block.h"
#include "pt_split.h"
#include "vm_space_priv.h"

/* True if these rights permit it. */
static bool is_permitted(enum vm_prot prot, enum touch_for what)
{
    switch (what) {
    case TOUCH_TO_READ:
        return (prot & VM_R) != 0;
    case TOUCH_TO_WRITE:
        return (prot & VM_W) != 0;
    case TOUCH_TO_EXECUTE:
        return (prot & VM_X) != 0;
    case TOUCH_TO_FILL:
        return prot != VM_PROT_NONE;
    }
    return false;
}

/* Sets A, and D for a write, unless they are: what hardware does atomically is done atomically.
 * Returns the entry as it is then.  Grants more, so it owes no flush to other harts. */
static pte_t mark_used(struct vm_cursor *cursor, const struct pt_place *place, enum touch_for what)
{
    uint64_t bits = PTE_A | (what == TOUCH_TO_WRITE ? PTE_D : 0);
    pte_t seen = place->entry;

    while ((seen.raw & bits) != bits) {
        pte_t used = {seen.raw | bits};

        if (pte_slot_replace(&place->node->slots[place->index], &seen, used)) {
            cursor->stores++;
            return used;
        }
    }
    return seen;
}

inline pte_t cursor_page_leaf(const struct frame *frame, enum vm_prot prot, enum pte_sw sw)
{
    return pte_make_leaf((struct pte_leaf){.pa = frame_pa(frame),
                                           .prot = sw == PTE_SW_PENDING ? prot & VM_RX : prot,
                                           .sw = sw,
                                           .user = true});
}

inline pte_t cursor_put_page(struct vm_cursor *cursor, const struct pt_place *place, pte_t leaf)
{
    pte_slot_store(&place->node->slots[place->index], leaf);
    cursor->stores++;
    if ((pte_prot(leaf) & VM_X) != 0) {
        cursor->owed.code = true;
    }
    return leaf;
}

/* Nobody else names the frame: the write that was pending may come. */
static pte_t take_over(struct vm_cursor *cursor, const struct pt_place *place)
{
    pte_t seen = place->entry;
    pte_t own;

    do {
        own.raw = (seen.raw & ~PTE_RSW_MASK) | (uint64_t)PTE_SW_PRIVATE << PTE_RSW_SHIFT | PTE_W |
                  PTE_A | PTE_D;
    } while (!pte_slot_replace(&place->node->slots[place->index], &seen, own));
    cursor->stores++;
    counter_add(COUNTER_sole_owner_writes, 1);
    return own;
}

/* Gives the page a frame of its own in the place of one that others name too.  The old entry goes,
 * and every hart that runs the space has forgotten it, before the new one is there. */
static enum touch replace_frame(struct vm_cursor *cursor, const struct pt_place *place,
                                enum vm_prot prot, pte_t *entry)
{
    struct va_range page = pt_place_range(place);
    struct frame *old = frame_of(pte_pa(place->entry));
    struct frame *frame;

    if (frame_alloc_copy(old == frame_zero() ? NULL : old, &frame) != OK) {
        return TOUCH_NOMEM;
    }
    pte_slot_store(&place->node->slots[place->index], pte_absent());
    cursor->stores++;
    vm_cursor_issue_with(cursor, VM_FLUSH_PAGES, page, old);
    vm_cursor_dispatch(cursor);
    *entry = cursor_put_page(cursor, place, cursor_page_leaf(frame, prot, PTE_SW_PRIVATE));
    counter_add(COUNTER_frames_replaced, 1);
    return TOUCH_MADE;
}

/* True if nobody else names the page's frame. */
static bool is_sole_owner(const struct pt_place *place)
{
    return frame_has_one_ref(frame_of(pte_pa(place->entry)));
}

/* A write to a page whose W is pending. */
static enum touch touch_pending(struct vm_cursor *cursor, const struct pt_place *place,
                                pte_t *entry)
{
    if (is_sole_owner(place)) {
        *entry = take_over(cursor, place);
        return TOUCH_GREW;
    }
    return replace_frame(cursor, place, pte_prot(place->entry) | VM_W, entry);
}

/* Somebody will store to the frame behind the entry's back.  With W the program stores to it too,
 * and it is the page's own. */
static enum touch touch_to_fill(struct vm_cursor *cursor, const struct pt_place *place,
                                pte_t *entry)
{
    enum vm_prot prot = pte_prot(place->entry);

    *entry = place->entry;
    switch (pte_sw(place->entry)) {
    case PTE_SW_IO:
    case PTE_SW_VIEW:
        return TOUCH_REFUSED;
    case PTE_SW_RAM:
        return TOUCH_WAS_THERE;
    case PTE_SW_PRIVATE:
        break;
    case PTE_SW_PENDING:
        prot |= VM_W;
        break;
    }
    if ((pte_prot(place->entry) & VM_W) != 0 || is_sole_owner(place)) {
        return TOUCH_WAS_THERE;
    }
    return replace_frame(cursor, place, prot, entry);
}

static enum touch touch_leaf(struct vm_cursor *cursor, const struct pt_place *place,
                             enum touch_for what, pte_t *entry)
{
    if (what == TOUCH_TO_FILL) {
        return touch_to_fill(cursor, place, entry);
    }
    if (is_permitted(pte_prot(place->entry), what)) {
        *entry = mark_used(cursor, place, what);
        return TOUCH_WAS_THERE;
    }
    if (what == TOUCH_TO_WRITE && pte_sw(place->entry) == PTE_SW_PENDING) {
        return touch_pending(cursor, place, entry);
    }
    return TOUCH_REFUSED;
}

/* Splits a large page around the position until nobody else names it, or it is one of 4 KiB.
 * ERR_NOMEM: what it means has not changed. */
static status_t narrow(struct vm_cursor *cursor, struct pt_place *place)
{
    status_t status = OK;

    while (status == OK && place->node->level > 0 &&
           !frame_block_has_one_ref(frame_of(pte_pa(place->entry)), place->node->level)) {
        status = pt_split_to(cursor, cursor->va, place->node->level - 1U);
        *place = pt_walk(cursor, cursor->va);
    }
    return status;
}

/* True if the access needs a frame that nobody else names: W is pending, or somebody fills a
 * private page that the program may not store to. */
static bool needs_own(pte_t leaf, enum touch_for what)
{
    enum pte_sw sw = pte_sw(leaf);

    if (what == TOUCH_TO_WRITE) {
        return sw == PTE_SW_PENDING;
    }
    return what == TOUCH_TO_FILL && (sw == PTE_SW_PENDING || sw == PTE_SW_PRIVATE) &&
           (pte_prot(leaf) & VM_W) == 0;
}

/* The part of a large page's entry that is about the page at the position. */
static pte_t part_here(const struct vm_cursor *cursor, const struct pt_place *place, pte_t entry)
{
    uint64_t before = cursor->va.raw - pt_place_range(place).start.raw;

    return pte_leaf_part(entry, before / PAGE_SIZE, PAGE_SIZE);
}

/* A leaf above level 0.  Not inline: most are not. */
__attribute__((noinline)) static enum touch touch_large(struct vm_cursor *cursor,
                                                        struct pt_place *place, enum touch_for what,
                                                        pte_t *entry)
{
    enum touch touch;

    if (needs_own(place->entry, what)) {
        if (narrow(cursor, place) != OK) {
            return TOUCH_NOMEM;
        }
        if (place->node->level > 0) { /* it is the space's alone */
            touch = what == TOUCH_TO_FILL ? TOUCH_WAS_THERE : TOUCH_GREW;
            *entry = part_here(cursor, place,
                               touch == TOUCH_GREW ? take_over(cursor, place) : place->entry);
            return touch;
        }
    }
    touch = touch_leaf(cursor, place, what, entry);
    if (place->node->level > 0 && touch == TOUCH_WAS_THERE) {
        *entry = part_here(cursor, place, *entry);
    }
    return touch;
}

enum touch cursor_touch(struct vm_cursor *cursor, enum touch_for what, pte_t *entry)
{
    struct pt_place place = pt_walk(cursor, cursor->va);

    if (place.kind == PTE_LEAF) {
        return place.node->level == 0 ? touch_leaf(cursor, &place, what, entry)
                                      : touch_large(cursor, &place, what, entry);
    }
    /* Of marks a guard permits nothing. */
    if (place.kind != PTE_MARK || !is_permitted(pte_decode_mark(place.entry).prot, what)) {
        return TOUCH_REFUSED;
    }
    return cursor_touch_mark(cursor, &place, what, entry);
}

status_t cursor_touch_status(enum touch touch)
{
    switch (touch) {
    case TOUCH_WAS_THERE:
    case TOUCH_GREW:
    case TOUCH_MADE:
        return OK;
    case TOUCH_NOMEM:
        return ERR_NOMEM;
    case TOUCH_WANTS:
        return ERR_AGAIN;
    case TOUCH_REFUSED:
        break;
    }
    return ERR_FAULT;
}

status_t vm_cursor_touch_making(struct vm_cursor *cursor, enum vm_access access,
                                struct frame_making *making)
{
    status_t status;

    cursor->making = making;
    status = vm_cursor_touch(cursor, access);
    cursor->making = NULL;
    return status;
}

status_t vm_cursor_touch(struct vm_cursor *cursor, enum vm_access access)
{
    pte_t entry;

    ASSERT(cursor->cover != NULL);
    if (cursor->mode != VM_CURSOR_CHANGE) {
        return ERR_ACCES;
    }
    if (cursor->va.raw == cursor->range.end.raw) {
        return ERR_RANGE;
    }
    if (cursor->owed.flush_kind != VM_FLUSH_NONE) {
        vm_cursor_sync(cursor); /* what was here may have to be forgotten before something comes */
    }
    return cursor_touch_status(cursor_touch(cursor, (enum touch_for)access, &entry));
}
