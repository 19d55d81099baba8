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
}

void ref_touch_end(unsigned hart)
{
    touches.of[hart].space = NULL;
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
    if (is_private && has_w(after) && !had_w && refs_of(frame) != 1) {
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

/* True if the page may get this frame instead of what the reference has there. */
static bool may_get(const struct ref_touch *touch, const struct ref_item *item,
                    const struct frame *frame)
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
    return item->kind == VM_ITEM_RAM && item->is_private && touch->access == VM_ACCESS_WRITE &&
           is_new &&
           memcmp(frame_bytes(frame), frame_bytes(frame_of((paddr_t){item->pa})), PAGE_SIZE) == 0;
}

/* The page's entry is a leaf now. */
static void got(unsigned hart, const struct ref_touch *touch, unsigned page, pte_t entry)
{
    struct ref_item item = touch->space->items[page];
    const struct frame *frame = frame_of(pte_pa(entry));
    enum vm_prot prot = touch->kind == REF_TOUCH_FILL ? touch->prot : item.prop.prot;
    unsigned has = pte_prot(entry) | (pte_sw(entry) == PTE_SW_PENDING ? VM_W : 0U);
    bool is_same = item.kind == VM_ITEM_RAM && item.pa == pte_pa(entry).raw;

    if ((unsigned)prot != has || !(is_same || may_get(touch, &item, frame))) {
        oracle_fail(ORACLE_RULE_MEANING, hart,
                    "hart %u gives the page at %#lx, which holds kind %u with rights %u, the entry "
                    "%#lx",
                    hart, (unsigned long)ref_va(page), item.kind, prot, (unsigned long)entry.raw);
    }
    if (is_same) {
        return;
    }
    item = (struct ref_item){
        .kind = VM_ITEM_RAM, .pa = pte_pa(entry).raw, .prop.prot = prot, .is_private = true};
    memcpy(&item.stamp, frame_bytes(frame), sizeof(item.stamp));
    ref_set(hart, touch->space, page, item);
}

/* The page whose slot this is, of those that the hart touches; REF_PAGES: none. */
static unsigned page_of_slot(const struct ref_touch *touch, uint64_t pa)
{
    uint64_t root = vm_space_root(touch->space->space).raw;

    for (unsigned page = ref_page_from(touch->start); page < REF_PAGES && ref_va(page) < touch->end;
         page++) {
        struct walk walk = walk_from_root(root, ref_va(page));

        if (walk.level == 0 && walk.slots[0] == pa) {
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
    unsigned page;

    if (pte_kind(entry, 0) != PTE_LEAF || pte_sw(entry) == PTE_SW_IO ||
        frame_of(pte_pa(entry)) == NULL) {
        return;
    }
    check_private(hart, (pte_t){before}, entry);
    page = touch->space == NULL ? REF_PAGES : page_of_slot(touch, pa);
    if (page != REF_PAGES) {
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
