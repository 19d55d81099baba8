/* SPDX-License-Identifier: MIT */
/*
 * Changing the rights of the entries of one node.
 *
 *   leaf  --VM_PROT_NONE-->  hidden  --other rights-->  leaf
 *   mark  --any rights-->    mark for pages with these
 *   view, present, hidden or a mark  --W-->  refused
 *
 * Hardware may set A and D in a leaf at any moment, so entries are exchanged, and what the old one
 * has got since it was read is added to the new one.
 */
#include "pt_rights.h"

#include "lib/assert.h"
#include "mm/frame_block.h"

#define RIGHTS (PTE_R | PTE_W | PTE_X)

/* What an entry above level 0 counts if it was looked up who else has its frames: as so many. */
#define COST_OF_OWNERS 64U

/* What a change of rights meets, and makes of it. */
struct step {
    enum {
        STEP_NOTHING,
        STEP_PAGE,
        STEP_MARK,
        STEP_DEVICE,
        STEP_REFUSED
    } met; /* nothing: a guard, too     */
    pte_t from, to;
    const struct frame *frame; /* `to` depends on who has it; NULL: on nothing  */
    bool is_sole;              /* nobody else has, so that `to` has W           */
};

/* True if a private page becomes writable, which it was not. */
static inline bool grants_write(pte_t entry, enum vm_prot prot)
{
    return (prot & VM_W) != 0 && (entry.raw & (PTE_V | PTE_W)) != (PTE_V | PTE_W);
}

/* The step from `entry` of a level, which is a leaf, or is hidden and then was `leaf`.  A private
 * page gets W if nobody else has its frames; else a write is to see to that first. */
static struct step step_page(pte_t entry, pte_t leaf, unsigned level, enum vm_prot prot)
{
    struct step step = {.met = STEP_PAGE, .from = entry};
    enum pte_sw sw = pte_sw(leaf);

    if (pt_rights_are_refused(sw, prot)) {
        step.met = STEP_REFUSED;
        return step;
    }
    if (sw == PTE_SW_RAM || sw == PTE_SW_VIEW) {
        step.to = pte_with_rights(leaf, prot, VM_MEM_PMA);
        return step;
    }
    step.to = pte_with_sw(pte_with_rights(leaf, prot, VM_MEM_PMA), PTE_SW_PRIVATE);
    if (grants_write(entry, prot)) {
        step.frame = frame_of(pte_pa(leaf));
        step.is_sole =
            level == 0 ? frame_has_one_ref(step.frame) : frame_block_has_one_ref(step.frame, level);
        if (!step.is_sole) {
            leaf = pte_with_sw(leaf, PTE_SW_PENDING);
            step.to = pte_with_rights(leaf, prot & ~(unsigned)VM_W, VM_MEM_PMA);
        }
    }
    return step;
}

/* The same mark for pages with other rights. */
static pte_t mark_with_rights(pte_t entry, enum vm_prot prot)
{
    struct pte_mark mark = pte_decode_mark(entry);

    mark.prot = prot;
    return pte_make_mark(mark);
}

static bool is_guard(pte_t mark)
{
    return pte_mark_kind(mark) == PTE_MARK_GUARD;
}

/* The step from an entry of a level, which is no table. */
static struct step step_from(pte_t entry, unsigned level, enum vm_prot prot)
{
    struct step step = {.met = STEP_PAGE, .from = entry, .to = entry};
    enum pte_kind kind = pte_kind(entry, 0); /* only that it is well made depends on the level */

    if (kind == PTE_LEAF && pte_sw(entry) == PTE_SW_IO) {
        step.met = STEP_DEVICE;
    } else if (kind == PTE_LEAF && prot == VM_PROT_NONE) {
        step.to = pte_make_hidden(entry);
    } else if (kind == PTE_LEAF) {
        step = step_page(entry, entry, level, prot);
    } else if (kind == PTE_HIDDEN && prot != VM_PROT_NONE) {
        step = step_page(entry, pte_hidden_make_leaf(entry), level, prot);
    } else if (kind == PTE_MARK && !is_guard(entry)) {
        step.met = pt_rights_are_refused(pte_mark_sw(entry), prot) ? STEP_REFUSED : STEP_MARK;
        step.to = mark_with_rights(entry, prot);
    } else if (kind != PTE_HIDDEN) {
        step.met = STEP_NOTHING;
    }
    return step;
}

/* Puts `to` in the place of `from`, which the slot held when it was read. */
static inline void slot_step(struct pte_slot *slot, pte_t from, pte_t to)
{
    pte_t before = pte_slot_exchange(slot, to);

    if (before.raw != from.raw) {
        ASSERT_FMT(((before.raw ^ from.raw) & ~(PTE_A | PTE_D)) == 0, "entry=%lx",
                   (unsigned long)before.raw);
        pte_slot_set(slot, before.raw & (PTE_A | PTE_D));
    }
}

/* True for leaves that differ in their frames at most. */
static inline bool is_alike(pte_t a, pte_t b)
{
    return ((a.raw ^ b.raw) & ~PTE_PPN_MASK) == 0;
}

/* True if nobody else has the frame of a leaf like that which the step is from. */
static inline bool is_sole(const struct step *step, pte_t entry)
{
    int64_t frames = (int64_t)(entry.raw - step->from.raw) >> PTE_PPN_SHIFT;

    return frame_has_one_ref(step->frame + frames); /* the records are one array */
}

