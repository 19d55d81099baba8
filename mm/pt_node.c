/* SPDX-License-Identifier: MIT */
/* Making, linking and freeing page-table nodes: a frame and its side record. */
#include "pt_node.h"

#include "arch/arch.h"
#include "lib/assert.h"
#include "lib/counter.h"
#include "mm/frame_block.h"
#include "mm/slab.h"
#include "vm_backing.h"
#include "vm_space_priv.h"

static struct slab_cache node_cache =
    SLAB_CACHE_INIT(node_cache, "pt_node", sizeof(struct pt_node));

/* A node and its frame, or NULL. */
static struct pt_node *node_alloc(struct frame **frame)
{
    struct pt_node *node = slab_alloc(&node_cache);

    if (node != NULL && frame_alloc(FRAME_TABLE, frame) != OK) {
        slab_free(&node_cache, node);
        node = NULL;
    }
    return node;
}

status_t pt_node_create(struct vm_space *space, vaddr_t base, unsigned level, struct pt_node **out)
{
    status_t status = vm_space_charge(space, 1);
    struct pt_node *node;
    struct frame *frame;

    if (status != OK) {
        return status;
    }
    node = node_alloc(&frame);
    if (node == NULL) {
        vm_space_release(space, 1);
        return ERR_NOMEM;
    }
    frame->node = node;
    *node = (struct pt_node){.space = space,
                             .base = base,
                             .slots = frame_bytes(frame),
                             .frame = frame,
                             .level = (uint8_t)level};
    spinlock_init(&node->lock, LOCK_PT_NODE);
    counter_add(COUNTER_tables_allocated, 1);
    *out = node;
    return OK;
}

/* Fills it with parts of a large leaf, or of a hidden entry.  Not inline: most nodes are for less.
 */
__attribute__((noinline)) static void fill_with_parts(struct pt_node *node, pte_t entry)
{
    bool is_leaf = (entry.raw & PTE_V) != 0;
    bool is_io = is_leaf && pte_sw(entry) == PTE_SW_IO;
    uint64_t bytes = pt_node_entry_bytes(node);
    pte_t next = is_leaf ? pte_leaf_part(entry, 1, bytes) : pte_hidden_part(entry, 1, bytes);

    node->present = is_leaf ? PTE_ENTRIES : 0;
    node->large = is_leaf && node->level > 0 ? PTE_ENTRIES : 0;
    node->io = is_io ? PTE_ENTRIES : 0;
    node->hidden = is_leaf ? 0 : PTE_ENTRIES;
    arch_fill_frame(frame_bytes(node->frame), entry.raw, next.raw - entry.raw);
}

void pt_node_fill(struct pt_node *node, pte_t entry)
{
    pte_t next = pte_mark_at(entry, pt_node_entry_bytes(node) / PAGE_SIZE);

    if (pte_is_absent(entry)) {
        node->marked = 0;
        node->paged = 0;
        arch_zero_frame(frame_bytes(node->frame));
        return;
    }
    if (!pte_is_mark(entry)) {
        fill_with_parts(node, entry);
        return;
    }
    node->marked = PTE_ENTRIES;
    node->paged = pte_is_paged(entry) ? PTE_ENTRIES : 0;
    arch_fill_frame(frame_bytes(node->frame), entry.raw, next.raw - entry.raw);
}

/* Inline, both: see frame.c. */
inline void pt_node_mark_added(struct pt_node *node, pte_t mark)
{
    node->marked++;
    node->paged = (uint16_t)(node->paged + (pte_is_paged(mark) ? 1 : 0));
}

inline void pt_node_mark_gone(struct pt_node *node, pte_t mark)
{
    node->marked--;
    if (pte_is_paged(mark)) {
        node->paged--;
        vm_backing_drop(node->space, pte_decode_mark(mark).slot, 1);
    }
}

