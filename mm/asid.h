/* SPDX-License-Identifier: MIT */
/* Address-space identifiers: which space has which, and when they start over. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "arch/vm_types.h"
#include "lib/hart.h"

struct vm_space;

/* Decides once, at boot, whether identifiers of `bits` bits are used by `hart_count` harts: only if
 * there are more than twice as many as harts.  Boot hart alone. */
void asid_init(unsigned bits, size_t hart_count);

/* False: every space has identifier 0, and a switch flushes everything. */
bool asid_is_used(void);

/* The identifier under which harts run the space now; read after the space's word. */
asid_t asid_of(struct vm_space *space);

/* Announces that `hart` is about to run the space, and makes sure that the space has an identifier
 * of this epoch: when it returns, nobody else gets that identifier before the hart has withdrawn.
 * Context: the hart itself, identifiers in use. */
void asid_announce(hart_idx_t hart, struct vm_space *space);

/* The hart has written satp: what it announced is what it runs, NULL for the kernel's own table. */
void asid_settle(hart_idx_t hart, struct vm_space *space);

/* True once after each start over: this hart must flush everything before it runs another space. */
bool asid_take_flush(hart_idx_t hart);