/* Three loops take a step from one leaf to another in `slot`, and in those after it as far as it is
 * right for them.  They return the first that it is not right for.  Not inline: each is to have the
 * registers for itself. */

/* Grants more of pages that are nobody else's. */
__attribute__((noinline)) static struct pte_slot *grant_along(struct pte_slot *slot,
                                                              const struct pte_slot *end,
                                                              const struct step *of)
{
    struct step step = *of;
    pte_t entry;

    do {
        pte_slot_set(slot, step.to.raw & ~step.from.raw);
        slot++;
        if (slot == end) {
            break;
        }
        entry = pte_slot_load_locked(slot);
    } while (is_alike(entry, step.from) && is_sole(&step, entry));
    return slot;
}

/* Grants less. */
__attribute__((noinline)) static struct pte_slot *take_along(struct pte_slot *slot,
                                                             const struct pte_slot *end,
                                                             const struct step *of)
{
    struct step step = *of;

    do {
        pte_slot_clear(slot, step.from.raw & ~step.to.raw);
        slot++;
    } while (slot < end && is_alike(pte_slot_load_locked(slot), step.from));
    return slot;
}

/* Anything else. */
__attribute__((noinline)) static struct pte_slot *change_along(struct pte_slot *slot,
                                                               const struct pte_slot *end,
                                                               const struct step *of)
{
    struct step step = *of;
    pte_t entry = step.from;

    do {
        slot_step(slot, entry, (pte_t){entry.raw ^ step.from.raw ^ step.to.raw});
        slot++;
        if (slot == end) {
            break;
        }
        entry = pte_slot_load_locked(slot);
    } while (is_alike(entry, step.from) &&
             (step.frame == NULL || is_sole(&step, entry) == step.is_sole));
    return slot;
}

/* Takes the step in `slot`, and in those after it if that is easy.  Returns the next one. */
static struct pte_slot *step_take(struct pte_slot *slot, const struct pte_slot *end,
                                  const struct step *step)
{
    uint64_t changed = step->from.raw ^ step->to.raw;

    if (changed == 0) {
        return slot + 1;
    }
    if ((step->from.raw & step->to.raw & PTE_V) == 0) {
        slot_step(slot, step->from, step->to);
        return slot + 1;
    }
    if ((step->from.raw & changed) == 0 && step->is_sole) {
        return grant_along(slot, end, step);
    }
    if ((step->to.raw & changed) == 0) {
        return take_along(slot, end, step);
    }
    return change_along(slot, end, step);
}

/* Notes a step that was taken so many times. */
static void note(struct pt_node *node, struct pt_rights *done, const struct step *step,
                 unsigned count)
{
    bool was_valid = (step->from.raw & PTE_V) != 0;
    bool is_valid = (step->to.raw & PTE_V) != 0;
    uint64_t granted = is_valid ? step->to.raw : 0;

    done->pages += step->met == STEP_PAGE ? count : 0;
    done->marks += step->met == STEP_MARK ? count : 0;
    done->stores += step->from.raw != step->to.raw ? count : 0;
    done->has_taken |= was_valid && (step->from.raw & ~granted & RIGHTS) != 0;
    if (was_valid && !is_valid) {
        node->present = (uint16_t)(node->present - count);
        node->hidden = (uint16_t)(node->hidden + count);
    } else if (is_valid && !was_valid) {
        node->present = (uint16_t)(node->present + count);
        node->hidden = (uint16_t)(node->hidden - count);
    }
}

struct pt_rights pt_rights_change(struct pt_node *node, struct pt_span span, enum vm_prot prot)
{
    struct pt_rights done = {.end = span.first};

    while (done.end < span.end) {
        struct pte_slot *slot = &node->slots[done.end];
        struct step step = step_from(pte_slot_load_locked(slot), node->level, prot);
        unsigned count = 1;

        if (step.met == STEP_DEVICE || step.met == STEP_REFUSED) {
            done.is_refused = step.met == STEP_REFUSED;
            return done;
        }
        if (step.met != STEP_NOTHING) {
            count = (unsigned)(step_take(slot, &node->slots[span.end], &step) - slot);
            note(node, &done, &step, count);
        }
        done.end += count;
    }
    return done;
}

/* True if it depends on who else has its frames what a large page becomes. */
static bool depends_on_owners(pte_t page, enum vm_prot prot)
{
    return grants_write(page, prot) && (page.raw & (uint64_t)PTE_SW_PRIVATE << PTE_RSW_SHIFT) != 0;
}

struct pt_rights pt_rights_change_large(struct pt_node *node, unsigned index, enum vm_prot prot)
{
    unsigned present = node->present;
    pte_t before = pte_slot_load_locked(&node->slots[index]);
    struct pt_rights done = pt_rights_change(node, (struct pt_span){index, index + 1}, prot);

    node->large = (uint16_t)(node->large + node->present - present);
    done.cost = done.pages + done.marks;
    if (done.pages > 0) {
        done.cost = depends_on_owners(before, prot) ? COST_OF_OWNERS : 1;
        done.pages = (unsigned)frame_block_frames(node->level);
    }
    return done;
}
