/* SPDX-License-Identifier: MIT */
/*
 * Blocks that mm chooses: what a touch makes of a large mark is one page for all of it, so all of
 * it must have meant the same, and no frame of the block may be anybody else's.
 */
#include <string.h>

#include "arch/pte.h"
#include "machine/oracle.h"
#include "mm/frame_block.h"
#include "world/ref.h"

static uint32_t refs_of(const struct frame *frame)
{
    return atomic_load_explicit(&frame->refs, memory_order_relaxed); /* fibers of one thread */
}

static uint32_t block_refs_of(const struct frame *frame)
{
    return atomic_load_explicit(&frame->block_refs[0], memory_order_relaxed);
}

bool ref_block_is_alone(const struct frame *frame)
{
    uint64_t pa = frame_pa(frame).raw;

    if (!is_aligned(pa, pte_level_bytes(1)) || block_refs_of(frame) == 0) {
        return true;
    }
    for (unsigned i = 0; i < PTE_ENTRIES; i++) {
        if (refs_of(frame + i) != 1) {
            return false;
        }
    }
    return block_refs_of(frame) == 1;
}

/* The first word of each frame is enough: what programs write is there. */
static bool is_zero(const struct frame *block)
{
    for (unsigned i = 0; i < PTE_ENTRIES; i++) {
        uint64_t word;

        memcpy(&word, frame_bytes(block + i), sizeof(word));
        if (word != 0) {
            return false;
        }
    }
    return true;
}

static bool grants(enum vm_prot prot, enum vm_access access)
{
    static const unsigned needed[] = {VM_R, VM_W, VM_X};

    return ((unsigned)prot & needed[access]) != 0;
}

/* What the object is known to have lies in the block where it should; the rest is new. */
static bool is_objects(const struct ref_item *first, const struct frame *block)
{
    bool is_held = ref_object_of(first->object)->refs > 0; /* else it may be gone by now */

    return (block_refs_of(block) > 1 || !is_held) &&
           ref_object_may_lie(first->object, first->object_page, PTE_ENTRIES, frame_pa(block).raw);
}

/* Pages of the block that others may ask for are known from now on. */
static void see(uint64_t start, uint64_t end, const struct ref_item *first,
                const struct frame *block)
{
    for (unsigned page = ref_page_from(start); page < REF_PAGES && ref_va(page) < end; page++) {
        struct ref_item item = ref_item_at(first, ref_va(page) - start);

        ref_object_page_seen(item.object, item.object_page,
                             frame_pa(block).raw + (ref_va(page) - start));
    }
}

static bool may_get(const struct ref_touch *touch, const struct ref_item *first,
                    const struct frame *block, unsigned level, enum pte_sw sw)
{
    if (!grants(first->prop.prot, touch->access)) {
        return false;
    }
    if (first->kind == VM_ITEM_RESERVED) {
        return first->page_level >= level && sw == PTE_SW_PRIVATE && ref_block_is_alone(block) &&
               is_zero(block);
    }
    if (first->kind != VM_ITEM_PAGED || !is_objects(first, block)) {
        return false;
    }
    return first->share == VM_SHARE_NONE
               ? sw == PTE_SW_PRIVATE || sw == PTE_SW_PENDING
               : sw == (first->share == VM_SHARE_ALL ? PTE_SW_RAM : PTE_SW_VIEW);
}

void ref_touch_got_block(unsigned hart, const struct ref_touch *touch, unsigned page,
                         unsigned level, pte_t entry)
{
    uint64_t start = align_down(ref_va(page), pte_level_bytes(level));
    uint64_t end = start + pte_level_bytes(level);
    struct ref_item item = touch->space->items[page];
    struct ref_item first = ref_at(touch->space, start);
    const struct frame *block = frame_of(pte_pa(entry));
    bool is_same =
        item.kind == VM_ITEM_RAM && item.pa == pte_pa(entry).raw + (ref_va(page) - start);
    unsigned has = pte_prot(entry) | (pte_sw(entry) == PTE_SW_PENDING ? VM_W : 0U);
    bool is_own = first.kind != VM_ITEM_PAGED || first.share == VM_SHARE_NONE;

    if ((unsigned)item.prop.prot != has || !ref_is_uniform(touch->space, start, end, &first) ||
        !(is_same || may_get(touch, &first, block, level, pte_sw(entry)))) {
        oracle_fail(ORACLE_RULE_MEANING, hart,
                    "hart %u gives [%#lx, %#lx), where kind %u is with rights %u, the entry %#lx",
                    hart, (unsigned long)start, (unsigned long)end, item.kind, item.prop.prot,
                    (unsigned long)entry.raw);
    }
    if (is_same) {
        return;
    }
    if (first.kind == VM_ITEM_PAGED) {
        see(start, end, &first, block);
    }
    ref_put(hart, touch->space, start, end,
            (struct ref_item){.kind = VM_ITEM_RAM,
                              .pa = pte_pa(entry).raw,
                              .prop.prot = item.prop.prot,
                              .is_shared = !is_own,
                              .is_private = is_own,
                              .is_backed = first.kind == VM_ITEM_PAGED,
                              .share = is_own ? VM_SHARE_NONE : first.share});
}
