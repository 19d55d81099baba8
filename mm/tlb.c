/* SPDX-License-Identifier: MIT */
/*
 * Coherence: when translations and instructions go, and from which harts.
 *
 * Entries are stored, the space's word is told (space_word.c), and the harts that it names are
 * fenced: this one by an instruction, all others in one call.  A hart that holds translations of
 * the space but does not run it sees the new generation when it joins, and forgets them first.
 * Privileged spec, "Supervisor Memory-Management Fence Instruction".
 *
 * A remote fence that the firmware refuses is asked for once more in the form that nothing can be
 * wrong with, all addresses and all identifiers.  If that is refused too the machine stops: what
 * was owed is memory that other harts may still write to (docs/decisions/0010).
 */
#include "tlb.h"

#include "arch/arch.h"
#include "asid.h"
#include "lib/assert.h"
#include "lib/hart.h"
#include "space_word.h"

static void fence_others(struct hart_mask harts, struct tlb_op op)
{
    status_t status = arch_tlb_flush_remote(harts, op);

    if (status != OK) {
        status = arch_tlb_flush_remote(harts, (struct tlb_op){0});
    }
    if (status != OK) {
        PANIC("remote fence failed: %s", status_name(status));
    }
}

void tlb_flush(struct vm_space *space, struct va_range pages)
{
    struct tlb_op op = {.va = pages.start, .bytes = pages.end.raw - pages.start.raw};
    struct hart_mask running = space_word_dispatch(space);

    op.asid = asid_of(space); /* after the word: a hart in it runs under this one */
    if (hart_mask_has(running, hart_index())) {
        arch_tlb_flush_local(op);
    }
    fence_others(hart_mask_without(running, hart_index()), op);
}

status_t vm_space_icache_sync(struct vm_space *space)
{
    uint64_t generation;
    struct hart_mask running = space_word_dispatch_code(space, &generation);
    status_t status;

    if (hart_mask_is_empty(running)) {
        return OK; /* whoever joins will notice */
    }
    status = arch_icache_sync(hart_mask_without(running, hart_index()));
    space_word_code_seen(space, hart_index(), generation);
    return status;
}

void tlb_sync_code(struct vm_space *space)
{
    status_t status = vm_space_icache_sync(space);

    if (status != OK) {
        PANIC("remote fence.i failed: %s", status_name(status));
    }
}
