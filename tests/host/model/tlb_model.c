/* SPDX-License-Identifier: MIT */
/*
 * The TLB model.  One mutex covers all harts: tests with threads as harts stay exact, and nothing
 * here calls back into mm/.  Entries remember the slot they were read from, so that a new value for
 * the slot can be judged, and the root, so that an audit can walk again.
 */
#include "model/tlb_model.h"

#include <pthread.h>

#include "arch_host/arch_host.h"
#include "arch_host/phys_mem.h"

#define TLB_ENTRIES 512U
#define WATCH_MAX   64U

struct tlb_entry {
    bool is_leaf;
    asid_t asid;
    unsigned level;
    uint64_t va; /* first byte of the entry's extent */
    uint64_t entry;
    uint64_t slot_pa;
    uint64_t root;
};

struct hart_tlb {
    uint64_t root;
    asid_t asid;
    size_t count, victim;
    struct tlb_entry entries[TLB_ENTRIES];
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct hart_tlb tlbs[HART_MAX];
static uint64_t watched[WATCH_MAX];
static size_t watched_count;

static void tlb_lock(void)
{
    pthread_mutex_lock(&mutex);
}

static void tlb_unlock(void)
{
    pthread_mutex_unlock(&mutex);
}

static bool entry_covers(const struct tlb_entry *entry, uint64_t va)
{
    return va - entry->va < mmu_model_extent(entry->level);
}

static void tlb_drop(struct hart_tlb *tlb, size_t i)
{
    tlb->entries[i] = tlb->entries[--tlb->count];
}

static void tlb_add(struct hart_tlb *tlb, struct tlb_entry entry)
{
    if (tlb->count == TLB_ENTRIES) {
        tlb_drop(tlb, tlb->victim++ % TLB_ENTRIES);
    }
    tlb->entries[tlb->count++] = entry;
}

/* The leaf, or else the lowest pointer, that the hart holds for va; NULL if none. */
static const struct tlb_entry *tlb_find(const struct hart_tlb *tlb, uint64_t va)
{
    const struct tlb_entry *best = NULL;

    for (size_t i = 0; i < tlb->count; i++) {
        const struct tlb_entry *entry = &tlb->entries[i];

        if (entry->asid != tlb->asid || !entry_covers(entry, va)) {
            continue;
        }
        if (entry->is_leaf) {
            return entry;
        }
        if (best == NULL || entry->level < best->level) {
            best = entry;
        }
    }
    return best;
}

static void check_table_in_use(const struct mmu_walk *walk, unsigned level, uint64_t va)
{
    if (host_frame_state(walk->steps[level].entry_pa) == HOST_FRAME_FREE) {
        host_fail("a walk for %#lx reads the free frame of %#lx", va, walk->steps[level].entry_pa);
    }
}

/* Walks from what the hart holds and keeps every entry it reads.  True if *leaf is now held. */
static bool tlb_walk(struct hart_tlb *tlb, uint64_t va, struct tlb_entry *leaf)
{
    const struct tlb_entry *held = tlb_find(tlb, va);
    unsigned levels = arch_paging_levels();
    struct mmu_walk walk;

    if (held != NULL && held->is_leaf) {
        *leaf = *held;
        return true;
    }
    if (held != NULL) {
        walk = mmu_model_walk_from(mmu_model_leaf_pa(held->entry, 0, 0), held->level - 1, va);
    } else {
        walk = mmu_model_walk(tlb->root, levels, va);
    }
    if (walk.end == MMU_NOT_CANONICAL) {
        return false;
    }
    for (unsigned level = walk.first_level + 1; level-- > walk.level;) {
        bool is_end = level == walk.level;

        check_table_in_use(&walk, level, va);
        if (is_end && walk.end != MMU_LEAF) {
            return false;
        }
        *leaf = (struct tlb_entry){
            .is_leaf = is_end,
            .asid = tlb->asid,
            .level = level,
            .va = align_down(va, mmu_model_extent(level)),
            .entry = walk.steps[level].entry,
            .slot_pa = walk.steps[level].entry_pa,
            .root = tlb->root,
        };
        tlb_add(tlb, *leaf);
    }
    return true;
}

void tlb_model_activate(hart_idx_t hart, uint64_t root, asid_t asid)
{
    tlb_lock();
    tlbs[hart].root = root;
    tlbs[hart].asid = asid;
    tlb_unlock();
}

uint64_t tlb_model_root(hart_idx_t hart)
{
    return tlbs[hart].root;
}

static bool fence_drops(const struct tlb_entry *entry, struct tlb_op op)
{
    uint64_t entry_bytes = mmu_model_extent(entry->level);

    if (op.asid != 0 && entry->asid != op.asid) {
        return false;
    }
    if (op.bytes == 0) {
        return true;
    }
    return entry->is_leaf && op.va.raw < entry->va + entry_bytes &&
           entry->va < op.va.raw + op.bytes;
}

void tlb_model_fence(hart_idx_t hart, struct tlb_op op)
{
    struct hart_tlb *tlb = &tlbs[hart];

    tlb_lock();
    for (size_t i = tlb->count; i-- > 0;) {
        if (fence_drops(&tlb->entries[i], op)) {
            tlb_drop(tlb, i);
        }
    }
    tlb_unlock();
}

struct tlb_access tlb_model_access(hart_idx_t hart, uint64_t va, enum mmu_access access)
{
    struct tlb_access result = {0};
    struct tlb_entry leaf;

