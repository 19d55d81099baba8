/* SPDX-License-Identifier: MIT */
/*
 * Early page tables.
 *
 *   Sv57 root [511] -> Sv48 root [511] -> top node, which is the Sv39 root
 *   top node  [256..383] -> RAM, 1 GiB leaves     (LAYOUT_EARLY_DIRECT)
 *             [510]      -> image node, 2 MiB     (LAYOUT_KERNEL)
 *             [511]      -> fixmap node           (LAYOUT_FIXMAP: tree, tree, probe node)
 *
 * boot_map_build runs before paging, at whatever address the image was loaded: no absolute address
 * may be used, so no jump tables and no initialised pointers.  A and D are preset everywhere,
 * because the first fetch already faults on hardware that does not set them.
 */
#include "boot_map.h"

#include "arch/layout.h"
#include "image.h"

#define LEVEL_1G 2U
#define LEVEL_2M 1U

struct node {
    _Alignas(4096) struct pte_slot slots[PTE_ENTRIES];
};

struct node boot_root_sv57, boot_root_sv48, boot_root_sv39;
static struct node image_node, fixmap_node, probe_node;

static pte_t leaf(uint64_t pa, enum vm_prot prot)
{
    return pte_make_leaf((struct pte_leaf){.pa = {pa}, .prot = prot});
}

static void link_node(struct node *parent, unsigned index, const struct node *child)
{
    /* Before paging, an address is physical. */
    pte_slot_store(&parent->slots[index], pte_make_table((paddr_t){(uint64_t)(uintptr_t)child}));
}

static void map_tree_page(unsigned page, uint64_t tree_pa)
{
    uint64_t page_bytes = pte_level_bytes(LEVEL_2M);
    uint64_t pa = align_down(tree_pa, page_bytes) + page * page_bytes;

    if (pa >> PTE_PA_BITS == 0) {
        pte_slot_store(&fixmap_node.slots[page], leaf(pa, VM_R));
    }
}

void boot_map_build(uint64_t image_start_pa, uint64_t tree_pa)
{
    vaddr_t image = {LAYOUT_KERNEL};
    vaddr_t fixmap = {LAYOUT_FIXMAP};
    uint64_t image_length = (uint64_t)(image_end - image_start);
    uint64_t page_bytes = pte_level_bytes(LEVEL_2M);

    link_node(&boot_root_sv57, PTE_ENTRIES - 1, &boot_root_sv48);
    link_node(&boot_root_sv48, PTE_ENTRIES - 1, &boot_root_sv39);
    link_node(&boot_root_sv39, pte_index(image, LEVEL_1G), &image_node);
    link_node(&boot_root_sv39, pte_index(fixmap, LEVEL_1G), &fixmap_node);
    link_node(&fixmap_node, pte_index((vaddr_t){BOOT_PROBE_VA}, LEVEL_2M), &probe_node);

    for (uint64_t at = 0; at < image_length; at += page_bytes) {
        vaddr_t va = vaddr_add(image, at);

        pte_slot_store(&image_node.slots[pte_index(va, LEVEL_2M)],
                       leaf(image_start_pa + at, VM_RWX));
    }
    map_tree_page(0, tree_pa);
}

paddr_t boot_map_root(unsigned levels)
{
    const struct node *roots[] = {&boot_root_sv39, &boot_root_sv48, &boot_root_sv57};

    return image_to_phys(roots[levels - 3]);
}

void boot_map_second_tree_page(uint64_t tree_pa)
{
    map_tree_page(1, tree_pa);
}

void boot_map_direct(paddr_t base, paddr_t pa)
{
    uint64_t gigabyte = align_down(pa.raw, pte_level_bytes(LEVEL_1G));
    vaddr_t va = {LAYOUT_EARLY_DIRECT + (gigabyte - base.raw)};

    pte_slot_store(&boot_root_sv39.slots[pte_index(va, LEVEL_1G)], leaf(gigabyte, VM_RW));
}

struct pte_slot *boot_map_probe_slot(void)
{
    return &probe_node.slots[0];
}
