/* SPDX-License-Identifier: MIT */
/*
 * Where an address leads in a table, level by level, for people to read.  The table may be broken,
 * so every entry is fetched by a load that may fault.
 */
#include "arch/arch.h"
#include "arch/pte.h"
#include "csr.h"
#include "extable.h"
#include "lib/log.h"

static const char *kind_name(enum pte_kind kind)
{
    switch (kind) {
    case PTE_ABSENT:
        return "nothing";
    case PTE_DYING:
        return "dying";
    case PTE_MARK:
        return "mark";
    case PTE_HIDDEN:
        return "hidden";
    case PTE_TABLE:
        return "table";
    case PTE_LEAF:
        return "leaf";
    case PTE_UNKNOWN:
        return "reserved encoding";
    }
    return "?";
}

static void print_leaf(pte_t entry)
{
    static const char letters[] = "DAGUXWRV"; /* bits 7:0, the highest first */
    char flags[sizeof(letters)];

    for (unsigned i = 0; i < sizeof(letters) - 1; i++) {
        flags[i] = (entry.raw >> (7 - i) & 1) != 0 ? letters[i] : '-';
    }
    flags[sizeof(letters) - 1] = '\0';
    log_printf(" %s", flags);
}

/* True if the walk goes on in *node. */
static bool print_level(unsigned level, vaddr_t va, paddr_t *node)
{
    paddr_t slot = paddr_add(*node, pte_index(va, level) * sizeof(uint64_t));
    pte_t entry;
    enum pte_kind kind;

    log_printf("  level %u [%3u] at 0x%010lx: ", level, pte_index(va, level), slot.raw);
    if (!probe_load_u64((uint64_t)(uintptr_t)arch_phys_to_virt(slot), &entry.raw)) {
        log_printf("cannot be read\n");
        return false;
    }
    kind = pte_kind(entry, level);
    log_printf("0x%016lx %s", entry.raw, kind_name(kind));
    if (kind == PTE_LEAF) {
        print_leaf(entry);
    }
    if (kind == PTE_LEAF || kind == PTE_TABLE) {
        log_printf(" -> 0x%lx", pte_pa(entry).raw);
    }
    log_printf("\n");
    *node = pte_pa(entry);
    return kind == PTE_TABLE;
}

void arch_print_walk(paddr_t root, vaddr_t va)
{
    unsigned levels = satp_levels(csr_read(satp));
    paddr_t node = root;

    log_printf("walk of 0x%016lx from root 0x%lx, Sv%u%s:\n", va.raw, root.raw, pte_va_bits(levels),
               pte_va_is_canonical(va, levels) ? "" : " (not canonical)");
    for (unsigned level = levels; level-- > 0;) {
        if (!print_level(level, va, &node)) {
            return;
        }
    }
}
