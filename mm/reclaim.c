/* SPDX-License-Identifier: MIT */
/*
 * Reclamation of detached tables.
 *
 * Frames may go as soon as their flush is done.  A node may also be in the hands of a descent on
 * another hart, which walks without locks (mm/pt_lock.c); so it is freed only when no descent can
 * be under way.  One hart runs the kernel, and it is here, not in a descent: that moment is now.
 */
#include "reclaim.h"

#include "vm_space_priv.h"

/* At most PTE_LEVELS_MAX deep. */
void reclaim_table(struct vm_space *space, struct pt_node *node)
{
    for (unsigned i = 0; i < PTE_ENTRIES; i++) {
        pte_t entry = pte_slot_load(&node->slots[i]);

        switch (pte_kind(entry, node->level)) {
        case PTE_TABLE:
            reclaim_table(space, pt_node_of(entry));
            break;
        case PTE_LEAF:
            vm_space_release_page(space, pte_pa(entry),
                                  pte_sw(entry) == PTE_SW_IO ? VM_PAGE_IO : VM_PAGE_RAM);
            break;
        case PTE_DYING:
            vm_space_release_page(space, pte_dying_pa(entry),
                                  pte_dying_is_io(entry) ? VM_PAGE_IO : VM_PAGE_RAM);
            break;
        case PTE_ABSENT:
        case PTE_UNKNOWN:
            break;
        }
    }
    pt_node_destroy(node);
}
