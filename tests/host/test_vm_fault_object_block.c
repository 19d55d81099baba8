/* SPDX-License-Identifier: MIT */
/*
 * Faults on pages of objects whose memory comes in blocks: made in pieces, mapped whole or in
 * slices.
 */
#include "mm/vm_space_priv.h"
#include "support_touch_block.h"

MODE_TEST(vm_fault_object_block, an_objects_block_is_made_in_pieces_and_mapped_by_one_entry)
{
    struct world world = world_large(*levels);
    struct vm_budget *budget = NULL;
    struct mem_object *object;
    struct frame *block;
    uint64_t charged;

    EXPECT_OK(vm_budget_create(NULL, 4096, &budget));
    object = object_of_blocks(budget, 8 * PAGES);
    page_at(&world, BASE, 8 * MIB, object, PAGES, VM_SHARE_ALL, VM_RW);
    charged = vm_space_charged(world.space);
    EXPECT_EQ(settle(&world, BASE + 3 * MIB, VM_ACCESS_READ, VM_FAULT_RETRY), STEPS - 1);
    block = item_at(&world, BASE + 2 * MIB).frame;
    expect_block(&world, BASE + 2 * MIB, block, 1, VM_RW);
    EXPECT_EQ(item_at(&world, BASE + 2 * MIB).share, VM_SHARE_ALL);
    EXPECT_EQ(refs_of(block, 1), 2); /* the object's too */
    EXPECT_EQ(vm_space_charged(world.space), charged + PAGES);
    cr_assert(vm_budget_state(budget).used >= PAGES);
    EXPECT_EQ(mem_object_state(object).frames, PAGES);
    /* Once it is there, it is mapped at once, elsewhere as well: two blocks further on. */
    page_at(&world, BASE + GIB, 2 * MIB, object, 2 * PAGES, VM_SHARE_VIEW, VM_R);
    EXPECT_EQ(settle(&world, BASE + GIB + MIB, VM_ACCESS_READ, VM_FAULT_RETRY), 0);
    expect_block(&world, BASE + GIB, block, 1, VM_R);
    EXPECT_EQ(item_at(&world, BASE + GIB).share, VM_SHARE_VIEW);
    EXPECT_EQ(refs_of(block, 1), 3);
    mem_object_put(object);
    vm_budget_put(budget);
    world_end(&world);
}

MODE_TEST(vm_fault_object_block, slices_of_it_are_mapped_where_it_does_not_fit)
{
    struct world world = world_large(*levels);
    struct mem_object *object = object_of_blocks(NULL, 4 * PAGES);
    uint64_t odd = BASE + 4 * MIB;
    struct frame *frame;

    /* One page further than the entry; and a mark of 4 KiB. */
    page_at(&world, BASE, 2 * MIB, object, 1, VM_SHARE_ALL, VM_RW);
    page_at(&world, odd, PAGE_SIZE, object, 2 * PAGES, VM_SHARE_ALL, VM_RW);
    EXPECT_EQ(settle(&world, BASE + 5 * PAGE_SIZE, VM_ACCESS_WRITE, VM_FAULT_RETRY), STEPS - 1);
    EXPECT_EQ(settle(&world, odd, VM_ACCESS_WRITE, VM_FAULT_RETRY), STEPS - 1);
    frame = item_at(&world, BASE + 5 * PAGE_SIZE).frame;
    EXPECT_EQ(slot_at(&world, BASE + 5 * PAGE_SIZE).item.level, 0);
    EXPECT_EQ(frame_pa(frame).raw % (2 * MIB), 6 * PAGE_SIZE);
    EXPECT_EQ(frame_refs(frame), 2); /* the block's and the entry's */
    EXPECT_EQ(refs_of(frame - 6, 1), 1);
    EXPECT_EQ(slot_at(&world, odd).item.level, 0);
    /* The neighbour is there already. */
    EXPECT_EQ(settle(&world, BASE, VM_ACCESS_WRITE, VM_FAULT_RETRY), 0);
    cr_assert(item_at(&world, BASE).frame == frame - 5);
    mem_object_put(object);
    world_end(&world);
}

