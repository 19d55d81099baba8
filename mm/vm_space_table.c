/* SPDX-License-Identifier: MIT */
/*
 * Looking at the entries of one node, for those who want to see the page table itself.
 *
 * The way down is a descent without locks, as a cursor's; then the node alone is locked, and read
 * only if it still stands where the descent looked for it.  What is below is not locked, and may
 * change.
 */
#include "mm/vm_space.h"

#include "arch/arch.h"
#include "lib/assert.h"
#include "pt_descend.h"
#include "vm_space_priv.h"

/* The node of that level which translates va.  ERR_NOENT: there is none. */
static status_t node_find(struct pt_node *root, vaddr_t va, unsigned level, struct found *at)
{
    *at = (struct found){root, root->level, {0}};
    while (at->level > level) {
        pte_t entry = pte_slot_load(&at->node->slots[pte_index(va, at->level)]);

        if (pte_kind(entry, at->level) != PTE_TABLE) {
            return ERR_NOENT;
        }
        *at = (struct found){
            pt_node_of(entry), at->level - 1, {align_down(va.raw, pte_level_bytes(at->level))}};
    }
    return OK;
}

status_t vm_space_table_read(struct vm_space *space, vaddr_t va, struct vm_table_part part,
                             uint64_t *entries, paddr_t *physical)
{
    struct found at;
    status_t status = ERR_AGAIN;

    ASSERT(part.level < arch_paging_levels() && part.count <= PTE_ENTRIES - part.first);
    while (status == ERR_AGAIN || status == ERR_BUSY) {
        status = node_find(space->root, va, part.level, &at);
        if (status == OK) {
            status = pt_lock_found(space->root, at, PT_HELD_NOTHING);
        }
    }
    if (status != OK) {
        return status;
    }
    for (unsigned i = 0; i < part.count; i++) {
        entries[i] = pte_slot_load(&at.node->slots[part.first + i]).raw;
    }
    *physical = frame_pa(at.node->frame);
    spinlock_release(&at.node->lock);
    return OK;
}
