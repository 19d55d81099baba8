/* SPDX-License-Identifier: MIT */
/*
 * TLB coherence: when translations go, and from which harts.
 *
 * A cursor collects what it owes and pays once, before it unlocks.  The targets are the harts that
 * run the space now.  One that does not run it holds nothing of it: without ASIDs every activation
 * flushes after satp is written, and a hart sets its bit in `active` before it writes satp.  So
 *
 *   this side:  entry stored | fence | read `active`       other side:  set bit | fence | walk
 *
 * and whoever is not seen in `active` walks after the entry was stored.  Privileged spec,
 * "Supervisor Memory-Management Fence Instruction".
 */
#include "tlb.h"

#include "arch/arch.h"
#include "lib/assert.h"
#include "vm_space_priv.h"

/* Past so many bytes the whole space is flushed: a remote range of more than a page becomes a full
 * flush in firmware anyway, and a local one costs an instruction a page. */
#define TLB_RANGE_MAX_BYTES (UINT64_C(16) * PAGE_SIZE)

void tlb_owe_page(struct vm_cursor *cursor, struct va_range page)
{
    struct va_range *hull = &cursor->owed.flush;

    if (cursor->owed.flush_kind == VM_FLUSH_SPACE) {
        return;
    }
    if (cursor->owed.flush_kind == VM_FLUSH_NONE) {
        *hull = page;
        cursor->owed.flush_kind = VM_FLUSH_PAGES;
        return;
    }
    hull->start.raw = page.start.raw < hull->start.raw ? page.start.raw : hull->start.raw;
    hull->end.raw = page.end.raw > hull->end.raw ? page.end.raw : hull->end.raw;
}

void tlb_owe_space(struct vm_cursor *cursor)
{
    cursor->owed.flush_kind = VM_FLUSH_SPACE;
}

void tlb_pay(struct vm_cursor *cursor)
{
    struct tlb_op op = {.va = cursor->owed.flush.start,
                        .bytes = cursor->owed.flush.end.raw - cursor->owed.flush.start.raw};
    struct hart_mask active;
    status_t status;

    if (cursor->owed.flush_kind == VM_FLUSH_NONE) {
        return;
    }
    if (cursor->owed.flush_kind == VM_FLUSH_SPACE || op.bytes > TLB_RANGE_MAX_BYTES) {
        op = (struct tlb_op){0};
    }
    /* Orders the entry stores before the read; pairs with the fence in vm_space_activate. */
    atomic_thread_fence(memory_order_seq_cst);
    active.bits = atomic_load_explicit(&cursor->space->active, memory_order_acquire);
    if (hart_mask_has(active, hart_index())) {
        arch_tlb_flush_local(op);
    }
    status = arch_tlb_flush_remote(hart_mask_without(active, hart_index()), op);
    if (status != OK) {
        PANIC("remote fence failed: %s", status_name(status));
    }
    cursor->owed.flush_kind = VM_FLUSH_NONE;
    cursor->owed.flush = (struct va_range){0};
}
