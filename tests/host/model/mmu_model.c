/* SPDX-License-Identifier: MIT */
/*
 * The independent walker.  The numbered comments are the steps of "Virtual Address Translation
 * Process" in the privileged spec; bit positions are those of "Sv39 page table entry" and of
 * "Svpbmt".
 */
#include "model/mmu_model.h"

#include "arch_host/phys_mem.h"

static uint64_t bits(uint64_t value, unsigned high, unsigned low)
{
    return (value >> low) & ((UINT64_C(1) << (high - low + 1)) - 1);
}

static bool bit(uint64_t value, unsigned at)
{
    return bits(value, at, at) != 0;
}

/* Names of the entry's bits by position: V R W X U G A D. */
enum {
    V = 0,
    R = 1,
    W = 2,
    X = 3,
    U = 4,
    A = 6,
    D = 7,
};

uint64_t mmu_model_extent(unsigned level)
{
    return UINT64_C(1) << (12 + 9 * level);
}

static uint64_t entry_ppn(uint64_t entry)
{
    return bits(entry, 53, 10);
}

/* Step 3, and what "Svpbmt" and "Svnapot" add: these encodings fault. */
static bool is_reserved(uint64_t entry)
{
    bool pointer = !bit(entry, R) && !bit(entry, W) && !bit(entry, X);

    if (!bit(entry, R) && bit(entry, W)) {
        return true;
    }
    if (bits(entry, 60, 54) != 0 || bit(entry, 63) || bits(entry, 62, 61) == 3) {
        return true;
    }
    return pointer && (bit(entry, U) || bit(entry, A) || bit(entry, D) || bits(entry, 62, 61) != 0);
}

struct mmu_walk mmu_model_walk_from(uint64_t table_pa, unsigned level, uint64_t va)
{
    struct mmu_walk walk = {.end = MMU_RESERVED, .first_level = level, .level = level};
    uint64_t a = table_pa; /* step 1 */

    for (;;) {
        uint64_t vpn = bits(va, 12 + 9 * level + 8, 12 + 9 * level);
        struct mmu_step *step = &walk.steps[level];

        walk.level = level;
        step->entry_pa = a + vpn * 8; /* step 2 */
        if (!phys_mem_read64(step->entry_pa, &step->entry)) {
            walk.end = MMU_NO_RAM;
            return walk;
        }
        if (!bit(step->entry, V)) { /* step 3 */
            walk.end = MMU_INVALID;
            return walk;
        }
        if (is_reserved(step->entry)) {
            return walk;
        }
        if (bit(step->entry, R) || bit(step->entry, X)) { /* step 4 */
            break;
        }
        if (level == 0) {
            return walk;
        }
        a = entry_ppn(step->entry) << 12;
        level--;
    }
    /* Step 6: a superpage whose low page-number bits are not zero is misaligned. */
    if (level > 0 && bits(walk.steps[level].entry, 10 + 9 * level - 1, 10) != 0) {
        return walk;
    }
    walk.end = MMU_LEAF;
    return walk;
}

struct mmu_walk mmu_model_walk(uint64_t root_pa, unsigned levels, uint64_t va)
{
    unsigned top = 12 + 9 * levels - 1; /* the bit that all higher ones copy */
    uint64_t above = va >> top;

    if (above != 0 && above != (~UINT64_C(0)) >> top) {
        return (struct mmu_walk){
            .end = MMU_NOT_CANONICAL, .first_level = levels - 1, .level = levels - 1};
    }
    return mmu_model_walk_from(root_pa, levels - 1, va);
}

/* Steps 5 and 7. */
bool mmu_model_permits(uint64_t leaf, enum mmu_access access, enum mmu_privilege privilege)
{
    bool right = false;

    switch (access) {
    case MMU_READ:
        right = bit(leaf, R);
        break;
    case MMU_WRITE:
        right = bit(leaf, W) && bit(leaf, D);
        break;
    case MMU_EXECUTE:
        right = bit(leaf, X);
        break;
    }
    return right && bit(leaf, A) && bit(leaf, U) == (privilege == MMU_USER);
}

/* Step 8. */
uint64_t mmu_model_leaf_pa(uint64_t leaf, unsigned level, uint64_t va)
{
    return (entry_ppn(leaf) << 12) + (va & (mmu_model_extent(level) - 1));
}

struct mmu_result mmu_model_translate(uint64_t root_pa, unsigned levels, uint64_t va,
                                      enum mmu_access access, enum mmu_privilege privilege)
{
    struct mmu_walk walk = mmu_model_walk(root_pa, levels, va);
    struct mmu_result result = {
        .end = walk.end,
        .page_bytes = mmu_model_extent(walk.level),
        .entry = walk.steps[walk.level].entry,
    };

    if (walk.end == MMU_LEAF && mmu_model_permits(result.entry, access, privilege)) {
        result.allowed = true;
        result.pa = mmu_model_leaf_pa(result.entry, walk.level, va);
    }
    return result;
}
