/* SPDX-License-Identifier: MIT */
/* The body of an address space, for the files of mm/ that make it up. */
#pragma once

#include <stdatomic.h>

#include "arch/shared.h"
#include "io_mem_table.h"
#include "lib/hart_mask.h"
#include "mm/vm_budget.h"
#include "mm/vm_space.h"
#include "pt_node.h"

/* How many pages of each region this space maps; made when the first is mapped. */
struct vm_space_io {
    _Atomic(uint64_t) pages[IO_MEM_MAX]; /* (a) of 4 KiB */
};

struct vm_backing;

#define SPLIT_STOCK_MAX 8U /* in Sv57 */

/* What one hart has seen of a space. */
struct seen {
    uint64_t flushes; /* 1 + generation when it left, 0: it never ran the space */
    uint64_t code;    /* generation of the code at its last join or sync        */
};

/* Fields: (c) constant after create, (a) atomic, (h) of the hart of the index alone.  Invariant:
 * every hart whose satp names `root` has its bit in `word`.  `refs` changes with every cursor, so
 * it stands apart from what others only read. */
struct vm_space {
    struct pt_node *root;                 /* (c) level levels-1                              */
    struct vm_budget *budget;             /* (c) with a reference; NULL: no limit            */
    struct shared word;                   /* (a) harts that run it, generation: space_word.c */
    struct shared code;                   /* (a) generation of its instructions: likewise    */
    struct shared asid_tag;               /* (a) epoch and identifier: asid.c                */
    _Atomic(uint64_t) charged;            /* (a) frames charged for it: vm_space_charge.c    */
    _Atomic(struct vm_space_io *) io;     /* (a) NULL until a region is mapped               */
    _Atomic(struct vm_backing *) backing; /* (a) NULL until an object is: vm_backing.c */
    _Atomic(struct pt_node *) split_stock[SPLIT_STOCK_MAX]; /* (a) vm_space_stock.c         */
    struct seen seen[HART_MAX]; /* (h) space_word.c                                */
    struct shared refs;         /* (a) processes, cursors                          */
};

/* Counts of mapped I/O pages of 4 KiB (vm_space_io.c).  prepare allocates; the others cannot fail
 * after it.  add, remove: `pages` of a region, or those at pa and after; each has a reference of
 * the region, which add takes and remove gives back. */
status_t vm_space_io_prepare(struct vm_space *space);
void vm_space_io_add(struct vm_space *space, struct io_mem *io, uint64_t pages);
void vm_space_io_remove(struct vm_space *space, paddr_t pa, uint64_t pages);
void vm_space_io_fini(struct vm_space *space);

/* Charges frames to the space's budget before the entries and tables that hold them are made.
 * ERR_NOMEM: nothing changed.  Release: they are gone.  Once for a batch, not once a page.
 * vm_space_check compares what is charged with what is there, so both are called under the locks of
 * the nodes that change, but for nodes that no other hart can reach. */
status_t vm_space_charge(struct vm_space *space, uint64_t frames);
void vm_space_release(struct vm_space *space, uint64_t frames);

/* The split stock (vm_space_stock.c).  fill: ERR_NOMEM, what was there stays.  take: NULL if
 * nothing is left.  put: gives a table that was taken and not linked back. */
status_t vm_space_stock_fill(struct vm_space *space);
struct pt_node *vm_space_stock_take(struct vm_space *space);
void vm_space_stock_put(struct vm_space *space, struct pt_node *node);
bool vm_space_stock_is_full(const struct vm_space *space);
void vm_space_stock_fini(struct vm_space *space);

/* Frees the side of a space that is not its tables (vm_space.c). */
void vm_space_free(struct vm_space *space);
