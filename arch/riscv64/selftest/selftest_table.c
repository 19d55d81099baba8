/* SPDX-License-Identifier: MIT */
/*
 * The table of the self-test.  Of the room's frames
 *   0        the root; its upper half is that of the table in force
 *   1 to 3   the nodes below it, down to level 1: as many as the mode has
 *   4 to 7   the nodes of level 0, one behind the other
 *   8, 9     the frames to map
 *   10, 11   for tables above the kernel's (selftest_modes)
 */
#include "arch/arch.h"
#include "csr.h"
#include "lib/string.h"
#include "mmu.h"
#include "selftest.h"
#include "try.h"

#define FRAME_ROOT   0U
#define FRAME_LEAVES 4U
#define FRAME_PAGES  8U
#define FRAME_ROOTS  10U
#define FRAMES_USED  12U
#define LEAF_NODES   (SELFTEST_PAGES / PTE_ENTRIES)

#define CODE_LI_A0   UINT64_C(0x00000513) /* addi a0, x0, imm; imm: the number */
#define CODE_RET     UINT64_C(0x00008067)

_Static_assert(FRAMES_USED <= 1U << SELFTEST_ORDER, "the room is too small");
_Static_assert(FRAME_LEAVES + LEAF_NODES <= FRAME_PAGES, "nodes lie one behind the other");

struct node {
    struct pte_slot slots[PTE_ENTRIES];
};

static void link_node(struct node *parent, vaddr_t va, unsigned level, const struct node *child)
{
    pte_slot_store(&parent->slots[pte_index(va, level)], pte_make_table(arch_virt_to_phys(child)));
}

void selftest_fill(const struct selftest *test, unsigned frame, unsigned number)
{
    uint64_t code = CODE_LI_A0 | (uint64_t)number << SELFTEST_NUMBER_SHIFT | CODE_RET << 32U;

    *(volatile uint64_t *)test->bytes[frame] = code;
}

void selftest_table_make(struct selftest *test, void *room)
{
    struct node *nodes = room;
    struct node *node = &nodes[FRAME_ROOT];
    const struct node *kernel = arch_phys_to_virt(arch_active_root());
    vaddr_t va = {SELFTEST_VA};

    memset(room, 0, FRAMES_USED * PAGE_SIZE);
    memcpy(&node->slots[PTE_ENTRIES / 2], &kernel->slots[PTE_ENTRIES / 2],
           PTE_ENTRIES / 2 * sizeof(struct pte_slot));
    for (unsigned level = arch_paging_levels() - 1; level > 1; level--, node++) {
        link_node(node, va, level, node + 1);
    }
    for (unsigned i = 0; i < LEAF_NODES; i++) {
        link_node(node, vaddr_add(va, i * pte_level_bytes(1)), 1, &nodes[FRAME_LEAVES + i]);
    }
    test->asid = arch_asid_bits() > 0 ? 1 : 0;
    test->satp = satp_make(arch_paging_levels(), arch_virt_to_phys(room).raw, test->asid);
    test->others = hart_mask_without(arch_harts(), hart_index());
    test->slots = nodes[FRAME_LEAVES].slots;
    for (unsigned i = 0; i < SELFTEST_FRAMES; i++) {
        test->bytes[i] = &nodes[FRAME_PAGES + i];
        test->frames[i] = arch_virt_to_phys(test->bytes[i]);
        test->roots[i] = &nodes[FRAME_ROOTS + i];
        selftest_fill(test, i, i);
    }
    __asm__ volatile("fence.i" ::: "memory");
}

uint64_t selftest_table_enter(uint64_t satp)
{
    uint64_t before = csr_read(satp);

    __asm__ volatile("fence rw, rw" ::: "memory");
    csr_write(satp, satp);
    try_flush();
    return before;
}

pte_t selftest_entry(const struct selftest *test, unsigned frame)
{
    return pte_make_leaf((struct pte_leaf){.pa = test->frames[frame], .prot = VM_RWX});
}
