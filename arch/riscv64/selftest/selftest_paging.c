/* SPDX-License-Identifier: MIT */
/* Checks of paging and of single accesses: modes, identifiers, A and D, high bits, alignment. */
#include "arch/arch.h"
#include "boot.h"
#include "csr.h"
#include "extable.h"
#include "selftest.h"
#include "try.h"

#define ROUNDS         16U
#define HIGH_BIT_FIRST 54U
#define HIGH_BIT_LAST  63U
#define TOP_LEVEL      2U /* of the node that is the root in Sv39 */

static struct try_page page_of(const struct selftest *test)
{
    return (struct try_page){&test->slots[0], SELFTEST_VA, test->frames[0]};
}

/* The node of that level on the way to the last address; all modes can share it. */
static paddr_t top_node(unsigned level)
{
    paddr_t node = arch_active_root();

    for (unsigned at = arch_paging_levels() - 1; at > level; at--) {
        struct pte_slot *slots = arch_phys_to_virt(node);

        node = pte_pa(pte_slot_load(&slots[PTE_ENTRIES - 1]));
    }
    return node;
}

/* A root with that many levels whose last addresses are the kernel's. */
static paddr_t root_of(const struct selftest *test, unsigned levels)
{
    unsigned have = arch_paging_levels();
    paddr_t root = top_node(levels - 1 < have - 1 ? levels - 1 : have - 1);

    for (unsigned i = 0; i + have < levels; i++) {
        struct pte_slot *slots = test->roots[i];

        pte_slot_store(&slots[PTE_ENTRIES - 1], pte_make_table(root));
        root = arch_virt_to_phys(slots);
    }
    return root;
}

void selftest_modes(struct selftest *test, struct selftest_found *found, unsigned arg)
{
    bool has_ours = false;

    (void)arg;
    for (unsigned levels = TOP_LEVEL + 1; levels <= PTE_LEVELS_MAX; levels++) {
        if (try_satp(satp_make(levels, root_of(test, levels).raw, 0))) {
            selftest_add(found, "%s%s", found->value[0] != '\0' ? " " : "",
                         paging_mode_name(levels));
            has_ours = has_ours || levels == arch_paging_levels();
        }
    }
    found->verdict = has_ours ? SELFTEST_GOOD : SELFTEST_WRONG;
}

void selftest_asids(struct selftest *test, struct selftest_found *found, unsigned arg)
{
    unsigned bits = try_asid_bits();

    (void)test;
    (void)arg;
    selftest_say(found, bits >= arch_asid_bits() ? SELFTEST_GOOD : SELFTEST_WRONG, "%u", bits);
}

void selftest_update(struct selftest *test, struct selftest_found *found, unsigned arg)
{
    struct try_page page = page_of(test);
    enum try_update update =
        arg == SELFTEST_UPDATE_ACCESSED ? try_accessed(&page) : try_dirty(&page);

    selftest_say(found, update == TRY_UPDATE_NEVER ? SELFTEST_WRONG : SELFTEST_GOOD, "%s",
                 try_update_name(update));
}

void selftest_high_bits(struct selftest *test, struct selftest_found *found, unsigned arg)
{
    /* The second frame: the first one's address could be that of a 64 KiB page, with bit 63. */
    struct try_page page = {&test->slots[0], SELFTEST_VA, test->frames[1]};
    uint64_t value;
    unsigned faults = 0;

    (void)arg;
    selftest_say(found, SELFTEST_FACT, "a load faults with");
    for (unsigned bit = HIGH_BIT_FIRST; bit <= HIGH_BIT_LAST; bit++) {
        try_place(&page, 0, UINT64_C(1) << bit);
        if (!probe_load_u64(page.va, &value)) {
            selftest_add(found, " %u", bit);
            faults++;
        }
    }
    if (faults == 0) {
        selftest_add(found, " none");
    }
}

static bool misaligned_load(uint64_t va)
{
    uint64_t value;

    return probe_load_u64(va, &value);
}

static bool misaligned_store(uint64_t va)
{
    return probe_store_u64(va, 0);
}

static bool misaligned_add(uint64_t va)
{
    return probe_add_u64(va, 0);
}

void selftest_misaligned(struct selftest *test, struct selftest_found *found, unsigned arg)
{
    static bool (*const accesses[])(uint64_t va) = {
        [SELFTEST_MISALIGNED_LOAD] = misaligned_load,
        [SELFTEST_MISALIGNED_STORE] = misaligned_store,
        [SELFTEST_MISALIGNED_AMO] = misaligned_add,
    };
    struct try_page page = page_of(test);
    uint64_t least = UINT64_MAX;
    uint64_t start;
    uint64_t end;

    try_place(&page, 0, 0);
    if (!accesses[arg](page.va + 1)) {
        selftest_say(found, SELFTEST_FACT, "faults");
        return;
    }
    for (unsigned i = 0; i < ROUNDS && selftest_cycles(&start); i++) {
        (void)accesses[arg](page.va + 1);
        if (selftest_cycles(&end) && end - start < least) {
            least = end - start;
        }
    }
    if (least == UINT64_MAX) {
        selftest_say(found, SELFTEST_FACT, "works, cycles not known: rdcycle traps");
    } else {
        selftest_say(found, SELFTEST_FACT, "works, %lu cycles", least);
    }
}