MODE_TEST(vm_fault_object_block, a_private_page_of_it_is_read_whole_and_copied_in_4_kib)
{
    struct world world = world_large(*levels);
    struct mem_object *object = object_of_blocks(NULL, 4 * PAGES);
    struct frame *block;
    struct frame *own;

    page_at(&world, BASE, 2 * MIB, object, 0, VM_SHARE_ALL, VM_RW);
    page_at(&world, BASE + GIB, 8 * MIB, object, 0, VM_SHARE_NONE, VM_RW);
    (void)settle(&world, BASE, VM_ACCESS_WRITE, VM_FAULT_RETRY);
    block = item_at(&world, BASE).frame;
    memset(frame_bytes(block + 9), 7, PAGE_SIZE);
    /* What the object has is shown by one entry; what it has not reads as zeroes. */
    EXPECT_EQ(settle(&world, BASE + GIB, VM_ACCESS_READ, VM_FAULT_RETRY), 0);
    EXPECT_EQ(settle(&world, BASE + GIB + 2 * MIB, VM_ACCESS_READ, VM_FAULT_RETRY), 0);
    expect_block(&world, BASE + GIB, block, 1, VM_R);
    EXPECT_EQ(item_at(&world, BASE + GIB).share, VM_SHARE_NONE);
    cr_assert(item_at(&world, BASE + GIB + 2 * MIB).frame == frame_zero());
    EXPECT_EQ(mem_object_state(object).frames, PAGES);
    EXPECT_EQ(refs_of(block, 1), 3);
    /* A write has a page of its own. */
    EXPECT_EQ(settle(&world, BASE + GIB + 9 * PAGE_SIZE, VM_ACCESS_WRITE, VM_FAULT_RETRY), 0);
    own = item_at(&world, BASE + GIB + 9 * PAGE_SIZE).frame;
    cr_assert(own != block + 9 && holds(own, 7));
    expect_mapped(&world, BASE + GIB + 9 * PAGE_SIZE, own, VM_RW);
    expect_mapped(&world, BASE + GIB + 8 * PAGE_SIZE, block + 8, VM_R);
    EXPECT_EQ(refs_of(block, 1), 2);
    expect_block(&world, BASE, block, 1, VM_RW);
    /* The first access of all, too, whether the object has a block there or not. */
    page_at(&world, BASE + 2 * GIB, 2 * MIB, object, 0, VM_SHARE_NONE, VM_RW);
    EXPECT_EQ(settle(&world, BASE + 2 * GIB + 9 * PAGE_SIZE, VM_ACCESS_WRITE, VM_FAULT_RETRY), 0);
    cr_assert(holds(item_at(&world, BASE + 2 * GIB + 9 * PAGE_SIZE).frame, 7));
    EXPECT_EQ(item_at(&world, BASE + 2 * GIB).kind, VM_ITEM_PAGED);
    EXPECT_EQ(settle(&world, BASE + GIB + 4 * MIB, VM_ACCESS_WRITE, VM_FAULT_RETRY), 0);
    EXPECT_EQ(slot_at(&world, BASE + GIB + 4 * MIB).item.level, 0);
    mem_object_put(object);
    world_end(&world);
}

MODE_TEST(vm_fault_object_block, who_makes_no_blocks_has_the_object_make_one)
{
    struct world world = world_large(*levels);
    struct mem_object *object = object_of_blocks(NULL, 2 * PAGES);
    struct vm_page page;

    page_at(&world, BASE, 4 * MIB, object, 0, VM_SHARE_ALL, VM_RW);
    EXPECT_OK(vm_space_page_get(world.space, va(BASE + 77 * PAGE_SIZE), &page));
    EXPECT_EQ(slot_at(&world, BASE).item.level, 1);
    cr_assert(page.frame == item_at(&world, BASE).frame + 77);
    EXPECT_EQ(frame_refs(page.frame), 2);
    frame_put(page.frame);
    mem_object_put(object);
    world_end(&world);
}

MODE_TEST(vm_fault_object_block, an_object_without_a_block_leaves_the_mark)
{
    struct world world = world_large(*levels);
    struct vm_budget *budget = NULL;
    struct mem_object *object;
    struct meaning before;

    EXPECT_OK(vm_budget_create(NULL, 100, &budget));
    object = object_of_blocks(budget, 2 * PAGES);
    page_at(&world, BASE, 4 * MIB, object, 0, VM_SHARE_ALL, VM_RW);
    before = meaning_of(&world);
    EXPECT_EQ(settle(&world, BASE, VM_ACCESS_WRITE, VM_FAULT_NOMEM), 0);
    expect_meaning(&world, before);
    EXPECT_EQ(mem_object_state(object).frames, 0);
    mem_object_put(object);
    vm_budget_put(budget);
    world_end(&world);
}

MODE_TEST(vm_fault_object_block, a_space_that_cannot_pay_for_the_block_has_slices_of_it)
{
    struct vm_budget *budget = NULL;
    struct mem_object *object;
    uint64_t free_before;
    struct world world;

    machine_default(64 * MIB);
    machine_boot(*levels);
    free_before = frame_free_count();
    EXPECT_OK(vm_budget_create(NULL, 100, &budget));
    world = world_of_budget(*levels, budget);
    world.free_before = free_before;
    object = object_of_blocks(NULL, 2 * PAGES);
    page_at(&world, BASE, 4 * MIB, object, 0, VM_SHARE_ALL, VM_RW);
    EXPECT_EQ(settle(&world, BASE + 8 * PAGE_SIZE, VM_ACCESS_WRITE, VM_FAULT_RETRY), STEPS - 1);
    EXPECT_EQ(slot_at(&world, BASE + 8 * PAGE_SIZE).item.level, 0);
    EXPECT_EQ(frame_refs(item_at(&world, BASE + 8 * PAGE_SIZE).frame), 2);
    mem_object_put(object);
    vm_budget_put(budget);
    world_end(&world);
}
