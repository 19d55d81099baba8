/* SPDX-License-Identifier: MIT */
/*
 * Address spaces: their life, and which one a hart runs.
 *
 * Order at a switch, whoever switches to whatever:
 *   1. join the new space's word: from here on its dispatches fence this hart too;
 *   2. forget what is stale of the new space (with identifiers);
 *   3. satp;
 *   4. forget everything (without identifiers);
 *   5. leave the old space's word.
 * A fence.i that is due is done on the way: nothing of the space is executed before the return.
 * So a hart is in a space's word whenever it could walk the space's tables (mm/tlb.c).
 */
#include "mm/vm_space.h"

#include "arch/arch.h"
#include "asid.h"
#include "kspace.h"
#include "lib/assert.h"
#include "lib/counter.h"
#include "mm/mm.h"
#include "mm/slab.h"
#include "reclaim.h"
#include "space_word.h"
#include "vm_fault_priv.h"
#include "vm_space_priv.h"

static struct slab_cache space_cache =
    SLAB_CACHE_INIT(space_cache, "vm_space", sizeof(struct vm_space));

/* Written by the hart of the index only. */
static struct vm_space *active_space[HART_MAX];

vaddr_t vm_space_user_limit(void)
{
    return (vaddr_t){pte_user_limit(arch_paging_levels())};
}

status_t vm_space_create(struct vm_budget *budget, struct vm_space **out)
{
    struct vm_space *space = slab_alloc(&space_cache);
    status_t status;

    if (space == NULL) {
        return ERR_NOMEM;
    }
    space->budget = budget;
    status = pt_node_create(space, (vaddr_t){0}, arch_paging_levels() - 1, &space->root);
    if (status != OK) {
        slab_free(&space_cache, space);
        return status;
    }
    pt_node_fill(space->root, pte_absent());
    kspace_share(space->root->slots);
    vm_budget_get(budget);
    /* Relaxed: nobody else knows the space yet. */
    shared_store(&space->refs, 1, memory_order_relaxed);
    *out = space;
    return OK;
}

void vm_space_get(struct vm_space *space)
{
    /* Relaxed: the caller has a reference already. */
    uint64_t before = shared_fetch_add(&space->refs, 1, memory_order_relaxed);

    ASSERT(before != 0);
}

void vm_space_put(struct vm_space *space)
{
    /* The last put acquires what all earlier ones released. */
    uint64_t before = shared_fetch_add(&space->refs, UINT64_MAX, memory_order_acq_rel);

    ASSERT(before != 0);
    if (before == 1) {
        ASSERT(!space_word_is_running(space));
        reclaim_park(space->root);
    }
}

static paddr_t root_of(const struct vm_space *space)
{
    return space != NULL ? frame_pa(space->root->frame) : mm_kernel_root();
}

void vm_space_free(struct vm_space *space)
{
    vm_space_io_fini(space);
    vm_space_stock_fini(space);
    ASSERT(vm_space_charged(space) == 0);
    vm_budget_put(space->budget);
    slab_free(&space_cache, space);
}

/* Without identifiers: satp, then a flush of everything, before anything else is done. */
static void switch_flushing(struct vm_space *space, hart_idx_t hart)
{
    struct missed missed = {0};

    if (space != NULL) {
        missed = space_word_join(space, hart);
    }
    arch_space_activate(root_of(space), 0);
    arch_tlb_flush_local((struct tlb_op){0});
    if (missed.code) {
        arch_icache_sync_local();
    }
}

/* With identifiers: what this hart must forget goes while another identifier is current; the other
 * way round speculation could use the stale entries in between. */
static void switch_tagged(struct vm_space *space, hart_idx_t hart)
{
    if (space == NULL) {
        arch_space_activate(root_of(NULL), 0);
        asid_settle(hart, NULL);
        return;
    }
    asid_announce(hart, space);
    struct missed missed = space_word_join(space, hart);
    asid_t asid = asid_of(space);

    if (asid_take_flush(hart)) {
        arch_tlb_flush_local((struct tlb_op){0});
    } else if (missed.translations) {
        arch_tlb_flush_local((struct tlb_op){.asid = asid});
    }
    if (missed.code) {
        arch_icache_sync_local();
    }
    arch_space_activate(root_of(space), asid);
    asid_settle(hart, space);
}

void vm_space_activate(struct vm_space *space)
{
    hart_idx_t hart = hart_index();
    struct vm_space *old = active_space[hart];

    if (space == old) {
        return;
    }
    if (asid_is_used()) {
        switch_tagged(space, hart);
    } else {
        switch_flushing(space, hart);
    }
    active_space[hart] = space;
    vm_fault_start_anew(hart);
    if (old != NULL) {
        space_word_leave(old, hart);
    }
    counter_add(COUNTER_space_switches, 1);
}

struct vm_space *vm_space_active(void)
{
    return active_space[hart_index()];
}

paddr_t vm_space_root(const struct vm_space *space)
{
    return frame_pa(space->root->frame);
}

struct vm_budget *vm_space_budget(const struct vm_space *space)
{
    return space->budget;
}
