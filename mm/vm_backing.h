/* SPDX-License-Identifier: MIT */
/*
 * A space's table of objects: what the slots of its paged marks name.
 *
 * A row has one reference of its object, and counts the marks that name it, entry by entry: a mark
 * above level 0 is one, pushing it down makes 512 of it.  With the last mark the row is empty
 * again. The table is made with the first row and charged to the space, a frame for each page of
 * rows.
 *
 * Whoever has a mark of a slot under a lock knows that its row stays; so do those who hold it.
 */
#pragma once

#include "lib/types.h"

struct vm_space;
struct mem_object;

/* The row of the object, a new one if it has none, counted once for the caller, who gives it up by
 * vm_backing_drop.  Pages before `end` are going to be named.
 * Errors: ERR_RANGE the object ends before; ERR_NOMEM no memory, no budget or no row.  No row has
 * changed; what was made of the table stays, charged.  Context: any below LOCK_BACKING; the locks
 * of nodes may be held. */
status_t vm_backing_hold(struct vm_space *space, struct mem_object *object, uint64_t end,
                         uint32_t *slot);

/* So many marks more, or less, name the row of a slot that the caller holds, or a mark of which is
 * locked.  Dropping the last one gives up the object.  Context: the same. */
void vm_backing_add(struct vm_space *space, uint32_t slot, uint64_t marks);
void vm_backing_drop(struct vm_space *space, uint32_t slot, uint64_t marks);

/* The object; borrowed: while the row stays. */
struct mem_object *vm_backing_object(const struct vm_space *space, uint32_t slot);

/* Frames of the table, which the space is charged for. */
uint64_t vm_backing_frames(const struct vm_space *space);

/* The end of a space: gives up rows, whatever they count, PTE_ENTRIES / 2 of them at most, and then
 * the table.  True: there is none any more. */
bool vm_backing_end(struct vm_space *space);

/* For the audit: what all rows count, and the same weighted by their slots, to compare with what is
 * added up from the marks. */
struct vm_backing_sum {
    uint64_t marks, weighted;
};
struct vm_backing_sum vm_backing_sum(const struct vm_space *space);

static inline void vm_backing_sum_add(struct vm_backing_sum *sum, uint32_t slot, uint64_t marks)
{
    sum->marks += marks;
    sum->weighted += marks * slot;
}

/* Marks that are given up one after another: those of one slot side by side under one lock.  Begins
 * zeroed but for the space; until its end some still count. */
struct vm_backing_run {
    struct vm_space *space;
    uint32_t slot;
    uint64_t marks;
};

static inline void vm_backing_run_end(struct vm_backing_run *run)
{
    if (run->marks > 0) {
        vm_backing_drop(run->space, run->slot, run->marks);
    }
    run->marks = 0;
}

static inline void vm_backing_run_drop(struct vm_backing_run *run, uint32_t slot)
{
    if (slot != run->slot) {
        vm_backing_run_end(run);
    }
    run->slot = slot;
    run->marks++;
}
