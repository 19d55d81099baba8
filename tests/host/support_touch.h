/* SPDX-License-Identifier: MIT */
/*
 * What the tests of touching share: marks put into a node of level 0 by hand, what an entry holds,
 * and a second hart that runs the space.
 */
#pragma once

#include <string.h>

#include "arch/slot.h"
#include "mm/pt_node.h"
#include "mm/vm_space_priv.h"
#include "support.h"

#define BASE      (4 * GIB)
#define NEIGHBOUR (BASE + 511 * PAGE_SIZE) /* a page that is there, and so is its table */

static inline struct pt_node *node_at(const struct world *world, uint64_t at)
{
    struct pt_node *node = world->space->root;

    while (node->level > 0) {
        node = pt_node_of(pte_slot_load(&node->slots[pte_index(va(at), node->level)]));
    }
    return node;
}

static inline pte_t entry_at(const struct world *world, uint64_t at)
{
    return pte_slot_load(&node_at(world, at)->slots[pte_index(va(at), 0)]);
}

static inline void put_mark(const struct world *world, uint64_t at, struct pte_mark mark)
{
    struct pt_node *node = node_at(world, at);

    cr_assert(pte_is_absent(entry_at(world, at)));
    pte_slot_store(&node->slots[pte_index(va(at), 0)], pte_make_mark(mark));
    node->marked++;
}

static inline void reserve(const struct world *world, uint64_t at, enum vm_prot prot)
{
    put_mark(world, at, (struct pte_mark){.sw = PTE_SW_PRIVATE, .prot = prot});
}

static inline struct world world_with_a_table(unsigned levels)
{
    struct world world = world_begin(levels);

    map_at(&world, NEIGHBOUR, frame_new(), VM_R);
    return world;
}

static inline struct frame *frame_at(const struct world *world, uint64_t at)
{
    return frame_of(pte_pa(entry_at(world, at)));
}

static inline bool holds(const struct frame *frame, unsigned char byte)
{
    const unsigned char *bytes = frame_bytes(frame);

    for (size_t i = 0; i < PAGE_SIZE; i++) {
        if (bytes[i] != byte) {
            return false;
        }
    }
    return true;
}

/* Hart 1 runs the space too, and has seen what is there. */
static inline void another_hart_runs(const struct world *world)
{
    host_hart_set(1);
    vm_space_activate(world->space);
    host_hart_set(0);
}

static inline void another_hart_leaves(void)
{
    host_hart_set(1);
    vm_space_activate(NULL);
    host_hart_set(0);
}

static inline size_t fences(void)
{
    return host_event_count_of(HOST_EVENT_FLUSH_LOCAL) +
           host_event_count_of(HOST_EVENT_FLUSH_REMOTE);
}

/* A page whose W is pending, as a change of rights leaves it. */
static inline void make_pending(const struct world *world, uint64_t at)
{
    struct pte_slot *slot = &node_at(world, at)->slots[pte_index(va(at), 0)];
    pte_t entry = pte_slot_load(slot);

    cr_assert(pte_slot_replace(slot, &entry,
                               (pte_t){entry.raw | (uint64_t)PTE_SW_PENDING << PTE_RSW_SHIFT}));
}
