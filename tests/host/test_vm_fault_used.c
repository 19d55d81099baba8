/* SPDX-License-Identifier: MIT */
/*
 * The A and D bits on machines that leave them to the kernel: a fault for a clear bit is settled by
 * setting it, in place, on this hart alone; and what does not explain the fault is counted anew
 * when the entry changes.
 */
#include "arch/slot.h"
#include "mm/pt_node.h"
#include "mm/vm_fault.h"
#include "mm/vm_space_priv.h"
#include "support.h"

#define BASE (4 * GIB)

/* The slot that maps BASE. */
static struct pte_slot *slot_at_base(const struct world *world)
{
    struct pt_node *node = world->space->root;

    while (node->level > 0) {
        node = pt_node_of(pte_slot_load(&node->slots[pte_index(va(BASE), node->level)]));
    }
    return &node->slots[pte_index(va(BASE), 0)];
}

static void clear_used(const struct world *world)
{
    struct pte_slot *slot = slot_at_base(world);
    pte_t entry = pte_slot_load(slot);

    cr_assert(pte_slot_replace(slot, &entry, (pte_t){entry.raw & ~(PTE_A | PTE_D)}));
    arch_tlb_flush_local((struct tlb_op){0});
}

/* A page whose A and D have been cleared, as by what looks for pages to take out. */
static struct world world_with_an_unused_page(unsigned levels, enum vm_prot prot)
{
    struct world world = world_begin(levels);

    map_at(&world, BASE, frame_new(), prot);
    clear_used(&world);
    return world;
}

static uint64_t used_bits(const struct world *world)
{
    return pte_slot_load(slot_at_base(world)).raw & (PTE_A | PTE_D);
}

static enum vm_fault_result fault(struct world *world, enum vm_access access)
{
    return vm_space_fault(world->space, va(BASE), access);
}

MODE_TEST(vm_fault_used, a_read_sets_a)
{
    struct world world = world_with_an_unused_page(*levels, VM_RWX);

    EXPECT_EQ(fault(&world, VM_ACCESS_READ), VM_FAULT_RETRY);
    EXPECT_EQ(used_bits(&world), PTE_A);
    EXPECT_EQ(fault(&world, VM_ACCESS_EXECUTE), VM_FAULT_RETRY);
    EXPECT_EQ(used_bits(&world), PTE_A);
    world_end(&world);
}

MODE_TEST(vm_fault_used, a_write_sets_both)
{
    struct world world = world_with_an_unused_page(*levels, VM_RW);

    EXPECT_EQ(fault(&world, VM_ACCESS_WRITE), VM_FAULT_RETRY);
    EXPECT_EQ(used_bits(&world), PTE_A | PTE_D);
    world_end(&world);
}

MODE_TEST(vm_fault_used, an_access_that_is_forbidden_sets_nothing)
{
    struct world world = world_with_an_unused_page(*levels, VM_R);

    EXPECT_EQ(fault(&world, VM_ACCESS_WRITE), VM_FAULT_BAD);
    EXPECT_EQ(fault(&world, VM_ACCESS_EXECUTE), VM_FAULT_BAD);
    EXPECT_EQ(used_bits(&world), 0);
    world_end(&world);
}

/* It grants more: other harts are not interrupted, and nobody comes back to flush. */
MODE_TEST(vm_fault_used, it_costs_one_fence_on_this_hart)
{
    struct world world = world_with_an_unused_page(*levels, VM_RW);

    host_hart_set(1);
    vm_space_activate(world.space);
    host_hart_set(0);
    host_events_start();
    EXPECT_EQ(fault(&world, VM_ACCESS_WRITE), VM_FAULT_RETRY);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_SLOT), 1);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_LOCAL), 1);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_REMOTE), 0);
    host_hart_set(1);
    host_events_start();
    vm_space_activate(NULL);
    vm_space_activate(world.space);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_REMOTE), 0);
    vm_space_activate(NULL);
    host_hart_set(0);
    world_end(&world);
}

/* First A is missing, then D: two faults of one program on one page are no sign of a broken fence.
 */
MODE_TEST(vm_fault_used, a_changed_entry_is_another_fault)
{
    struct world world = world_with_an_unused_page(*levels, VM_RW);

    for (unsigned i = 0; i < 6; i++) {
        EXPECT_EQ(fault(&world, VM_ACCESS_READ), VM_FAULT_RETRY);
        EXPECT_EQ(fault(&world, VM_ACCESS_WRITE), VM_FAULT_RETRY);
        EXPECT_EQ(used_bits(&world), PTE_A | PTE_D);
        clear_used(&world);
    }
    world_end(&world);
}
