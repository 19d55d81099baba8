/* SPDX-License-Identifier: MIT */
/* Experiments with satp and with one entry (try.h), by accesses that may fault (extable.h). */
#include "try.h"

#include "csr.h"
#include "extable.h"

bool try_satp(uint64_t wanted)
{
    uint64_t before = csr_read(satp);
    bool taken;

    csr_write(satp, wanted);
    try_flush();
    taken = csr_read(satp) == wanted;
    csr_write(satp, before);
    try_flush();
    return taken;
}

/* Ones written to the ASID field of a valid satp; implemented bits stick. */
unsigned try_asid_bits(void)
{
    uint64_t before = csr_read(satp);
    uint64_t stuck;

    csr_write(satp, before | SATP_ASID_MASK);
    stuck = (csr_read(satp) & SATP_ASID_MASK) >> SATP_ASID_SHIFT;
    csr_write(satp, before);
    try_flush();

    unsigned bits = 0;

    while ((stuck >> bits & 1) != 0) { /* low bits come first */
        bits++;
    }
    return bits;
}

void try_place(const struct try_page *page, uint64_t clear, uint64_t set)
{
    pte_t entry = pte_make_leaf((struct pte_leaf){.pa = page->pa, .prot = VM_RW});

    entry.raw = (entry.raw & ~clear) | set;
    pte_slot_store(page->slot, entry);
    try_flush();
}

static enum try_update update_of(bool went_through, const struct try_page *page, uint64_t bit)
{
    if (!went_through) {
        return TRY_UPDATE_FAULT;
    }
    return (pte_slot_load(page->slot).raw & bit) != 0 ? TRY_UPDATE_HARDWARE : TRY_UPDATE_NEVER;
}

enum try_update try_accessed(const struct try_page *page)
{
    uint64_t value;

    try_place(page, PTE_A | PTE_D, 0);
    return update_of(probe_load_u64(page->va, &value), page, PTE_A);
}

enum try_update try_dirty(const struct try_page *page)
{
    try_place(page, PTE_D, 0);
    return update_of(probe_store_u64(page->va, 0), page, PTE_D);
}

const char *try_update_name(enum try_update update)
{
    switch (update) {
    case TRY_UPDATE_HARDWARE:
        return "set by hardware";
    case TRY_UPDATE_FAULT:
        return "page fault";
    case TRY_UPDATE_NEVER:
        return "ignored";
    }
    return "?";
}
