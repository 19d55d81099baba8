/* SPDX-License-Identifier: MIT */
/* The kernel's half of every table. */
#pragma once

#include "arch/slot.h"
#include "lib/types.h"

/* Where the nodes of the kernel half come from: zeroed, NULL if there is no memory. */
typedef struct pte_slot *(*kspace_node_source)(paddr_t *pa);

/* Starts the kernel's table.  ERR_NOMEM. */
status_t kspace_init(kspace_node_source source);

/* Replaces the source, once the frame allocator is up. */
void kspace_set_source(kspace_node_source source);

/* Makes all nodes that 4 KiB pages at the start of va's gigabyte need but the last, so that what is
 * mapped there later changes no root.  ERR_NOMEM. */
status_t kspace_reserve(vaddr_t va);

struct kspace_mapping {
    vaddr_t va;
    paddr_t pa;
    uint64_t bytes;
    enum vm_prot prot;
};

/* Maps with the largest pages that fit, up to 1 GiB; global, A preset, and D with W.  Nothing may
 * be mapped there yet.  ERR_NOMEM: nothing is mapped; tables made on the way stay for the next try.
 */
status_t kspace_map(struct kspace_mapping mapping);

paddr_t kspace_root(void);

/* Copies the upper half of the kernel's root into another root. */
void kspace_share(struct pte_slot *root);
