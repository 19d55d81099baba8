/* SPDX-License-Identifier: MIT */
/*
 * Frames that mm chooses: what a page of its own gets is known when its entry is stored, so every
 * entry that is stored is looked at.
 *
 * Two things hold for all of them: the frame of zeroes is never writable, and W comes to a private
 * page only while nobody else names its frame.
 */
#include <string.h>

#include "arch/arch.h"
#include "arch/pte.h"
#include "machine/effects.h"
#include "machine/walk.h"
#include "mm/frame.h"
#include "world/ref.h"

static struct {
    struct ref_touch of[HART_MAX]; /* space NULL: none */
    uint32_t zero_refs;            /* of the frame of zeroes after boot */
} touches;

void ref_touch_begin(unsigned hart, struct ref_touch touch)
{
    touches.of[hart] = touch;
    touches.of[hart].begun = ref_object_now();
}

void ref_touch_end(unsigned hart)
{
    touches.of[hart].space = NULL;
}

bool ref_touch_has(const struct ref_space *space, unsigned page)
{
    bool has = false;

    for (unsigned hart = 0; hart < HART_MAX; hart++) {
        const struct ref_touch *touch = &touches.of[hart];

        has |= touch->space == space && touch->start <= ref_va(page) && ref_va(page) < touch->end;
    }
    return has;
}

static bool is_zero(const struct frame *frame)
{
    static const unsigned char zeroes[PAGE_SIZE];

    return memcmp(frame_bytes(frame), zeroes, PAGE_SIZE) == 0;
}

static uint32_t refs_of(const struct frame *frame)
{
    return atomic_load_explicit(&frame->refs, memory_order_relaxed); /* fibers of one thread */
}

/* ---- what every entry must be ---- */

static bool has_w(pte_t entry)
{
    return pte_kind(entry, 0) == PTE_LEAF && (pte_prot(entry) & VM_W) != 0;
}

static void check_private(unsigned hart, pte_t before, pte_t after)
{
    const struct frame *frame = frame_of(pte_pa(after));
    bool is_private = pte_sw(after) == PTE_SW_PRIVATE;
    bool had_w = has_w(before) && pte_pa(before).raw == pte_pa(after).raw;

    if (frame == frame_zero() && has_w(after)) {
        oracle_fail(ORACLE_RULE_MEANING, hart, "hart %u makes the frame of zeroes writable", hart);
    }
    if (pte_sw(after) == PTE_SW_PENDING && has_w(after)) {
        oracle_fail(ORACLE_RULE_MEANING, hart, "hart %u stores %#lx: pending, and writable", hart,
                    (unsigned long)after.raw);
    }
    if (is_private && has_w(after) && !had_w &&
        (refs_of(frame) != 1 || !ref_block_is_alone(frame)) &&
        !ref_is_moving(hart, pte_pa(after).raw)) {
        oracle_fail(ORACLE_RULE_MEANING, hart,
                    "hart %u makes the frame %#lx writable, which %u name", hart,
                    (unsigned long)pte_pa(after).raw, refs_of(frame));
    }
}

/* ---- what a page has got ---- */

static bool grants(enum vm_prot prot, enum vm_access access)
{
    static const unsigned needed[] = {VM_R, VM_W, VM_X};

    return ((unsigned)prot & needed[access]) != 0;
}

static uint64_t first_word(const struct frame *frame)
{
    uint64_t word;

    memcpy(&word, frame_bytes(frame), sizeof(word));
    return word;
}

/* A page of an object that all share: the object's frame, which nobody has seen, or all have.  The
 * object may be gone by now, if its last mark was this one. */
static bool may_get_object_frame(const struct ref_item *item, const struct frame *frame)
{
    const struct ref_object_page *known = ref_object_page(item->object, item->object_page);
    bool is_same = known != NULL && known->pa == frame_pa(frame).raw;
    bool is_held = ref_object_of(item->object)->refs > 0;

    return is_same || ((known == NULL || known->is_uncertain) && frame != frame_zero() &&
                       (refs_of(frame) > 1 || !is_held) && is_zero(frame));
}

/* A page of an object that a space has for itself: for a write a copy, else the object's frame, or
 * zeroes if it has none.  What somebody else changes meanwhile may be seen or not. */
static bool may_get_own(const struct ref_touch *touch, const struct ref_item *item,
                        const struct frame *frame)
{
    const struct ref_object_page *known = ref_object_page(item->object, item->object_page);
    bool has_none = known == NULL || known->is_uncertain || known->made > touch->begun;

    if (touch->access == VM_ACCESS_WRITE) {
        return frame != frame_zero() && refs_of(frame) == 1 &&
               ((has_none && is_zero(frame)) ||
                (known != NULL && (known->changed > touch->begun || known->is_uncertain ||
                                   known->stamp == first_word(frame))));
    }
    return (has_none && frame == frame_zero()) || may_get_object_frame(item, frame);
}

/* A copy of what the page held; an object's frame may have been written to meanwhile. */
static bool is_copy(const struct ref_touch *touch, const struct ref_item *item,
                    const struct frame *frame)
{
    const struct frame *from = frame_of((paddr_t){item->pa});

    if (item->is_backed) {
        return touch->begun != ref_object_now() || first_word(frame) == first_word(from);
    }
    return memcmp(frame_bytes(frame), frame_bytes(from), PAGE_SIZE) == 0;
}

