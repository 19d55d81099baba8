/* SPDX-License-Identifier: MIT */
/*
 * Finding out by trying what no register tells and the tree may tell wrongly: paging modes, width
 * of ASIDs, who sets A and D, memory types, cbo.zero, stimecmp, what reading the clock costs.  Each
 * hart is tried for itself, because harts of one machine may differ.
 *
 * Experiments with entries use one page of the early tables (BOOT_PROBE_VA) and the accesses of
 * user_copy.S that may fault.
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

static void flush(void)
{
    __asm__ volatile("sfence.vma" ::: "memory");
}

/* All early roots agree where this code and its stack are, so trying a mode moves nothing. */
static bool try_levels(unsigned levels)
{
    uint64_t before = csr_read(satp);
    uint64_t wanted = satp_make(levels, boot_map_root(levels).raw, 0);
    bool taken;

    csr_write(satp, wanted);
    flush();
    taken = csr_read(satp) == wanted;
    csr_write(satp, before);
    flush();
    return taken;
}

/* Ones written to the ASID field of a valid satp; implemented bits stick. */
static unsigned count_asid_bits(void)
{
    uint64_t before = csr_read(satp);
    uint64_t stuck;

    csr_write(satp, before | SATP_ASID_MASK);
    stuck = (csr_read(satp) & SATP_ASID_MASK) >> SATP_ASID_SHIFT;
    csr_write(satp, before);
    flush();

    unsigned bits = 0;

    while ((stuck >> bits & 1) != 0) { /* low bits come first */
        bits++;
    }
    return bits;
}

static unsigned accepted_modes(void)
{
    unsigned accepted = 0;

    for (unsigned levels = 3; levels <= PTE_LEVELS_MAX; levels++) {
        accepted |= try_levels(levels) ? 1U << levels : 0;
    }
    return accepted;
}

/* Puts an entry for the scratch page in place: the usual one, without `clear`, with `set`. */
static struct pte_slot *place_entry(uint64_t clear, uint64_t set)
{
    struct pte_slot *slot = boot_map_probe_slot();
    pte_t entry =
        pte_make_leaf((struct pte_leaf){.pa = image_to_phys(scratch_page), .prot = VM_RW});

    entry.raw = (entry.raw & ~clear) | set;
    pte_slot_store(slot, entry);
    flush();
    return slot;
}

static enum boot_update update_of(bool went_through, pte_t after, uint64_t bit)
{
    if (!went_through) {
        return BOOT_UPDATE_FAULT;
    }
    return (after.raw & bit) != 0 ? BOOT_UPDATE_HARDWARE : BOOT_UPDATE_NEVER;
}

static void probe_update(struct hart_facts *facts)
{
    uint64_t value;
    struct pte_slot *slot = place_entry(PTE_A | PTE_D, 0);
    bool loaded = probe_load_u64(BOOT_PROBE_VA, &value);

    facts->accessed = update_of(loaded, pte_slot_load(slot), PTE_A);
    slot = place_entry(PTE_D, 0);

    bool stored = probe_store_u64(BOOT_PROBE_VA, 0);

    facts->dirty = update_of(stored, pte_slot_load(slot), PTE_D);
}

static bool memory_type_works(void)
{
    uint64_t value;

    (void)place_entry(0, (uint64_t)VM_MEM_NC << PTE_PBMT_SHIFT);
    return probe_load_u64(BOOT_PROBE_VA, &value);
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

    *facts = (struct hart_facts){
        .accepted = accepted_modes(),
        .asid_bits = count_asid_bits(),
        .noadhw = switch_updates_off(),
        .fences = fences_of(sbi_core()),
        .has_stimecmp = (isa & MACHINE_ISA_SSTC) != 0 && probe_stimecmp(UINT64_MAX),
        .zero_block = (isa & MACHINE_ISA_ZICBOZ) != 0 ? measure_zero_block() : 0,
    };
    probe_update(facts);
    facts->has_svpbmt = (isa & MACHINE_ISA_SVPBMT) != 0 && memory_type_works();
    pte_slot_store(boot_map_probe_slot(), pte_absent());
    flush();
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
