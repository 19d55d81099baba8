/* SPDX-License-Identifier: MIT */
/*
 * Touching private pages of memory objects: they begin as the object's, and nothing that is done to
 * them reaches it.
 */
#include "support_touch_paged.h"

MODE_TEST(vm_touch_private, a_private_read_makes_nothing_in_the_object)
{
    struct mem_object *object;
    struct world world = world_of(&object, *levels, VM_RW, VM_SHARE_NONE);
    struct frame *there = object_make(object, 1);

    EXPECT_EQ(fault(&world, BASE, VM_ACCESS_READ), VM_FAULT_RETRY);
    EXPECT_EQ(fault(&world, BASE + PAGE_SIZE, VM_ACCESS_READ), VM_FAULT_RETRY);
    expect_object(object, PAGES, 1);
    expect_mapped(&world, BASE, frame_zero(), VM_R);
    expect_mapped(&world, BASE + PAGE_SIZE, there, VM_R);
    EXPECT_EQ(pte_sw(entry_at(&world, BASE)), PTE_SW_PENDING);
    EXPECT_EQ(pte_sw(entry_at(&world, BASE + PAGE_SIZE)), PTE_SW_PENDING);
    EXPECT_EQ(frame_refs(there), 2);
    finish(&world, object);
}

MODE_TEST(vm_touch_private, a_private_page_that_may_only_be_read_is_private)
{
    struct mem_object *object;
    struct world world = world_of(&object, *levels, VM_R, VM_SHARE_NONE);
    struct frame *there = object_make(object, 1);

    EXPECT_EQ(fault(&world, BASE, VM_ACCESS_READ), VM_FAULT_RETRY);
    EXPECT_EQ(fault(&world, BASE + PAGE_SIZE, VM_ACCESS_READ), VM_FAULT_RETRY);
    EXPECT_EQ(pte_sw(entry_at(&world, BASE)), PTE_SW_PRIVATE);
    EXPECT_EQ(pte_sw(entry_at(&world, BASE + PAGE_SIZE)), PTE_SW_PRIVATE);
    EXPECT_EQ(fault(&world, BASE + PAGE_SIZE, VM_ACCESS_WRITE), VM_FAULT_BAD);
    expect_mapped(&world, BASE + PAGE_SIZE, there, VM_R);
    finish(&world, object);
}

/* At once, or after the page was read. */
MODE_TEST(vm_touch_private, a_private_write_is_made_to_a_copy)
{
    struct mem_object *object;
    struct world world = world_of(&object, *levels, VM_RW, VM_SHARE_NONE);
    struct frame *there[2];

    for (uint64_t i = 0; i < 2; i++) {
        there[i] = object_make(object, i);
        fill_frame(there[i], (unsigned char)(0x11 * (i + 1)));
    }
    EXPECT_EQ(fault(&world, BASE + PAGE_SIZE, VM_ACCESS_READ), VM_FAULT_RETRY);
    for (uint64_t i = 0; i < 2; i++) {
        uint64_t at = BASE + i * PAGE_SIZE;

        EXPECT_EQ(fault(&world, at, VM_ACCESS_WRITE), VM_FAULT_RETRY);
        cr_assert(frame_at(&world, at) != there[i]);
        cr_assert(holds(frame_at(&world, at), (unsigned char)(0x11 * (i + 1))));
        EXPECT_EQ(pte_sw(entry_at(&world, at)), PTE_SW_PRIVATE);
        EXPECT_EQ(frame_refs(frame_at(&world, at)), 1);
        EXPECT_EQ(frame_refs(there[i]), 1);
        expect_mapped(&world, at, frame_at(&world, at), VM_RW);
    }
    EXPECT_EQ(fault(&world, BASE + 2 * PAGE_SIZE, VM_ACCESS_WRITE), VM_FAULT_RETRY);
    cr_assert(holds(frame_at(&world, BASE + 2 * PAGE_SIZE), 0));
    cr_assert(object_look(object, 2) == NULL);
    expect_object(object, PAGES, 2);
    finish(&world, object);
}

/* The object's frame is not given away, even where its entry is the only one. */
MODE_TEST(vm_touch_private, the_object_is_an_owner)
{
    struct mem_object *object;
    struct world world = world_of(&object, *levels, VM_RW, VM_SHARE_NONE);
    struct frame *there = object_make(object, 0);

    EXPECT_EQ(fault(&world, BASE, VM_ACCESS_READ), VM_FAULT_RETRY);
    unmap_at(&world, BASE + PAGE_SIZE, 7 * PAGE_SIZE); /* no mark is left */
    EXPECT_EQ(fault(&world, BASE, VM_ACCESS_WRITE), VM_FAULT_RETRY);
    cr_assert(frame_at(&world, BASE) != there);
    cr_assert(object_look(object, 0) == there);
    finish(&world, object);
}

MODE_TEST(vm_touch_private, when_the_object_is_gone_its_last_page_is_taken_over)
{
    struct mem_object *object;
    struct world world = world_of(&object, *levels, VM_RW, VM_SHARE_NONE);
    struct frame *there = object_make(object, 0);

    EXPECT_EQ(fault(&world, BASE, VM_ACCESS_READ), VM_FAULT_RETRY);
    unmap_at(&world, BASE + PAGE_SIZE, 7 * PAGE_SIZE);
    mem_object_put(object);
    reap_all();
    EXPECT_EQ(frame_refs(there), 1);
    EXPECT_EQ(fault(&world, BASE, VM_ACCESS_WRITE), VM_FAULT_RETRY);
    cr_assert(frame_at(&world, BASE) == there);
    EXPECT_EQ(pte_sw(entry_at(&world, BASE)), PTE_SW_PRIVATE);
    world_check(&world);
    world_end(&world);
}

MODE_TEST(vm_touch_private, filling_a_private_page_leaves_the_object_alone)
{
    struct mem_object *object;
    struct world world = world_of(&object, *levels, VM_R, VM_SHARE_NONE);
    struct frame *there = object_make(object, 0);

    fill_frame(there, 0x77);
    EXPECT_OK(fill(&world, BASE));
    expect_mapped(&world, BASE, frame_at(&world, BASE), VM_R);
    cr_assert(frame_at(&world, BASE) != there);
    cr_assert(holds(frame_at(&world, BASE), 0x77));
    EXPECT_OK(fill(&world, BASE + PAGE_SIZE));
    cr_assert(frame_at(&world, BASE + PAGE_SIZE) != frame_zero());
    expect_object(object, PAGES, 1);
    finish(&world, object);
}
