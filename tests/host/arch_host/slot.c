/* SPDX-License-Identifier: MIT */
/*
 * Slots on the host: every step of mm/ on an entry passes here.  Before and after a change the
 * harts of the model translate what they like; a change that the hardware rules forbid ends the
 * process: a valid leaf may not change its address in place ("Supervisor Memory-Management Fence
 * Instruction": a hart could use either), and a new translation may not be stored while a hart can
 * still use the old one.
 */
#include "arch/slot.h"

#include "arch_host/arch_host.h"
#include "arch_host/phys_mem.h"
#include "model/tlb_model.h"

#define ENTRY_VALID UINT64_C(1)
#define ENTRY_RWX   UINT64_C(0xe)

static uint64_t slot_pa(const struct pte_slot *slot)
{
    uint64_t pa = phys_mem_address(slot);

    if (host_frame_state(pa) == HOST_FRAME_FREE) {
        host_fail("a slot in the free frame of %#lx is touched", pa);
    }
    return pa;
}

static bool is_leaf(uint64_t entry)
{
    return (entry & ENTRY_VALID) != 0 && (entry & ENTRY_RWX) != 0;
}

static void before_change(uint64_t pa, uint64_t before, uint64_t after)
{
    tlb_model_prefetch();
    if (is_leaf(before) && is_leaf(after) &&
        mmu_model_leaf_pa(before, 0, 0) != mmu_model_leaf_pa(after, 0, 0)) {
        host_fail("slot %#lx goes from %#lx to %#lx without a break", pa, before, after);
    }
    if ((after & ENTRY_VALID) != 0) {
        tlb_model_check_store(pa, after);
    }
}

static void after_change(uint64_t pa, uint64_t before, uint64_t after)
{
    host_event_add(
        (struct host_event){.kind = HOST_EVENT_SLOT, .pa = pa, .before = before, .after = after});
    tlb_model_prefetch();
}

pte_t pte_slot_load(struct pte_slot *slot)
{
    (void)slot_pa(slot);
    /* Pairs with the release in pte_slot_store. */
    return (pte_t){atomic_load_explicit(&slot->raw, memory_order_acquire)};
}

void pte_slot_store(struct pte_slot *slot, pte_t entry)
{
    uint64_t pa = slot_pa(slot);
    uint64_t before = atomic_load_explicit(&slot->raw, memory_order_relaxed); /* for the checks */

    before_change(pa, before, entry.raw);
    /* Pairs with the acquire in pte_slot_load. */
    atomic_store_explicit(&slot->raw, entry.raw, memory_order_release);
    after_change(pa, before, entry.raw);
}

pte_t pte_slot_exchange(struct pte_slot *slot, pte_t entry)
{
    uint64_t pa = slot_pa(slot);
    uint64_t before = atomic_load_explicit(&slot->raw, memory_order_relaxed); /* for the checks */

    before_change(pa, before, entry.raw);
    /* Pairs with pte_slot_load and pte_slot_store. */
    before = atomic_exchange_explicit(&slot->raw, entry.raw, memory_order_acq_rel);
    after_change(pa, before, entry.raw);
    return (pte_t){before};
}

bool pte_slot_replace(struct pte_slot *slot, pte_t *seen, pte_t entry)
{
    uint64_t pa = slot_pa(slot);
    uint64_t before = seen->raw;

    before_change(pa, before, entry.raw);
    /* Pairs with pte_slot_load and pte_slot_store. */
    if (!atomic_compare_exchange_strong_explicit(&slot->raw, &seen->raw, entry.raw,
                                                 memory_order_acq_rel, memory_order_acquire)) {
        return false;
    }
    after_change(pa, before, entry.raw);
    return true;
}
