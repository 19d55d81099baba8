/* SPDX-License-Identifier: MIT */
/*
 * Budgets: how much memory address spaces may hold.
 *
 * A budget is a number of frames that the spaces which share it may hold together: every entry that
 * holds a frame of RAM (present or hidden; the shared frame of zeroes too, so that a write to it
 * never fails for budget) and every table.  The charge comes with the entry or table and goes with
 * it: with the entry when it is removed, with a table when it is detached or swept.  Whoever keeps
 * other records for a program charges frames for them too, as the kernel does for processes and
 * threads.  A budget may lie inside another: what is charged to it is charged to that one too.
 */
#pragma once

#include "lib/types.h"

struct vm_budget;

/* A new budget of `frames` inside `parent`, or NULL: inside none; with one reference.  ERR_NOMEM;
 * ERR_RANGE: nested too deep (4). */
status_t vm_budget_create(struct vm_budget *parent, uint64_t frames, struct vm_budget **out);

/* References; NULL: nothing happens.  With the last one the budget ends; nothing is charged then.
 */
void vm_budget_get(struct vm_budget *budget);
void vm_budget_put(struct vm_budget *budget);

struct vm_budget_state {
    uint64_t used, limit; /* frames */
};
struct vm_budget_state vm_budget_state(const struct vm_budget *budget);

/* A new limit; less than is used is allowed, then nothing more can be charged. */
void vm_budget_set_limit(struct vm_budget *budget, uint64_t frames);

/* Takes `frames` more, in the budget and all it lies in, or none.  ERR_NOMEM: one of them has not
 * so many left; those inside of that one have held them for a moment, it and those around it have
 * not. NULL: no limit.  Context: any. */
status_t vm_budget_charge(struct vm_budget *budget, uint64_t frames);

/* Gives back what was charged.  The caller has a reference. */
void vm_budget_release(struct vm_budget *budget, uint64_t frames);
