/* SPDX-License-Identifier: MIT */
/* Between the files of memory objects and the reaper. */
#pragma once

#include "lib/spinlock.h"
#include "mem_tree.h"
#include "mm/mem_object.h"
#include "mm/vm_budget.h"
#include "reclaim.h"

/* Fields: (c) constant, (a) atomic, (l) the lock; of a dead object all is the reaper's.  Charged to
 * the budget: 1, and each frame and table of the tree, which holds blocks of `level` by number.
 * named_end <= pages, which is a multiple of a block's. */
struct mem_object {
    struct spinlock lock;     /* rank LOCK_MEM_OBJECT                                    */
    struct mem_tree tree;     /* (l)                                                     */
    uint64_t pages;           /* (l) its size                                            */
    uint64_t frames;          /* (l) pages that have one                                 */
    uint64_t named_end;       /* (l) pages before it may be named by marks; 0: none is   */
    uint64_t naming;          /* (l) spaces that have marks                              */
    unsigned level;           /* (c) its memory comes in blocks of this level            */
    struct vm_budget *budget; /* (c) with a reference; NULL: no limit                    */
    _Atomic(uint64_t) refs;   /* (a) handles, rows of spaces                             */
    struct mem_object *next;  /* list of dead ones: mem_object_reap.c                    */
};

/* Cuts off the end of an object, in one piece as mem_tree_cut, and releases the charge. */
status_t mem_object_cut(struct mem_object *object, struct mem_tree_cut *cut);

/* The end of an object that has no references: put by for the reaper. */
void mem_object_park(struct mem_object *object);

/* Takes apart what was put by, as far as the budget goes.  True if there was something. */
bool mem_object_reap(struct reclaim_budget *budget);

/* The record of an object whose tree is empty. */
void mem_object_free(struct mem_object *object);
