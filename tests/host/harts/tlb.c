/* SPDX-License-Identifier: MIT */
/*
 * The harts' TLBs.  One mutex a hart: an access and a fence of another hart come one after the
 * other, as an instruction and the firmware's interrupt do.  So a fence that is forgotten is seen
 * in two ways: the access meets a frame that is marked free, or the sanitizer finds that it is not
 * ordered before the frame's next life.
 */
#include "harts/tlb.h"

#include <pthread.h>
#include <stdatomic.h>

#include "arch/arch.h"
#include "arch/pte.h"
#include "arch/slot.h"
#include "arch_host/phys_mem.h"
#include "harts/harts.h"
#include "harts/wrap.h"

#define TLB_ENTRIES 64U
#define RAM_BASE    UINT64_C(0x80000000)
#define RAM_FRAMES  (2 * GIB / PAGE_SIZE) /* the most that harts_ram_set is given */

struct tlb_entry {
    bool is_valid;
    asid_t asid;
    uint64_t page;
    pte_t leaf;
};

static struct hart_tlb {
    pthread_mutex_t mutex;
    paddr_t root;
    asid_t asid;
    struct tlb_entry entries[TLB_ENTRIES];
} tlbs[HART_MAX];

/* Set while the allocator has the frame.  Relaxed: a program that meets a set one is in the wrong
 * whenever that was; one that does not is the sanitizer's to judge. */
static _Atomic(bool) is_free[RAM_FRAMES];

void tlbs_begin(void)
{
    for (hart_idx_t hart = 0; hart < HART_MAX; hart++) {
        EXPECT(pthread_mutex_init(&tlbs[hart].mutex, NULL) == 0);
    }
}

static void mark(uint64_t pa, uint64_t bytes, bool free)
{
    for (uint64_t i = (pa - RAM_BASE) / PAGE_SIZE; i < (pa - RAM_BASE + bytes) / PAGE_SIZE; i++) {
        atomic_store_explicit(&is_free[i], free, memory_order_relaxed);
    }
}

static void check_in_use(paddr_t pa)
{
    EXPECT(!atomic_load_explicit(&is_free[(pa.raw - RAM_BASE) / PAGE_SIZE], memory_order_relaxed));
}

/* What the tables say of a page, as a walker of this hart reads them: of a large leaf, the part. */
static pte_t walk(const struct hart_tlb *tlb, vaddr_t va)
{
    paddr_t table = tlb->root;

    for (unsigned level = arch_paging_levels() - 1;; level--) {
        const struct pte_slot *slots = phys_mem_pointer(table.raw);
        pte_t entry;

        check_in_use(table);
        /* Acquire: a walker reads what an entry points to after the entry. */
        entry.raw = atomic_load_explicit(&slots[pte_index(va, level)].raw, memory_order_acquire);
        pause_maybe();
        if (level > 0 && pte_kind(entry, level) == PTE_LEAF) {
            return pte_leaf_part(entry, va.raw % pte_level_bytes(level) / PAGE_SIZE, PAGE_SIZE);
        }
        if (level == 0 || pte_kind(entry, level) != PTE_TABLE) {
            return entry;
        }
        table = pte_pa(entry);
    }
}

/* The word at va, if the hart's translation permits the access.  The mutex is held. */
static _Atomic(uint64_t) *translate(struct hart_tlb *tlb, vaddr_t va, enum vm_prot right)
{
    uint64_t page = va.raw / PAGE_SIZE;
    struct tlb_entry *entry = &tlb->entries[(page + tlb->asid * UINT64_C(7)) % TLB_ENTRIES];

    if (tlb->root.raw == 0) {
        return NULL;
    }
    if (!entry->is_valid || entry->asid != tlb->asid || entry->page != page) {
        pte_t leaf = walk(tlb, va);

        if (pte_kind(leaf, 0) != PTE_LEAF) {
            return NULL;
        }
        *entry = (struct tlb_entry){true, tlb->asid, page, leaf};
    }
    if ((pte_prot(entry->leaf) & right) == 0) {
        return NULL;
    }
    check_in_use(pte_pa(entry->leaf));
    return phys_mem_pointer(pte_pa(entry->leaf).raw);
}

bool program_load(vaddr_t va, uint64_t *word)
{
    struct hart_tlb *tlb = &tlbs[hart_index()];
    _Atomic(uint64_t) *at;

    (void)pthread_mutex_lock(&tlb->mutex);
    at = translate(tlb, va, VM_R);
    if (at != NULL) {
        *word = atomic_load_explicit(at, memory_order_relaxed); /* a program's own affair */
    }
    (void)pthread_mutex_unlock(&tlb->mutex);
    return at != NULL;
}

bool program_store(vaddr_t va, uint64_t word)
{
    struct hart_tlb *tlb = &tlbs[hart_index()];
    _Atomic(uint64_t) *at;

    (void)pthread_mutex_lock(&tlb->mutex);
    at = translate(tlb, va, VM_W);
    if (at != NULL) {
        atomic_store_explicit(at, word, memory_order_relaxed); /* likewise */
    }
    (void)pthread_mutex_unlock(&tlb->mutex);
    return at != NULL;
}

/* ---- effects of arch/arch.h and arch/frame_watch.h, in the place of arch_host's ---- */

static void fence(hart_idx_t hart, struct tlb_op op)
{
    struct hart_tlb *tlb = &tlbs[hart];

    pause_maybe();
    (void)pthread_mutex_lock(&tlb->mutex);
    for (unsigned i = 0; i < TLB_ENTRIES; i++) {
        struct tlb_entry *entry = &tlb->entries[i];
        uint64_t va = entry->page * PAGE_SIZE;

        if ((op.asid == 0 || op.asid == entry->asid) &&
            (op.bytes == 0 || va - op.va.raw < op.bytes)) {
            entry->is_valid = false;
        }
    }
    (void)pthread_mutex_unlock(&tlb->mutex);
}

void flush_local(struct tlb_op op) WRAP_OF(arch_tlb_flush_local);
void flush_local(struct tlb_op op)
{
    fence(hart_index(), op);
}

status_t flush_remote(struct hart_mask harts, struct tlb_op op) WRAP_OF(arch_tlb_flush_remote);
status_t flush_remote(struct hart_mask harts, struct tlb_op op)
{
    for (hart_idx_t hart = 0; hart < HART_MAX; hart++) {
        if (hart_mask_has(harts, hart)) {
            fence(hart, op);
        }
    }
    return OK;
}

void host_space_activate(paddr_t root, asid_t asid) REAL_OF(arch_space_activate);
void space_activate(paddr_t root, asid_t asid) WRAP_OF(arch_space_activate);
void space_activate(paddr_t root, asid_t asid)
{
    struct hart_tlb *tlb = &tlbs[hart_index()];

    pause_maybe();
    (void)pthread_mutex_lock(&tlb->mutex);
    tlb->root = root;
    tlb->asid = asid;
    (void)pthread_mutex_unlock(&tlb->mutex);
    host_space_activate(root, asid); /* keeps the record that arch_host has */
    pause_maybe();
}

void frames_freed(uint64_t pa, uint64_t bytes) WRAP_OF(host_frames_freed);
void frames_freed(uint64_t pa, uint64_t bytes)
{
    mark(pa, bytes, true);
    pause_maybe();
}

void frames_taken(uint64_t pa, uint64_t bytes) WRAP_OF(host_frames_taken);
void frames_taken(uint64_t pa, uint64_t bytes)
{
    mark(pa, bytes, false);
}
