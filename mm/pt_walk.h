/* SPDX-License-Identifier: MIT */
/*
 * Moving inside the sub-tree that a cursor has locked: from an address to the slot that holds it.
 */
#pragma once

#include "mm/vm_cursor.h"
#include "pt_node.h"

/* A slot and what it held when it was looked up. */
struct pt_place {
    struct pt_node *node;
    unsigned index;
    pte_t entry;
    enum pte_kind kind;
};

/* The slot of the lowest existing node that contains va, a member of the cursor's range. */
struct pt_place pt_walk(struct vm_cursor *cursor, vaddr_t va);

/* The same, and the cursor does not note where the walk ended. */
struct pt_place pt_look(const struct vm_cursor *cursor, vaddr_t va);

/* First leaf that intersects `in`.  True: *place is it.  False: there is none. */
bool pt_find_leaf(struct vm_cursor *cursor, struct va_range in, struct pt_place *place);

/* The same for a leaf, a hidden entry or a mark. */
bool pt_find_used(struct vm_cursor *cursor, struct va_range in, struct pt_place *place);

/* First address of a place, and the address past it. */
struct va_range pt_place_range(const struct pt_place *place);

/* Spare nodes, linked through `next`. */
struct pt_pool {
    struct pt_node *first;
};

void pt_pool_push(struct pt_pool *pool, struct pt_node *node);
struct pt_node *pt_pool_pop(struct pt_pool *pool); /* NULL: none is left */

/* Gets so many.  ERR_NOMEM: the pool is empty and nothing changed. */
status_t pt_pool_get(struct vm_space *space, uint64_t count, struct pt_pool *pool);

/* Gets all nodes that leaves at level 0 throughout `in` need and that do not exist.
 * ERR_NOMEM: the pool is empty and nothing changed. */
status_t pt_pool_fill(struct vm_cursor *cursor, struct va_range in, struct pt_pool *pool);

/* The same for leaves as large as fit in `in`, up to level `largest`, when all that is there
 * has been removed, whole tables where `in` holds all of one. */
status_t pt_pool_fill_large(struct vm_cursor *cursor, struct va_range in, unsigned largest,
                            struct pt_pool *pool);

/* Gives back what is in it. */
void pt_pool_empty(struct pt_pool *pool);

/* Links a node from the pool, born locked, in a place above level 0 where no table is.  A mark
 * moves into it, a leaf and a hidden entry are split, which owes the flush of a leaf, and what is
 * dying goes first (vm_cursor_sync).  Returns the slot of va in the node. */
struct pt_place pt_link(struct vm_cursor *cursor, const struct pt_place *place, vaddr_t va,
                        struct pt_pool *pool);

/* The level-0 slot of va, with nodes from the pool linked (born locked) where they miss. */
struct pt_place pt_walk_linking(struct vm_cursor *cursor, vaddr_t va, struct pt_pool *pool);
