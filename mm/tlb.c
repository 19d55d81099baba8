/* SPDX-License-Identifier: MIT */
/*
 * TLB coherence: when translations go, and from which harts.
 *
 * A cursor collects what it owes and pays once, before it unlocks: entries are stored, the space's
 * word is told (space_word.c), and the harts that it names are fenced, all others in one call.  A
 * hart that holds translations of the space but does not run it sees the new generation when it
 * joins, and forgets them first.  Privileged spec, "Supervisor Memory-Management Fence
 * Instruction".
 */
#include "tlb.h"

#include "arch/arch.h"
#include "asid.h"
#include "lib/assert.h"
#include "space_word.h"

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
    struct hart_mask running;
    status_t status;

    if (cursor->owed.flush_kind == VM_FLUSH_NONE) {
        return;
    }
    if (cursor->owed.flush_kind == VM_FLUSH_SPACE || op.bytes > TLB_RANGE_MAX_BYTES) {
        op = (struct tlb_op){0};
    }
    running = space_word_dispatch(cursor->space);
    op.asid = asid_of(cursor->space); /* after the word: a hart in it runs under this one */
    if (hart_mask_has(running, hart_index())) {
        arch_tlb_flush_local(op);
    }
    status = arch_tlb_flush_remote(hart_mask_without(running, hart_index()), op);
    if (status != OK) {
        PANIC("remote fence failed: %s", status_name(status));
    }
    cursor->owed.flush_kind = VM_FLUSH_NONE;
    cursor->owed.flush = (struct va_range){0};
}
