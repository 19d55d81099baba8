/* SPDX-License-Identifier: MIT */
/*
 * Address spaces: their life, and which one a hart runs.
 *
 * Order at a switch, without ASIDs: the hart's bit is set in the new space's word, then satp is
 * written and everything flushed, then the bit leaves the old word.  So a hart is in a space's word
 * whenever it could walk the space's tables (mm/tlb.c).
 */
#include "mm/vm_space.h"

#include "arch/arch.h"
#include "kspace.h"
#include "lib/assert.h"
#include "lib/counter.h"
#include "mm/mm.h"
#include "mm/slab.h"
#include "vm_space_priv.h"

static struct slab_cache space_cache =
    SLAB_CACHE_INIT(space_cache, "vm_space", sizeof(struct vm_space));

/* Written by the hart of the index only. */
static struct vm_space *active_space[HART_MAX];

vaddr_t vm_space_user_limit(void)
{
    return (vaddr_t){pte_user_limit(arch_paging_levels())};
}

status_t vm_space_create(struct vm_space **out)
{
    struct vm_space *space = slab_alloc(&space_cache);
    status_t status;

    if (space == NULL) {
        return ERR_NOMEM;
    }
    status = pt_node_create(space, (vaddr_t){0}, arch_paging_levels() - 1, &space->root);
    if (status != OK) {
        slab_free(&space_cache, space);
        return status;
    }
    kspace_share(space->root->slots);
    list_init(&space->dead);
    /* Relaxed: nobody else knows the space yet. */
    atomic_store_explicit(&space->refs, 1, memory_order_relaxed);
    *out = space;
    return OK;
}

void vm_space_get(struct vm_space *space)
{
    /* Relaxed: the caller has a reference already. */
    uint32_t before = atomic_fetch_add_explicit(&space->refs, 1, memory_order_relaxed);

    ASSERT(before != 0 && before != UINT32_MAX);
}

void vm_space_put(struct vm_space *space)
{
    /* The last put acquires what all earlier ones released. */
    uint32_t before = atomic_fetch_sub_explicit(&space->refs, 1, memory_order_acq_rel);

    ASSERT(before != 0);
    if (before == 1) {
        ASSERT(atomic_load_explicit(&space->active, memory_order_relaxed) == 0);
        vm_reap_add(space);
    }
}

void vm_space_free(struct vm_space *space)
{
    vm_space_io_fini(space);
    slab_free(&space_cache, space);
}

void vm_space_activate(struct vm_space *space)
{
    hart_idx_t hart = hart_index();
    uint64_t bit = UINT64_C(1) << hart;
    struct vm_space *old = active_space[hart];

    if (space == old) {
        return;
    }
    if (space != NULL) {
        (void)atomic_fetch_or_explicit(&space->active, bit, memory_order_acq_rel);
        /* Orders the bit before this hart's first walk; pairs with the fence in tlb_pay. */
        atomic_thread_fence(memory_order_seq_cst);
    }
    arch_space_activate(space != NULL ? frame_pa(space->root->frame) : mm_kernel_root(), 0);
    active_space[hart] = space;
    if (old != NULL) {
        /* Release: the flush after satp is done before the bit is seen to be gone. */
        (void)atomic_fetch_and_explicit(&old->active, ~bit, memory_order_release);
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

void vm_space_release_page(struct vm_space *space, paddr_t pa, enum vm_page_kind kind)
{
    if (kind == VM_PAGE_IO) {
        vm_space_io_remove(space, pa);
        return;
    }
    frame_put(frame_of(pa));
}
