/* SPDX-License-Identifier: MIT */
/*
 * Frames by page number.
 *
 *   height 2   top -> | * | - | * | ...        slot i: pages [512 i, 512 (i + 1))
 *                       |       |
 *   height 1          table   table            slot i: a page
 *
 * Tables are never empty, but for those that a cut which has not ended yet leaves: it goes on with
 * them.
 */
#include "mem_tree.h"

#include "lib/assert.h"
#include "mm/frame_block.h"

#define TABLE_BITS  9U
#define TABLE_SLOTS (1U << TABLE_BITS)

static struct frame **slots_of(struct frame *table)
{
    return frame_bytes(table);
}

/* Pages that a tree, or a slot, of a height has room for. */
static uint64_t room_of(unsigned height)
{
    return UINT64_C(1) << (TABLE_BITS * height);
}

static unsigned height_for(uint64_t page)
{
    unsigned height = 0;

    while (page >= room_of(height)) {
        height++;
    }
    return height;
}

/* Where the way to a page ends: at its own slot, height 0, or at an empty one, which is to hold a
 * table of that height. */
struct spot {
    struct frame **slot;
    unsigned height;
};

static struct spot walk(struct mem_tree *tree, uint64_t page)
{
    struct spot at = {&tree->top, tree->height};

    while (at.height > 0 && *at.slot != NULL) {
        at.height--;
        at.slot = &slots_of(*at.slot)[page >> (TABLE_BITS * at.height) & (TABLE_SLOTS - 1)];
    }
    return at;
}

struct frame *mem_tree_find(struct mem_tree *tree, uint64_t page)
{
    return page < room_of(tree->height) ? *walk(tree, page).slot : NULL;
}

unsigned mem_tree_need(struct mem_tree *tree, uint64_t page)
{
    unsigned height = height_for(page);

    if (tree->top == NULL) {
        return height;
    }
    if (height > tree->height) {
        /* New tops, and below the highest a way that has nothing in common with what was there. */
        return height - tree->height + height - 1;
    }
    return walk(tree, page).height;
}

void mem_tree_put(struct mem_tree *tree, uint64_t page, struct frame *frame,
                  struct frame *const *tables)
{
    unsigned height = height_for(page);
    struct spot at;

    if (tree->top == NULL) {
        tree->height = height;
    }
    for (; tree->height < height; tree->height++) {
        slots_of(*tables)[0] = tree->top;
        tree->top = *tables++;
    }
    for (at = walk(tree, page); at.height > 0; at = walk(tree, page)) {
        *at.slot = *tables++;
    }
    ASSERT(*at.slot == NULL);
    *at.slot = frame;
}

/* Takes out what a slot holds, an empty table or a page, if it may. */
static status_t cut_slot(struct frame **slot, unsigned height, struct mem_tree_cut *cut)
{
    unsigned level = height > 0 ? 0 : cut->level; /* a table is a frame */
    unsigned *left = height > 0 ? &cut->tables : &cut->blocks;

    if (*left == 0) {
        return ERR_AGAIN;
    }
    if (height == 0 && cut->whose == MEM_TREE_OWN && !frame_block_has_one_ref(*slot, level)) {
        return ERR_BUSY;
    }
    frame_block_put(*slot, level);
    *slot = NULL;
    --*left;
    return OK;
}

/* Cuts what a slot of a height holds, which is for pages from `base` on, some of them past the
 * end.  At most MEM_TREE_PAGE_BITS / TABLE_BITS deep. */
static status_t cut_below(struct frame **slot, unsigned height, uint64_t base,
                          struct mem_tree_cut *cut)
{
    uint64_t each = height > 0 ? room_of(height - 1) : 0;
    unsigned first = height > 0 && base < cut->end ? (unsigned)((cut->end - base) / each) : 0;
    status_t status = OK;

    if (*slot == NULL) {
        return OK;
    }
    for (unsigned i = TABLE_SLOTS; height > 0 && status == OK && i > first; i--) {
        status = cut_below(&slots_of(*slot)[i - 1], height - 1, base + (i - 1) * each, cut);
    }
    if (status != OK || base < cut->end) {
        return status; /* a table that is needed stays */
    }
    status = cut_slot(slot, height, cut);
    if (status == OK) {
        cut->low = base;
    }
    return status;
}

status_t mem_tree_cut(struct mem_tree *tree, struct mem_tree_cut *cut)
{
    return cut->end < room_of(tree->height) ? cut_below(&tree->top, tree->height, 0, cut) : OK;
}
