/* SPDX-License-Identifier: MIT */
/*
 * Frames, or blocks of them, by page number: a radix tree of tables, each a frame of 512 pointers.
 *
 * A tree of height h has room for the pages below 512^h; it grows at its top when a page needs it,
 * so one page costs no table.  It neither allocates nor locks: whoever has it does both.
 */
#pragma once

#include "lib/types.h"
#include "mm/frame.h"

#define MEM_TREE_PAGE_BITS 36U /* pages have numbers below 2^36     */
#define MEM_TREE_NEED_MAX  7U  /* tables that one page may need     */

struct mem_tree {
    struct frame *top; /* a table, or with height 0 the page 0; NULL: empty */
    unsigned height;   /* of an empty tree: any                              */
};

/* The frame of a page, borrowed; NULL: it has none. */
struct frame *mem_tree_find(struct mem_tree *tree, uint64_t page);

/* Tables that the tree lacks to hold the page. */
unsigned mem_tree_need(struct mem_tree *tree, uint64_t page);

/* Puts a frame, with its reference, at a page that has none.  tables: as many zeroed ones as it
 * needs, which belong to the tree then. */
void mem_tree_put(struct mem_tree *tree, uint64_t page, struct frame *frame,
                  struct frame *const *tables);

/* Which pages may be taken out of a tree. */
enum mem_tree_whose {
    MEM_TREE_ANY,
    MEM_TREE_OWN, /* those to which nobody else has a reference */
};

/* Cutting off the end of a tree. */
struct mem_tree_cut {
    uint64_t end;   /* pages from here on go                        */
    unsigned level; /* each is a block of this level, with its references */
    enum mem_tree_whose whose;
    unsigned blocks, tables; /* that may still go in this piece */
    uint64_t low;            /* nothing is left from this page on */
};

/* One bounded piece, from the highest page downwards; it gives back the references of what goes,
 * and counts `blocks`, `tables` and `low` down.  OK: all from `end` on are gone.  ERR_AGAIN: not
 * yet.  ERR_BUSY: somebody else has a reference of the last page that is left. */
status_t mem_tree_cut(struct mem_tree *tree, struct mem_tree_cut *cut);
