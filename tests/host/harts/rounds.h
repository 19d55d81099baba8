/* SPDX-License-Identifier: MIT */
/*
 * What race programs have alike that change spaces and access pages in turns: the turns, an access
 * with its faults, the configurations, and the end.
 */
#pragma once

#include "harts/harts.h"
#include "mm/frame_block.h"
#include "mm/vm_budget.h"
#include "mm/vm_fault.h"

/* What a hart does, `rounds` times: `change`, in the kernel, and a piece of reaping; then up to
 * `accesses` - 1 times `access`, as a program, with `space` active. */
struct rounds {
    unsigned rounds, accesses;
    void (*change)(void);
    void (*access)(struct vm_space *space);
};
void rounds_run(const struct rounds *rounds, struct vm_space *space);

/* A program's access to the first word of a page: loads *word or stores it.  Faults go to the
 * kernel, which makes blocks in `making` (NULL: none).  VM_FAULT_RETRY: it is done, or another hart
 * took the page away whenever it was there; *done says which.  Else what the kernel said. */
enum vm_fault_result rounds_access(struct vm_space *space, vaddr_t va, enum vm_access access,
                                   struct frame_making *making, uint64_t *word, bool *done);

/* Audits the spaces and lets go of them. */
void rounds_end_spaces(struct vm_space *const *spaces, unsigned count);

/* Reaps all there is; nothing may be charged then.  Gives the budget back. */
void rounds_end_budget(struct vm_budget *budget);

/* harts_for_each with the machines that these programs are for. */
int rounds_main(void (*program)(const struct harts_config *config));
