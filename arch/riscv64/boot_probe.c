/* SPDX-License-Identifier: MIT */
/*
 * Finding out by trying what no register tells and the tree may tell wrongly: paging modes, width
 * of ASIDs, who sets A and D, memory types, cbo.zero, stimecmp, what reading the clock costs.  Each
 * hart is tried for itself, because harts of one machine may differ.
 *
 * Experiments with entries (try.h) use one page of the early tables, BOOT_PROBE_VA.
 */
#include "arch/machine.h"
#include "arch/pte.h"
#include "boot.h"
#include "boot_map.h"
#include "csr.h"
#include "extable.h"
#include "image.h"
#include "lib/string.h"
#include "sbi.h"

#define COST_ROUNDS   64U

#define VENDOR_SIFIVE 0x489U
#define ARCH_U7       UINT64_C(0x8000000000000007)
#define CIP_1200_LAST 0x200630U
#define CIP_1200_NOT  UINT64_C(0x1200626)
#define CIP_1200_MIMP 0xffffffU

static _Alignas(4096) unsigned char scratch_page[PAGE_SIZE];

/* All early roots agree where this code and its stack are, so trying a mode moves nothing. */
static unsigned accepted_modes(void)
{
    unsigned accepted = 0;

    for (unsigned levels = 3; levels <= PTE_LEVELS_MAX; levels++) {
        accepted |= try_satp(satp_make(levels, boot_map_root(levels).raw, 0)) ? 1U << levels : 0;
    }
    return accepted;
}

static bool memory_type_works(const struct try_page *page)
{
    uint64_t value;

    try_place(page, 0, (uint64_t)VM_MEM_NC << PTE_PBMT_SHIFT);
    return probe_load_u64(page->va, &value);
}

/* How many bytes one cbo.zero clears; 0 if it does not do what it should. */
static uint64_t measure_zero_block(void)
{
    uint64_t cleared = 0;

    memset(scratch_page, 0xff, sizeof(scratch_page));
    if (!probe_zero_block(scratch_page)) {
        return 0;
    }
    while (cleared < sizeof(scratch_page) && scratch_page[cleared] == 0) {
        cleared++;
    }
    for (uint64_t i = cleared; i < sizeof(scratch_page); i++) {
        if (scratch_page[i] != 0xff) {
            return 0;
        }
    }
    return (cleared & (cleared - 1)) == 0 ? cleared : 0;
}

/* Linux's test for SiFive's erratum CIP-1200, and the U7 cores where nobody has tried yet. */
static enum boot_fences fences_of(struct sbi_core core)
{
    if (core.mvendorid != VENDOR_SIFIVE || (core.marchid != ARCH_U7 && core.marchid != 1)) {
        return BOOT_FENCES_GOOD;
    }
    return (core.mimpid & CIP_1200_MIMP) <= CIP_1200_LAST && core.mimpid != CIP_1200_NOT
               ? BOOT_FENCES_CIP_1200
               : BOOT_FENCES_UNTRIED;
}

static enum boot_noadhw switch_updates_off(void)
{
    if (!machine_cmdline_has(machine_get(), "noadhw")) {
        return BOOT_NOADHW_NOT_ASKED;
    }
    return sbi_hardware_updates_off() == OK ? BOOT_NOADHW_DONE : BOOT_NOADHW_REFUSED;
}

void boot_probe_hart(struct hart_facts *facts)
{
    uint32_t isa = machine_get()->isa;
    struct try_page page = {boot_map_probe_slot(), BOOT_PROBE_VA, image_to_phys(scratch_page)};

    *facts = (struct hart_facts){
        .accepted = accepted_modes(),
        .asid_bits = try_asid_bits(),
        .noadhw = switch_updates_off(),
        .fences = fences_of(sbi_core()),
        .has_stimecmp = (isa & MACHINE_ISA_SSTC) != 0 && probe_stimecmp(UINT64_MAX),
        .zero_block = (isa & MACHINE_ISA_ZICBOZ) != 0 ? measure_zero_block() : 0,
    };
    facts->accessed = try_accessed(&page);
    facts->dirty = try_dirty(&page);
    facts->has_svpbmt = (isa & MACHINE_ISA_SVPBMT) != 0 && memory_type_works(&page);
    pte_slot_store(page.slot, pte_absent());
    try_flush();
}

void boot_facts_merge(struct hart_facts *all, const struct hart_facts *other)
{
    all->accepted &= other->accepted;
    all->asid_bits = other->asid_bits < all->asid_bits ? other->asid_bits : all->asid_bits;
    all->fences = other->fences > all->fences ? other->fences : all->fences;
    all->has_svpbmt = all->has_svpbmt && other->has_svpbmt;
    all->has_stimecmp = all->has_stimecmp && other->has_stimecmp;
    all->zero_block = all->zero_block == other->zero_block ? all->zero_block : 0;
}

void boot_probe_costs(struct boot_facts *facts)
{
    uint64_t start;
    uint64_t value;

    facts->cycle_readable = probe_cycle(&start);
    if (!facts->cycle_readable) {
        return;
    }
    start = csr_read(cycle);
    for (unsigned i = 0; i < COST_ROUNDS; i++) {
        value = csr_read(time);
    }
    facts->time_cost = (csr_read(cycle) - start) / COST_ROUNDS;
    start = csr_read(cycle);
    for (unsigned i = 0; i < COST_ROUNDS; i++) {
        value = csr_read(cycle);
    }
    facts->cycle_cost = (csr_read(cycle) - start) / COST_ROUNDS;
    (void)value;
}
