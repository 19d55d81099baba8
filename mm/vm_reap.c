/* SPDX-License-Identifier: MIT */
/*
 * The end of address spaces, in bounded pieces.
 *
 * A space without references is active nowhere, and no hart can use its translations again (every
 * activation flushes), so its tables are taken apart without locks and without flushes.  What a
 * piece has released is gone from the tables, so the next piece finds its place by itself.
 */
#include "arch/arch.h"
#include "lib/assert.h"
#include "lib/spinlock.h"
#include "vm_space_priv.h"

#define REAP_TABLES 64U  /* nodes freed in one piece */
#define REAP_LEAVES 256U /* pages released in one piece */

static struct {
    struct spinlock lock;  /* rank LOCK_REAP */
    struct list_node dead; /* (l) spaces                                          */
} reaper = {.lock = SPINLOCK_INIT(LOCK_REAP), .dead = LIST_INIT(reaper.dead)};

struct reap_budget {
    unsigned tables, leaves;
};

void vm_reap_add(struct vm_space *space)
{
    spinlock_acquire(&reaper.lock);
    list_push_back(&reaper.dead, &space->dead);
    spinlock_release(&reaper.lock);
}

/* Releases what `node` names, as far as the budget goes; true when nothing is left in it.  The
 * shared upper half of a root is left alone.  At most PTE_LEVELS_MAX deep. */
static bool reap_node(struct vm_space *space, struct pt_node *node, struct reap_budget *budget)
{
    unsigned end = node == space->root ? PTE_ENTRIES / 2 : PTE_ENTRIES;

    for (unsigned i = 0; node->present > 0 && i < end; i++) {
        pte_t entry = pte_slot_load(&node->slots[i]);
        enum pte_kind kind = pte_kind(entry, node->level);

        if (kind == PTE_TABLE) {
            struct pt_node *child = pt_node_of(entry);

            if (!reap_node(space, child, budget) || budget->tables == 0) {
                return false; /* an empty child is found again by the next piece */
            }
            budget->tables--;
            pt_node_destroy(child);
        } else if (kind == PTE_LEAF) {
            if (budget->leaves == 0) {
                return false;
            }
            budget->leaves--;
            vm_space_release_page(space, pte_pa(entry),
                                  pte_sw(entry) == PTE_SW_IO ? VM_PAGE_IO : VM_PAGE_RAM);
        } else {
            continue;
        }
        pte_slot_store(&node->slots[i], pte_absent());
        node->present--;
    }
    return true;
}

bool vm_space_reap(void)
{
    struct reap_budget budget = {REAP_TABLES, REAP_LEAVES};
    struct list_node *first;
    struct vm_space *space;

    spinlock_acquire(&reaper.lock);
    first = list_pop_front(&reaper.dead);
    spinlock_release(&reaper.lock);
    if (first == NULL) {
        return false;
    }
    space = LIST_ENTRY(first, struct vm_space, dead);
    if (reap_node(space, space->root, &budget) && budget.tables > 0) {
        pt_node_destroy(space->root);
        vm_space_free(space);
    } else {
        vm_reap_add(space);
    }
    return !vm_space_reap_is_done();
}

bool vm_space_reap_is_done(void)
{
    bool done;

    spinlock_acquire(&reaper.lock);
    done = list_is_empty(&reaper.dead);
    spinlock_release(&reaper.lock);
    return done;
}
