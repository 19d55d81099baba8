/* SPDX-License-Identifier: MIT */
/*
 * Reclamation: giving back what entries hold, of tables that are detached, dead or in a cursor's
 * hands.  Whoever calls owns the node, and the flush of what it held has been done.
 */
#include "mm/frame_block.h"
#include "reclaim.h"
#include "vm_space_priv.h"

/* Gives back what an entry of level 0 held: a page of a region, or a reference of a frame.  Only a
 * region needs the space, which is there: a cursor's, or a dead one that goes after its tables.
 * Other sub-trees are parked without device pages (reclaim_release). */
static inline void release_page(struct vm_space *space, paddr_t pa, bool is_io,
                                struct frame_run *run)
{
    if (is_io) {
        vm_space_io_remove(space, pa, 1);
    } else {
        frame_run_put(run, pa);
    }
}

/* The same of an entry of a node above level 0, which takes a bounded time too. */
static void release_large_page(const struct pt_node *node, paddr_t pa, bool is_io)
{
    if (is_io) {
        vm_space_io_remove(node->space, pa, pt_node_entry_bytes(node) / PAGE_SIZE);
    } else {
        frame_block_put(frame_of(pa), node->level);
    }
}

/* What was released of a node. */
struct released {
    unsigned hidden, io;
};

/* Notes that so many entries of a node are gone.  Those of a dead space are charged to it until
 * now, those of a stray node were so until its detaching. */
static void note_released(struct pt_node *node, unsigned count, struct released released)
{
    unsigned leaves = count - released.hidden;
    uint64_t ram = count - released.io;

    node->present = (uint16_t)(node->present - leaves);
    node->hidden = (uint16_t)(node->hidden - released.hidden);
    if (node->level > 0) {
        node->large = (uint16_t)(node->large - leaves);
    }
    node->io = (uint16_t)(node->io - released.io);
    if (!node->is_stray) {
        vm_space_release(node->space, ram << (PTE_INDEX_BITS * node->level));
    }
}

/* Releases `count` large pages of a node above level 0, mapped or hidden, the first ones; it has so
 * many.  A root has its program's first. */
static void release_large(struct pt_node *node, unsigned count)
{
    struct released released = {0};
    unsigned left = count;

    for (struct pte_slot *slot = node->slots; left > 0; slot++) {
        pte_t entry = pte_slot_load(slot);
        enum pte_kind kind = pte_kind(entry, node->level);
        bool is_io = kind == PTE_LEAF && pte_sw(entry) == PTE_SW_IO;

        if (kind != PTE_LEAF && kind != PTE_HIDDEN) {
            continue;
        }
        released.hidden += kind == PTE_HIDDEN ? 1 : 0;
        released.io += is_io ? 1 : 0;
        pte_slot_store(slot, pte_absent());
        release_large_page(node, kind == PTE_HIDDEN ? pte_kept_pa(entry) : pte_pa(entry), is_io);
        left--;
    }
    note_released(node, count, released);
}

/* The same of a node of level 0. */
static void release_small(struct pt_node *node, unsigned count)
{
    struct frame_run run = FRAME_RUN_NONE;
    struct released released = {0};
    unsigned left = count;

    for (struct pte_slot *slot = node->slots; left > 0; slot++) {
        pte_t entry = pte_slot_load(slot);
        bool is_io = false;

        if (!pte_is_plain_page(entry)) {
            if (pte_is_hidden(entry)) {
                released.hidden++;
                entry = pte_hidden_make_leaf(entry);
            } else if (pte_is_absent(entry) || pte_kind(entry, 0) != PTE_LEAF) {
                continue;
            }
            is_io = pte_sw(entry) == PTE_SW_IO;
            released.io += is_io ? 1 : 0;
        }
        pte_slot_store(slot, pte_absent());
        release_page(node->space, pte_pa(entry), is_io, &run);
        left--;
    }
    frame_run_end(&run);
    note_released(node, count, released);
}

static void release_leaves(struct pt_node *node, unsigned count)
{
    if (node->level == 0) {
        release_small(node, count);
    } else if (count > 0) {
        release_large(node, count);
    }
}

/* Entries of a node that hold something to be released. */
static unsigned count_leaves(const struct pt_node *node)
{
    return pt_node_leaves(node) + node->hidden;
}

/* What is dying above level 0.  Not inline: it is rare. */
__attribute__((noinline)) static unsigned dying_large(struct pt_node *node, struct pt_span span)
{
    unsigned count = 0;

    for (unsigned i = span.first; i < span.end && count < node->dying; i++) {
        pte_t entry = pte_slot_load(&node->slots[i]);

        if (pte_is_dying(entry)) {
            pte_slot_store(&node->slots[i], pte_absent());
            release_large_page(node, pte_kept_pa(entry), pte_dying_is_io(entry));
            count++;
        }
    }
    node->dying = (uint16_t)(node->dying - count);
    return count;
}

unsigned reclaim_dying(struct pt_node *node, struct pt_span span)
{
    struct pte_slot *slots = node->slots;
    unsigned dying = node->dying;
    struct frame_run run = FRAME_RUN_NONE;
    unsigned count = 0;

    if (node->level > 0) {
        return dying_large(node, span);
    }
    for (unsigned i = span.first; i < span.end && count < dying; i++) {
        pte_t entry = pte_slot_load(&slots[i]);

        if (pte_is_dying(entry)) {
            pte_slot_store(&slots[i], pte_absent());
            release_page(node->space, pte_kept_pa(entry), pte_dying_is_io(entry), &run);
            count++;
        }
    }
    frame_run_end(&run);
    node->dying = (uint16_t)(dying - count);
    return count;
}

bool reclaim_take_leaves(struct pt_node *node, struct reclaim_budget *budget)
{
    unsigned leaves = count_leaves(node);
    unsigned count = leaves < budget->leaves ? leaves : budget->leaves;

    release_leaves(node, count);
    budget->leaves -= count;
    return count == leaves;
}

/* At most PTE_LEVELS_MAX deep. */
void reclaim_release(struct pt_node *node, unsigned *leaves)
{
    struct pt_span span = {0, PTE_ENTRIES};
    unsigned count = count_leaves(node);
    unsigned i;

    if (node->io > 0 || node->dying > 0 || count <= *leaves) {
        *leaves -= count <= *leaves ? count : *leaves;
        release_leaves(node, count);
        (void)reclaim_dying(node, span);
    }
    while (node->level > 0 && pt_node_next_table(node, &span, &i)) {
        reclaim_release(pt_node_of(pte_slot_load(&node->slots[i])), leaves);
    }
}
