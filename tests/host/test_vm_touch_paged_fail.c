/* SPDX-License-Identifier: MIT */
/*
 * Touching pages of memory objects when there is no memory: whichever allocation fails, and
 * whoever's budget is spent, the mark is there still and nothing is lost.
 */
#include "support_touch_paged.h"

/* Touches the page of a large mark with fewer and fewer allocations failing. */
static void fail_each(struct world *world, enum vm_share share, enum vm_access access,
                      bool is_there)
{
    struct mem_object *object = object_new(MEM_OBJECT_PAGES_MAX);
    uint64_t page = 300 * PAGES + 7;
    uint64_t frames = is_there ? 1 : 0;
    enum vm_fault_result result = VM_FAULT_NOMEM;
    uint64_t allowed = 0;

    if (is_there) {
        (void)object_make(object, page);
    }
    mark_at(world, BASE, GIB, paged(object, 0, share, share == VM_SHARE_VIEW ? VM_R : VM_RW));
    for (; result != VM_FAULT_RETRY; allowed++) {
        struct vm_slot slot;

        frame_fail_after(allowed);
        result = fault(world, BASE + page * PAGE_SIZE, access);
        frame_fail_after(UINT64_MAX);
        cr_assert(result == VM_FAULT_RETRY || result == VM_FAULT_NOMEM);
        world_check(world);
        slot = slot_at(world, BASE + page * PAGE_SIZE);
        EXPECT_EQ(slot.item.kind, result == VM_FAULT_RETRY ? VM_ITEM_RAM : VM_ITEM_PAGED);
        if (result == VM_FAULT_NOMEM) {
            cr_assert(slot.item.object == object);
            EXPECT_EQ(slot.item.object_page +
                          (BASE + page * PAGE_SIZE - slot.range.start.raw) / PAGE_SIZE,
                      page);
            EXPECT_EQ(mem_object_state(object).frames, frames);
        }
    }
    cr_assert(allowed >= 2, "at least one allocation has failed");
    unmap_at(world, BASE, GIB);
    mem_object_put(object);
    reap_all();
}

MODE_TEST(vm_touch_paged_fail, what_cannot_be_had_leaves_the_mark)
{
    struct world world = world_begin(*levels);

    fail_each(&world, VM_SHARE_ALL, VM_ACCESS_WRITE, false);
    fail_each(&world, VM_SHARE_ALL, VM_ACCESS_READ, true);
    fail_each(&world, VM_SHARE_VIEW, VM_ACCESS_READ, false);
    fail_each(&world, VM_SHARE_NONE, VM_ACCESS_READ, false);
    fail_each(&world, VM_SHARE_NONE, VM_ACCESS_WRITE, false);
    fail_each(&world, VM_SHARE_NONE, VM_ACCESS_WRITE, true);
    world_end(&world);
}

/* The maker of the object pays for its frames, the space for its entries; either may run out. */
Test(vm_touch_paged_fail, each_pays_for_his_own)
{
    struct world world = world_with_a_table(4);
    struct vm_budget *makers = NULL;
    struct vm_budget *users = NULL;
    struct vm_space *space;
    struct mem_object *object;
    uint64_t before;

    EXPECT_OK(vm_budget_create(NULL, 3, &makers)); /* record, table, page */
    EXPECT_OK(vm_budget_create(NULL, 100, &users));
    object = object_new_in(makers, PAGES);
    EXPECT_OK(vm_space_create(users, &space));
    mark_at(&(struct world){.space = space}, BASE, 8 * PAGE_SIZE,
            paged(object, 0, VM_SHARE_ALL, VM_RW));
    before = vm_budget_state(users).used;
    EXPECT_EQ(vm_space_fault(space, va(BASE + PAGE_SIZE), VM_ACCESS_WRITE), VM_FAULT_RETRY);
    EXPECT_EQ(vm_budget_state(users).used, before + 1);
    EXPECT_EQ(vm_budget_state(makers).used, 3);
    EXPECT_EQ(vm_space_fault(space, va(BASE + 2 * PAGE_SIZE), VM_ACCESS_WRITE), VM_FAULT_NOMEM);
    EXPECT_EQ(vm_budget_state(users).used, before + 1);
    vm_budget_set_limit(makers, 100);
    vm_budget_set_limit(users, before + 1);
    EXPECT_EQ(vm_space_fault(space, va(BASE + 2 * PAGE_SIZE), VM_ACCESS_WRITE), VM_FAULT_NOMEM);
    EXPECT_EQ(vm_budget_state(makers).used, 3); /* nothing is made that cannot be mapped */
    vm_budget_set_limit(users, before + 2);
    EXPECT_EQ(vm_space_fault(space, va(BASE + 2 * PAGE_SIZE), VM_ACCESS_WRITE), VM_FAULT_RETRY);
    EXPECT_EQ(vm_budget_state(makers).used, 4);
    EXPECT_OK(vm_space_check(space));
    mem_object_put(object);
    vm_space_put(space);
    vm_budget_put(users);
    vm_budget_put(makers);
    world_end(&world);
}
