/* SPDX-License-Identifier: MIT */
/*
 * A simple model of each hart's TLB: whatever a hart translated it may use again until a fence
 * whose operands cover it.
 *
 * Leaf entries and pointers to tables (the walk cache) are kept alike, keyed by address-space
 * identifier and address.  A hart fills its TLB when it accesses user memory, and on its own accord
 * for the addresses a test has put on the watch list, before and after every change of a slot.  A
 * fence drops just what it promises: by address leaf entries only, without an address everything of
 * the identifier.  A change of the root drops nothing.
 */
#pragma once

#include "arch/arch.h"
#include "model/mmu_model.h"

/* Where a user access leads. */
struct tlb_access {
    bool allowed;
    uint64_t pa;
};

/* The hart's root and identifier from now on; drops nothing. */
void tlb_model_activate(hart_idx_t hart, uint64_t root, asid_t asid);
uint64_t tlb_model_root(hart_idx_t hart);

/* sfence.vma with these operands. */
void tlb_model_fence(hart_idx_t hart, struct tlb_op op);

/* An access of user mode (or of the kernel with SUM set) by the hart.  Ends the process if the
 * walk or the access reaches a free frame. */
struct tlb_access tlb_model_access(hart_idx_t hart, uint64_t va, enum mmu_access access);

/* Harts translate this address whenever they like, from now on. */
void tlb_model_watch(uint64_t va);

/* All harts translate all watched addresses. */
void tlb_model_prefetch(void);

/* Ends the process if a hart could still use an older translation of the slot than `entry`, which
 * is about to be stored there. */
void tlb_model_check_store(uint64_t slot_pa, uint64_t entry);

/* Ends the process if any hart could use a translation that the tables no longer give: another
 * frame, more rights, a table that is not linked. */
void tlb_model_audit(void);

/* Entries the hart holds. */
size_t tlb_model_count(hart_idx_t hart);
