/* SPDX-License-Identifier: MIT */
/*
 * Address spaces.
 *
 * A VmSpace is one page table with an empty user half to begin with and the kernel's upper half,
 * shared by reference.  The table is the only description of the space: what an address means is
 * read and changed through cursors (mm/vm_cursor.h), and there is no tree of areas beside it.
 *
 * The user range is [0, vm_space_user_limit()): 2^38 in Sv39, 2^47 in Sv48, 2^56 in Sv57, one limit
 * for cursors, readers and writers alike.
 */
#pragma once

#include "lib/types.h"

struct vm_space;

/* First byte past what programs may use. */
vaddr_t vm_space_user_limit(void);

struct vm_budget;

/* A new space with one reference, charged to `budget`, of which it takes a reference; NULL: it may
 * have all there is.
 * Errors: ERR_NOMEM, nothing leaked.  Context: any below LOCK_PT_NODE. */
status_t vm_space_create(struct vm_budget *budget, struct vm_space **out);

/* The budget a space was made with; NULL: none. */
struct vm_budget *vm_space_budget(const struct vm_space *space);

/* Frames that are charged for it now: its tables, those put by and that of its objects included,
 * and its entries that hold a frame of RAM. */
uint64_t vm_space_charged(const struct vm_space *space);

/* ---- tables ---- */

/* One bounded piece of sweeping: looks from *va on, at 64 tables at most, for tables in which
 * nothing is, and those that one mark can stand for (vm_cursor_fold), frees those that no open
 * cursor can meet (through the reaper), and moves *va on; at the user limit it is done, and *va is
 * 0 again.  Returns how many went.
 * Context: no lock held, no cursor open. */
unsigned vm_space_sweep(struct vm_space *space, vaddr_t *va);

/* Tables put by for splitting marks when memory is out: filled to 2 * (levels - 1) by the first
 * mark in a space that lies above level 0, which fails if they cannot be had; refilled by later
 * ones.  Charged to the space.  How many there are. */
unsigned vm_space_split_stock(const struct vm_space *space);

/* References.  The last put gives the space to the reaper (vm_space_reap); nothing is freed in the
 * caller's path.  Whoever has a space active on a hart keeps a reference until another is active
 * there. */
void vm_space_get(struct vm_space *space);
void vm_space_put(struct vm_space *space);

/* Makes it the active space of this hart.  If it is already, nothing is written and nothing
 * flushed.  NULL: the kernel's own table, with an empty user half.  Holds no reference: the caller
 * keeps one while the space is active. */
void vm_space_activate(struct vm_space *space);

/* The space active on this hart, or NULL. */
struct vm_space *vm_space_active(void);

/* Makes what this hart has stored to code visible to instruction fetch, before it returns on every
 * hart that runs the space, on others before they run it next.  One RFENCE call, none if no other
 * hart runs the space.  Cursors do it themselves for pages that become executable.
 * Errors: ERR_IO and others that the firmware reported: some hart may still run old code. */
status_t vm_space_icache_sync(struct vm_space *space);

/* One bounded piece (at most 64 tables, 256 pages and 256 rows of a table of objects) of what
 * detached tables, dead spaces and objects leave behind.  True if it has done something: call it
 * again.  False: nothing waits, or what waits may still be in the hands of another hart in the
 * kernel; whoever leaves the kernel next will find it. Called from where the kernel has time:
 * before it returns to user mode, when it idles; and by who is out of memory and may try again.
 * Context: no lock held, no cursor open. */
bool vm_space_reap(void);

/* True if nothing waits, on no hart.  One load. */
bool vm_space_reap_is_done(void);

/* Physical address of the root node, for reports. */
paddr_t vm_space_root(const struct vm_space *space);

/* Entries of one node. */
struct vm_table_part {
    unsigned level;        /* of the node: 0 to levels - 1             */
    unsigned first, count; /* entries [first, first + count), of 512   */
};

/* Copies entries of the node of a level that translates va, as the hardware reads them; nothing is
 * changed.  All are of one moment, but for A and D.  *physical is where the node lies.
 * va:     in the user range.  entries: room for part.count.
 * Errors: ERR_NOENT  there is no node of that level there
 *         ERR_DEADLK this hart has a cursor open that forbids it (vm_cursor_open).
 * Context: no spinlock held except those of cursors. */
status_t vm_space_table_read(struct vm_space *space, vaddr_t va, struct vm_table_part part,
                             uint64_t *entries, paddr_t *physical);

/* Audit of the whole space: types, levels, places, counts, no reserved encodings, every mapped
 * frame a program's with a reference at least, every mapped I/O page of a region that this space
 * counts, every node locked by the audit itself, and what is charged for the space is what is
 * there: it locks the whole user range, so other harts may go on.  ERR_INVAL with a line on the
 * log; ERR_DEADLK: this hart has a cursor open that forbids it (vm_cursor_open). */
status_t vm_space_check(struct vm_space *space);
