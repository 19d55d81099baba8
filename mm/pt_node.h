/* SPDX-License-Identifier: MIT */
/*
 * Nodes: page-table pages of user halves, each with a side record.
 *
 * A node is one 512-entry table in a frame of its own; what the hardware need not see (lock, level,
 * place, count) is in the side record, found from the frame's record.
 */
#pragma once

#include "arch/pte_kept.h"
#include "arch/pte_mark.h"
#include "arch/slot.h"
#include "lib/spinlock.h"
#include "lib/types.h"
#include "mm/frame.h"

struct vm_space;

#define PT_TABLES_WORDS (PTE_ENTRIES / 64) /* a bit for each entry */

/* Fields: (c) constant once it is linked, (n) the node's lock; a node that is not linked, or stray,
 * is its owner's alone, but for descents that lock it to see that it is stray. */
struct pt_node {
    struct spinlock lock;             /* rank LOCK_PT_NODE                          */
    struct vm_space *space;           /* (n) place: whose                           */
    vaddr_t base;                     /* (n) place: first address it translates     */
    struct pte_slot *slots;           /* (c) the 512 entries                        */
    struct frame *frame;              /* (c) the frame they lie in                  */
    struct pt_node *next;             /* (n) list of detached or spare nodes        */
    uint16_t present;                 /* (n) user entries with V set                */
    uint16_t large;                   /* (n) leaves among them, if above level 0    */
    uint16_t io;                      /* (n) leaves among them that map a region    */
    uint16_t hidden;                  /* (n) hidden RAM; V is clear                 */
    uint16_t marked;                  /* (n) marks; V is clear                      */
    uint16_t paged;                   /* (n) those among them that name an object   */
    uint16_t dying;                   /* (n) entries whose flush is owed            */
    uint8_t level;                    /* (c) 0: its entries map 4 KiB               */
    bool is_stray;                    /* (n) detached: no descent may use it        */
    uint64_t tables[PT_TABLES_WORDS]; /* (n) a bit for each entry that points to a table */
};

/* Entries [first, end) of a node. */
struct pt_span {
    unsigned first, end;
};

/* A node charged to the space, whose entries are not written yet (pt_node_fill).  Not linked, not
 * locked.  ERR_NOMEM: nothing leaked.  Context: any below LOCK_SLAB. */
status_t pt_node_create(struct vm_space *space, vaddr_t base, unsigned level, struct pt_node **out);

/* Gives a node that is not linked an absent entry in all its entries, or what a mark means there,
 * or what a leaf or a hidden entry of the level above maps or hides there. */
void pt_node_fill(struct pt_node *node, pte_t entry);

/* Puts a table in the place of an absent entry, or of a mark, parts of which fill it before the
 * parent's entry names it.  `parent` is locked, `child` of the level below it, not
 * linked, and locked if it is to be born so.  Neither owes a flush: V was clear. */
void pt_node_link(struct pt_node *parent, unsigned index, struct pt_node *child);

/* The same in the place of a leaf above level 0, or of a hidden entry: each entry of the table
 * maps, or hides, its part of the frames, with A and D of the whole, and the reference of the block
 * becomes one of each part (frame_block_split).  Of a leaf a flush of the space is owed. */
void pt_node_split(struct pt_node *parent, unsigned index, struct pt_node *child);

/* Stores a pointer to a table where V is clear, and nothing is counted any more.  `parent` is
 * locked or its owner's alone, `child` is complete, and its record says that it stands there. */
void pt_node_put_table(struct pt_node *parent, unsigned index, struct pt_node *child);

/* Leaves nothing where a pointer to a table is.  The flush is the caller's. */
void pt_node_take_table(struct pt_node *parent, unsigned index);

/* The next entry of *span that points to a table, from its first or its last on; the span is then
 * what lies past it, or before it.  False: there is none.  It takes a step for each 64 entries and
 * each table, not for each entry.  The node is locked, or its owner's alone. */
bool pt_node_next_table(const struct pt_node *node, struct pt_span *span, unsigned *index);
bool pt_node_prev_table(const struct pt_node *node, struct pt_span *span, unsigned *index);

/* Frees a node that no hart can reach any more; unlocked.  The charge goes with it, but for a stray
 * node: its space may be gone, and gave up the charge when it was detached (pt_unlock_stray). */
void pt_node_destroy(struct pt_node *node);

/* The node that a table entry points to. */
struct pt_node *pt_node_of(pte_t table);

/* True for the top of a space's tree. */
bool pt_node_is_root(const struct pt_node *node);

/* A mark has been stored in an entry, or is about to be replaced by something else; with the second
 * goes what it counted in the space's table of objects. */
void pt_node_mark_added(struct pt_node *node, pte_t mark);
void pt_node_mark_gone(struct pt_node *node, pte_t mark);

/* Gives up what the marks of a node count in the space's table of objects, though its entries stay:
 * it is detached. */
void pt_node_forget_paged(struct pt_node *node);

/* True if an entry maps, means something, or points to a table.  Dying ones do not count. */
static inline bool pt_node_is_used(const struct pt_node *node)
{
    return (node->present | node->hidden | node->marked) != 0;
}

/* Entries that map. */
static inline unsigned pt_node_leaves(const struct pt_node *node)
{
    return node->level == 0 ? node->present : node->large;
}

/* Pages of 4 KiB of RAM that the entries hold, mapped or hidden: what a space is charged for them.
 */
static inline uint64_t pt_node_ram_pages(const struct pt_node *node)
{
    uint64_t entries = (uint64_t)pt_node_leaves(node) - node->io + node->hidden;

    return entries << (PTE_INDEX_BITS * node->level);
}

/* Pages of 4 KiB of regions that the entries map. */
static inline uint64_t pt_node_io_pages(const struct pt_node *node)
{
    return (uint64_t)node->io << (PTE_INDEX_BITS * node->level);
}

/* Bytes that one entry, and the whole node, translate. */
static inline uint64_t pt_node_entry_bytes(const struct pt_node *node)
{
    return pte_level_bytes(node->level);
}

static inline uint64_t pt_node_bytes(const struct pt_node *node)
{
    return pte_level_bytes(node->level + 1U);
}

static inline bool pt_node_contains(const struct pt_node *node, vaddr_t va)
{
    return va.raw - node->base.raw < pt_node_bytes(node);
}

/* First address that entry `index` translates. */
static inline vaddr_t pt_node_entry_va(const struct pt_node *node, unsigned index)
{
    return vaddr_add(node->base, (uint64_t)index * pt_node_entry_bytes(node));
}

/* The part of [start, end) that the node translates, as indices.  The range must touch the node. */
static inline struct pt_span pt_node_span(const struct pt_node *node, struct va_range range)
{
    uint64_t node_end = node->base.raw + pt_node_bytes(node);
    uint64_t start = range.start.raw > node->base.raw ? range.start.raw : node->base.raw;
    uint64_t end = range.end.raw < node_end ? range.end.raw : node_end;

    return (struct pt_span){pte_index((vaddr_t){start}, node->level),
                            pte_index((vaddr_t){end - 1}, node->level) + 1U};
}

/* The other way round: what the entries [first, end) translate. */
static inline struct va_range pt_node_part(const struct pt_node *node, struct pt_span span)
{
    return (struct va_range){pt_node_entry_va(node, span.first), pt_node_entry_va(node, span.end)};
}