    tlb_lock();
    if (tlb_walk(&tlbs[hart], va, &leaf) && mmu_model_permits(leaf.entry, access, MMU_USER)) {
        result.allowed = true;
        result.pa = mmu_model_leaf_pa(leaf.entry, leaf.level, va);
        if (host_frame_state(result.pa) == HOST_FRAME_FREE) {
            host_fail("hart %u reaches the free frame %#lx at %#lx", hart, result.pa, va);
        }
    }
    tlb_unlock();
    return result;
}

void tlb_model_watch(uint64_t va)
{
    if (watched_count == WATCH_MAX) {
        host_fail("tlb_model: too many watched addresses");
    }
    watched[watched_count++] = va;
}

void tlb_model_prefetch(void)
{
    tlb_lock();
    for (hart_idx_t hart = 0; hart < HART_MAX; hart++) {
        struct tlb_entry leaf;

        for (size_t i = 0; i < watched_count && tlbs[hart].root != 0; i++) {
            (void)tlb_walk(&tlbs[hart], watched[i], &leaf);
        }
    }
    tlb_unlock();
}

static bool same_target(const struct tlb_entry *held, uint64_t entry)
{
    return mmu_model_leaf_pa(held->entry, 0, 0) == mmu_model_leaf_pa(entry, 0, 0);
}

void tlb_model_check_store(uint64_t slot_pa, uint64_t entry)
{
    tlb_lock();
    for (hart_idx_t hart = 0; hart < HART_MAX; hart++) {
        const struct hart_tlb *tlb = &tlbs[hart];

        for (size_t i = 0; i < tlb->count; i++) {
            const struct tlb_entry *held = &tlb->entries[i];

            if (held->slot_pa == slot_pa && held->root == tlb->root && held->asid == tlb->asid &&
                !same_target(held, entry)) {
                host_fail("slot %#lx gets %#lx while hart %u may still use %#lx for %#lx", slot_pa,
                          entry, hart, held->entry, held->va);
            }
        }
    }
    tlb_unlock();
}

/* True if what the hart holds is no more than the tables give now. */
static bool entry_is_current(const struct tlb_entry *held)
{
    const uint64_t rights = 0x1e; /* R W X U */
    struct mmu_walk walk = mmu_model_walk(held->root, arch_paging_levels(), held->va);
    uint64_t now = walk.steps[walk.level].entry;

    if (!held->is_leaf) {
        return walk.level < held->level && same_target(held, walk.steps[held->level].entry);
    }
    return walk.end == MMU_LEAF &&
           mmu_model_leaf_pa(now, walk.level, held->va) ==
               mmu_model_leaf_pa(held->entry, held->level, held->va) &&
           (held->entry & rights & ~now) == 0;
}

void tlb_model_audit(void)
{
    tlb_lock();
    for (hart_idx_t hart = 0; hart < HART_MAX; hart++) {
        const struct hart_tlb *tlb = &tlbs[hart];

        for (size_t i = 0; i < tlb->count; i++) {
            const struct tlb_entry *held = &tlb->entries[i];

            if (held->root == tlb->root && held->asid == tlb->asid && !entry_is_current(held)) {
                host_fail("hart %u may still use the entry %#lx of level %u for %#lx", hart,
                          held->entry, held->level, held->va);
            }
        }
    }
    tlb_unlock();
}

size_t tlb_model_count(hart_idx_t hart)
{
    return tlbs[hart].count;
}