void pt_node_forget_paged(struct pt_node *node)
{
    struct vm_backing_run run = {.space = node->space};

    for (unsigned i = 0; i < PTE_ENTRIES && node->paged > 0; i++) {
        pte_t entry = pte_slot_load(&node->slots[i]);

        if (pte_is_paged(entry)) {
            vm_backing_run_drop(&run, pte_decode_mark(entry).slot);
            node->paged--;
        }
    }
    vm_backing_run_end(&run);
}

void pt_node_link(struct pt_node *parent, unsigned index, struct pt_node *child)
{
    pte_t before = pte_slot_load(&parent->slots[index]);

    pt_node_fill(child, before);
    if (pte_is_paged(before)) {
        vm_backing_add(parent->space, pte_decode_mark(before).slot, PTE_ENTRIES);
    }
    if (pte_is_mark(before)) {
        pt_node_mark_gone(parent, before);
    }
    pt_node_put_table(parent, index, child);
}

/* The entry names a table now. */
static inline void note_table(struct pt_node *parent, unsigned index)
{
    parent->tables[index / 64] |= UINT64_C(1) << index % 64;
    parent->present++;
}

void pt_node_split(struct pt_node *parent, unsigned index, struct pt_node *child)
{
    struct pte_slot *slot = &parent->slots[index];
    pte_t before = pte_slot_load(slot);
    bool is_leaf = (before.raw & PTE_V) != 0;

    /* Hardware may set A and D in the leaf until the table is in its place, each once. */
    do {
        pt_node_fill(child, before);
    } while (!pte_slot_replace(slot, &before, pte_make_table(frame_pa(child->frame))));
    if (child->io > 0) {
        parent->io--;
    } else {
        frame_block_split(frame_of(is_leaf ? pte_pa(before) : pte_kept_pa(before)), parent->level);
    }
    if (is_leaf) {
        parent->present--;
        parent->large--;
    } else {
        parent->hidden--;
    }
    note_table(parent, index);
    counter_add(COUNTER_entries_split, 1);
}

void pt_node_put_table(struct pt_node *parent, unsigned index, struct pt_node *child)
{
    pte_slot_store(&parent->slots[index], pte_make_table(frame_pa(child->frame)));
    note_table(parent, index);
}

void pt_node_take_table(struct pt_node *parent, unsigned index)
{
    pte_slot_store(&parent->slots[index], pte_absent());
    parent->tables[index / 64] &= ~(UINT64_C(1) << index % 64);
    parent->present--;
}

bool pt_node_next_table(const struct pt_node *node, struct pt_span *span, unsigned *index)
{
    for (unsigned i = span->first; i < span->end; i = i / 64 * 64 + 64) {
        uint64_t rest = node->tables[i / 64] >> i % 64;

        if (rest != 0) {
            *index = i + (unsigned)__builtin_ctzll(rest);
            span->first = *index + 1;
            return *index < span->end;
        }
    }
    return false;
}

bool pt_node_prev_table(const struct pt_node *node, struct pt_span *span, unsigned *index)
{
    for (unsigned end = span->end; end > span->first; end = (end - 1) / 64 * 64) {
        uint64_t rest = node->tables[(end - 1) / 64] << (63 - (end - 1) % 64);

        if (rest != 0) {
            *index = end - 1 - (unsigned)__builtin_clzll(rest);
            span->end = *index;
            return *index >= span->first;
        }
    }
    return false;
}

void pt_node_destroy(struct pt_node *node)
{
    if (!node->is_stray) {
        vm_space_release(node->space, 1);
    }
    frame_put(node->frame);
    slab_free(&node_cache, node);
    counter_add(COUNTER_tables_freed, 1);
}

/* Inline: see frame.c. */
inline struct pt_node *pt_node_of(pte_t table)
{
    const struct frame *frame = frame_of(pte_pa(table));

    ASSERT_FMT(frame != NULL && frame->type == FRAME_TABLE, "entry=%lx", (unsigned long)table.raw);
    return frame->node;
}

bool pt_node_is_root(const struct pt_node *node)
{
    return node->level + 1U == arch_paging_levels();
}
