/* SPDX-License-Identifier: MIT */
/*
 * The upper half: one set of tables, shared by the roots of all address spaces.
 *
 * The entries of the root are fixed before the first space is made, because they are copied into
 * each root; nodes below them are only ever added.  Everything here is global and present for good,
 * so nothing is ever flushed.  Privileged spec, "Sv39" (global mappings).
 */
#include "kspace.h"

#include "arch/arch.h"
#include "arch/layout.h"
#include "lib/assert.h"
#include "mm/mm.h"

static kspace_node_source node_source; /* (c) after boot */
static paddr_t root_pa;                /* (c) after kspace_init */

static struct pte_slot *slots_of(paddr_t node)
{
    return arch_phys_to_virt(node);
}

status_t kspace_init(kspace_node_source source)
{
    node_source = source;
    return node_source(&root_pa) == NULL ? ERR_NOMEM : OK;
}

void kspace_set_source(kspace_node_source source)
{
    node_source = source;
}

/* The slot of `level` that translates va, with nodes made where they miss; NULL: no memory. */
static struct pte_slot *slot_for(vaddr_t va, unsigned level)
{
    struct pte_slot *slots = slots_of(root_pa);

    for (unsigned at = arch_paging_levels() - 1; at > level; at--) {
        struct pte_slot *slot = &slots[pte_index(va, at)];
        pte_t entry = pte_slot_load(slot);
        paddr_t node;

        if (pte_kind(entry, at) == PTE_TABLE) {
            slots = slots_of(pte_pa(entry));
            continue;
        }
        ASSERT_FMT(entry.raw == 0, "va=%lx is mapped", (unsigned long)va.raw);
        slots = node_source(&node);
        if (slots == NULL) {
            return NULL;
        }
        pte_slot_store(slot, pte_make_table(node));
    }
    return &slots[pte_index(va, level)];
}

status_t kspace_reserve(vaddr_t va)
{
    return slot_for(va, 1) == NULL ? ERR_NOMEM : OK;
}

/* Highest level whose page starts at va and pa and is no longer than the rest. */
static unsigned level_for(const struct kspace_mapping *mapping)
{
    unsigned level = 2;

    while (level > 0 && (!is_aligned(mapping->va.raw | mapping->pa.raw, pte_level_bytes(level)) ||
                         pte_level_bytes(level) > mapping->bytes)) {
        level--;
    }
    return level;
}

/* Steps over the page of `level` at the start. */
static void mapping_skip(struct kspace_mapping *mapping, unsigned level)
{
    mapping->va.raw += pte_level_bytes(level);
    mapping->pa.raw += pte_level_bytes(level);
    mapping->bytes -= pte_level_bytes(level);
}

status_t kspace_map(struct kspace_mapping mapping)
{
    struct kspace_mapping rest = mapping;

    for (unsigned level = 0; rest.bytes > 0; mapping_skip(&rest, level)) {
        level = level_for(&rest);
        if (slot_for(rest.va, level) == NULL) {
            return ERR_NOMEM;
        }
    }
    for (unsigned level = 0; mapping.bytes > 0; mapping_skip(&mapping, level)) {
        struct pte_slot *slot;

        level = level_for(&mapping);
        slot = slot_for(mapping.va, level);
        ASSERT_FMT(pte_slot_load(slot).raw == 0, "va=%lx is mapped", (unsigned long)mapping.va.raw);
        pte_slot_store(
            slot, pte_make_leaf((struct pte_leaf){
                      .pa = mapping.pa, .prot = mapping.prot, .mem = VM_MEM_PMA, .global = true}));
    }
    return OK;
}

paddr_t kspace_root(void)
{
    return root_pa;
}

void kspace_share(struct pte_slot *root)
{
    struct pte_slot *from = slots_of(root_pa);

    for (unsigned i = PTE_ENTRIES / 2; i < PTE_ENTRIES; i++) {
        pte_slot_store(&root[i], pte_slot_load(&from[i]));
    }
}