static bool may_get_paged(const struct ref_touch *touch, const struct ref_item *item,
                          const struct frame *frame, enum pte_sw sw)
{
    switch (item->share) {
    case VM_SHARE_ALL:
        return sw == PTE_SW_RAM && may_get_object_frame(item, frame);
    case VM_SHARE_VIEW:
        return sw == PTE_SW_VIEW && may_get_object_frame(item, frame);
    case VM_SHARE_NONE:
        break;
    }
    return (sw == PTE_SW_PRIVATE || sw == PTE_SW_PENDING) && may_get_own(touch, item, frame);
}

/* True if the page may get this frame instead of what the reference has there. */
static bool may_get(const struct ref_touch *touch, const struct ref_item *item,
                    const struct frame *frame, enum pte_sw sw)
{
    bool is_shared = frame == frame_zero();
    bool is_new = !is_shared && refs_of(frame) == 1;

    if (touch->kind == REF_TOUCH_FILL) {
        return item->kind == VM_ITEM_ABSENT && is_new && is_zero(frame);
    }
    if (!grants(item->prop.prot, touch->access)) {
        return false;
    }
    if (item->kind == VM_ITEM_RESERVED) {
        return is_zero(frame) && (is_shared ? touch->access != VM_ACCESS_WRITE : is_new);
    }
    if (item->kind == VM_ITEM_PAGED) {
        return may_get_paged(touch, item, frame, sw);
    }
    return item->kind == VM_ITEM_RAM && item->is_private && touch->access == VM_ACCESS_WRITE &&
           is_new && is_copy(touch, item, frame);
}

/* What a page that held `item` holds now. */
static struct ref_item item_of_entry(const struct ref_item *item, enum vm_prot prot, pte_t entry)
{
    const struct frame *frame = frame_of(pte_pa(entry));
    bool is_paged = item->kind == VM_ITEM_PAGED;
    bool is_own = !is_paged || item->share == VM_SHARE_NONE;
    bool is_objects = is_paged && frame != frame_zero() && refs_of(frame) > 1;

    if (is_objects) {
        ref_object_page_seen(item->object, item->object_page, pte_pa(entry).raw);
    }
    return (struct ref_item){.kind = VM_ITEM_RAM,
                             .pa = pte_pa(entry).raw,
                             .prop.prot = prot,
                             .stamp = first_word(frame),
                             .is_shared = !is_own,
                             .is_private = is_own,
                             .is_backed = is_objects,
                             .share = is_own ? VM_SHARE_NONE : item->share};
}

/* The page's entry is a leaf now. */
static void got(unsigned hart, const struct ref_touch *touch, unsigned page, pte_t entry)
{
    struct ref_item item = touch->space->items[page];
    const struct frame *frame = frame_of(pte_pa(entry));
    enum vm_prot prot = touch->kind == REF_TOUCH_FILL ? touch->prot : item.prop.prot;
    unsigned has = pte_prot(entry) | (pte_sw(entry) == PTE_SW_PENDING ? VM_W : 0U);
    bool is_same = item.kind == VM_ITEM_RAM && item.pa == pte_pa(entry).raw;

    if ((unsigned)prot != has || !(is_same || may_get(touch, &item, frame, pte_sw(entry)))) {
        oracle_fail(ORACLE_RULE_MEANING, hart,
                    "hart %u gives the page at %#lx, which holds kind %u with rights %u, the entry "
                    "%#lx",
                    hart, (unsigned long)ref_va(page), item.kind, prot, (unsigned long)entry.raw);
    }
    if (is_same) {
        return;
    }
    ref_set(hart, touch->space, page, item_of_entry(&item, prot, entry));
}

/* The page whose slot this is, of those that the hart touches, and the slot's level; REF_PAGES:
 * none. */
static unsigned page_of_slot(const struct ref_touch *touch, uint64_t pa, unsigned *level)
{
    uint64_t root = vm_space_root(touch->space->space).raw;

    for (unsigned page = ref_page_from(touch->start); page < REF_PAGES && ref_va(page) < touch->end;
         page++) {
        struct walk walk = walk_from_root(root, ref_va(page));

        if (walk.slots[walk.level] == pa) {
            *level = walk.level;
            return page;
        }
    }
    return REF_PAGES;
}

static void on_slot(uint64_t pa, uint64_t before, uint64_t after)
{
    unsigned hart = hart_index();
    const struct ref_touch *touch = &touches.of[hart];
    pte_t entry = {after};
    unsigned level = 0;
    unsigned page;

    if (pte_kind(entry, 0) != PTE_LEAF || pte_sw(entry) == PTE_SW_IO ||
        frame_of(pte_pa(entry)) == NULL) {
        return;
    }
    check_private(hart, (pte_t){before}, entry);
    page = touch->space == NULL ? REF_PAGES : page_of_slot(touch, pa, &level);
    if (page != REF_PAGES && level > 0) {
        ref_touch_got_block(hart, touch, page, level, entry);
    } else if (page != REF_PAGES) {
        got(hart, touch, page, entry);
    }
}

/* ---- start and end ---- */

void ref_touch_reset(void)
{
    memset(&touches, 0, sizeof(touches));
    touches.zero_refs = refs_of(frame_zero());
    oracle_watch_slots(on_slot);
}

void ref_touch_check(unsigned hart)
{
    if (!is_zero(frame_zero())) {
        oracle_fail(ORACLE_RULE_MEANING, hart, "something was written to the frame of zeroes");
    }
    if (refs_of(frame_zero()) != touches.zero_refs) {
        oracle_fail(ORACLE_RULE_AUDIT, hart, "the frame of zeroes ends with %u references, not %u",
                    refs_of(frame_zero()), touches.zero_refs);
    }
}
