/* SPDX-License-Identifier: MIT */
/*
 * What a space is charged for: one frame for each of its tables, and of its table of objects, and
 * one for each entry that holds a frame of RAM.  Charged before the entry or table is there,
 * released when it is gone.
 *
 * The space's own count says what is its share of a budget that it may have in common with others;
 * vm_space_check compares it with the entries, and it is 0 when the space is freed.
 */
#include "lib/assert.h"
#include "vm_space_priv.h"

status_t vm_space_charge(struct vm_space *space, uint64_t frames)
{
    status_t status = vm_budget_charge(space->budget, frames);

    if (status == OK) {
        /* Relaxed: who compares it with the entries has locked them all. */
        (void)atomic_fetch_add_explicit(&space->charged, frames, memory_order_relaxed);
    }
    return status;
}

void vm_space_release(struct vm_space *space, uint64_t frames)
{
    /* Relaxed, as above. */
    uint64_t before = atomic_fetch_sub_explicit(&space->charged, frames, memory_order_relaxed);

    ASSERT(before >= frames);
    vm_budget_release(space->budget, frames);
}

uint64_t vm_space_charged(const struct vm_space *space)
{
    return atomic_load_explicit(&space->charged, memory_order_relaxed); /* of about now */
}
