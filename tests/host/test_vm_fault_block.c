/* SPDX-License-Identifier: MIT */
/*
 * Faults that make larger pages: a piece at a time, one block in the end whoever faults, and pages
 * of 4 KiB where there is no block or no budget for one.
 */
#include "mm/vm_space_priv.h"
#include "support_touch_block.h"

MODE_TEST(vm_fault_block, the_first_access_makes_a_page_as_large_as_asked_in_pieces)
{
    static const enum vm_access accesses[] = {VM_ACCESS_READ, VM_ACCESS_WRITE};
    struct world world = world_large(*levels);

    reserve_at(&world, BASE, GIB, 1);
    for (size_t i = 0; i < ARRAY_LEN(accesses); i++) {
        uint64_t at = BASE + (10 + i) * 2 * MIB;
        uint64_t zeroed = counter_read(COUNTER_frames_zeroed);
        uint64_t faults = counter_read(COUNTER_demand_faults);
        uint64_t charged = vm_space_charged(world.space);
        struct vm_item item;

        host_events_start();
        EXPECT_EQ(settle(&world, at + 300 * PAGE_SIZE + 8, accesses[i], VM_FAULT_RETRY), STEPS - 1);
        EXPECT_EQ(flushes(), 0);
        item = item_at(&world, at);
        expect_block(&world, at, item.frame, 1, VM_RW);
        EXPECT_EQ(item.share, VM_SHARE_NONE);
        for (unsigned page = 0; page < PAGES; page++) {
            cr_assert(holds(item.frame + page, 0));
        }
        cr_assert(frame_block_has_one_ref(item.frame, 1));
        EXPECT_EQ(counter_read(COUNTER_frames_zeroed), zeroed + PAGES);
        EXPECT_EQ(counter_read(COUNTER_demand_faults), faults + 1);
        /* A table beside the block, the first time. */
        EXPECT_EQ(vm_space_charged(world.space), charged + PAGES + (i == 0 ? 1 : 0));
        /* What lies beside it waits as before. */
        EXPECT_EQ(slot_at(&world, at + 2 * MIB).item.kind, VM_ITEM_RESERVED);
        EXPECT_EQ(slot_at(&world, at + 2 * MIB).item.page_level, 1);
        world_check(&world);
    }
    world_end(&world);
}

MODE_TEST(vm_fault_block, who_makes_no_blocks_gets_a_small_page)
{
    struct world world = world_large(*levels);
    struct vm_page page;
    struct vm_cursor cursor;

    reserve_at(&world, BASE, 8 * MIB, 1);
    EXPECT_EQ(fault(&world, BASE, VM_ACCESS_WRITE), VM_FAULT_RETRY);
    EXPECT_EQ(slot_at(&world, BASE).item.level, 0);
    EXPECT_OK(vm_space_page_get(world.space, va(BASE + 2 * MIB), &page));
    EXPECT_EQ(slot_at(&world, BASE + 2 * MIB).item.level, 0);
    frame_put(page.frame);
    cursor = cursor_open(&world, BASE + 4 * MIB, 4 * MIB, VM_CURSOR_CHANGE);
    EXPECT_OK(vm_cursor_touch(&cursor, VM_ACCESS_WRITE));
    vm_cursor_close(&cursor);
    EXPECT_EQ(slot_at(&world, BASE + 4 * MIB).item.level, 0);
    EXPECT_EQ(slot_at(&world, BASE + 6 * MIB).item.page_level, 1);
    world_end(&world);
}

MODE_TEST(vm_fault_block, a_mark_that_is_smaller_than_the_page_gives_small_ones)
{
    struct world world = world_large(*levels);

    reserve_at(&world, BASE, MIB, 1);
    reserve_at(&world, BASE + 2 * MIB, 2 * MIB, 2);
    EXPECT_EQ(settle(&world, BASE, VM_ACCESS_WRITE, VM_FAULT_RETRY), 0);
    EXPECT_EQ(slot_at(&world, BASE).item.level, 0);
    EXPECT_EQ(settle(&world, BASE + 2 * MIB, VM_ACCESS_WRITE, VM_FAULT_RETRY), 0);
    EXPECT_EQ(slot_at(&world, BASE + 2 * MIB).item.level, 0);
    world_end(&world);
}

MODE_TEST(vm_fault_block, a_page_of_1_gib_is_one_entry_too)
{
    struct world world = world_large(*levels);
    struct frame_making making = ready_block(2);
    struct frame *block = making.block;

    reserve_at(&world, BASE, 2 * GIB, 2);
    EXPECT_EQ(fault_making(&world, BASE + GIB + 5 * MIB, VM_ACCESS_WRITE, &making), VM_FAULT_RETRY);
    EXPECT_EQ(making.wanted, 0);
    expect_block(&world, BASE + GIB, block, 2, VM_RW);
    EXPECT_EQ(item_at(&world, BASE + GIB).share, VM_SHARE_NONE);
    EXPECT_EQ(slot_at(&world, BASE).item.page_level, 2);
    world_end(&world);
}

/* A part of the page can be unmapped whatever happens: its tables are put by. */
MODE_TEST(vm_fault_block, the_split_stock_is_full_when_the_page_is_there)
{
    struct world world = world_large(*levels);

    reserve_at(&world, BASE, 2 * MIB, 1);
    for (struct pt_node *node; (node = vm_space_stock_take(world.space)) != NULL;) {
        pt_node_destroy(node);
    }
    EXPECT_EQ(settle(&world, BASE, VM_ACCESS_WRITE, VM_FAULT_RETRY), STEPS - 1);
    EXPECT_EQ(vm_space_split_stock(world.space), 2 * (*levels - 1));
    world_end(&world);
}

MODE_TEST(vm_fault_block, what_is_refused_asks_for_nothing)
{
    struct world world = world_large(*levels);
    struct frame_making making = {0};
    uint64_t free_before;

    reserve_at(&world, BASE, 4 * MIB, 1);
    free_before = frame_free_count();
    EXPECT_EQ(fault_making(&world, BASE, VM_ACCESS_EXECUTE, &making), VM_FAULT_BAD);
    EXPECT_EQ(making.wanted, 0);
    /* What was begun is given up by a fault that is none of it. */
    EXPECT_EQ(fault_making(&world, BASE, VM_ACCESS_READ, &making), VM_FAULT_AGAIN);
    EXPECT_EQ(frame_free_count(), free_before - PAGES);
    EXPECT_EQ(fault_making(&world, BASE + GIB, VM_ACCESS_READ, &making), VM_FAULT_BAD);
    EXPECT_EQ(making.wanted, 0);
    reap_all();
    EXPECT_EQ(frame_free_count(), free_before);
    world_end(&world);
}

MODE_TEST(vm_fault_block, who_comes_second_gives_his_block_back)
{
    struct world world = world_large(*levels);
    struct frame_making first = {0};
    struct frame_making second = {0};
    uint64_t free_before;

    reserve_at(&world, BASE, 4 * MIB, 1);
    for (unsigned i = 0; i < STEPS - 1; i++) {
        EXPECT_EQ(fault_making(&world, BASE, VM_ACCESS_WRITE, &first), VM_FAULT_AGAIN);
        EXPECT_EQ(fault_making(&world, BASE + MIB, VM_ACCESS_READ, &second), VM_FAULT_AGAIN);
    }
    free_before = frame_free_count();
    EXPECT_EQ(fault_making(&world, BASE + MIB, VM_ACCESS_READ, &second), VM_FAULT_RETRY);
    EXPECT_EQ(fault_making(&world, BASE, VM_ACCESS_WRITE, &first), VM_FAULT_RETRY);
    EXPECT_EQ(first.wanted | second.wanted, 0);
    reap_all();
    EXPECT_EQ(frame_free_count(), free_before + PAGES);
    EXPECT_EQ(item_at(&world, BASE).level, 1);
    world_end(&world);
}

MODE_TEST(vm_fault_block, what_was_begun_for_another_level_goes)
{
    struct world world = world_large(*levels);
    struct frame_making making = {0};
    uint64_t free_before;

    reserve_at(&world, BASE, GIB, 2);
    reserve_at(&world, BASE + GIB, 2 * MIB, 1);
    free_before = frame_free_count();
    EXPECT_EQ(fault_making(&world, BASE, VM_ACCESS_WRITE, &making), VM_FAULT_AGAIN);
    EXPECT_EQ(making.wanted, 2);
    EXPECT_EQ(fault_making(&world, BASE + GIB, VM_ACCESS_WRITE, &making), VM_FAULT_AGAIN);
    EXPECT_EQ(making.wanted, 1);
    EXPECT_EQ(settle(&world, BASE + GIB, VM_ACCESS_WRITE, VM_FAULT_RETRY), STEPS - 1);
    frame_making_drop(&making);
    reap_all();
    EXPECT_EQ(frame_free_count(), free_before - PAGES);
    world_end(&world);
}

/* Another space, of another budget: the same hart's making is not for it. */
MODE_TEST(vm_fault_block, what_another_pays_for_is_not_taken)
{
    struct world world = world_large(*levels);
    struct vm_budget *budget = NULL;
    struct frame_making making = {0};
    struct world other;
    uint64_t again = 0;

    EXPECT_OK(vm_budget_create(NULL, 4096, &budget));
    reserve_at(&world, BASE, 2 * MIB, 1);
    other = world_of_budget(*levels, budget);
    reserve_at(&other, BASE, 2 * MIB, 1);
    for (unsigned i = 0; i < STEPS - 1; i++) {
        EXPECT_EQ(fault_making(&world, BASE, VM_ACCESS_WRITE, &making), VM_FAULT_AGAIN);
    }
    while (fault_making(&other, BASE, VM_ACCESS_WRITE, &making) == VM_FAULT_AGAIN) {
        again++;
    }
    EXPECT_EQ(again, STEPS - 1);
    EXPECT_EQ(item_at(&other, BASE).level, 1);
    EXPECT_EQ(vm_budget_state(budget).used, vm_space_charged(other.space));
    vm_space_activate(NULL);
    vm_space_put(other.space);
    reap_all();
    EXPECT_EQ(vm_budget_state(budget).used, 0);
    vm_budget_put(budget);
    vm_space_activate(world.space);
    world_end(&world);
}

/* ---- no memory ---- */

MODE_TEST(vm_fault_block, without_a_block_the_page_is_a_small_one)
{
    struct world world = world_begin(*levels);
    struct frame *taken[16];
    unsigned count = 0;

    reserve_at(&world, BASE, 4 * MIB, 1);
    while (count < ARRAY_LEN(taken) && (taken[count] = block_new(1)) != NULL) {
        count++;
    }
    cr_assert(count > 0 && count < ARRAY_LEN(taken) && frame_free_count() > 0);
    EXPECT_EQ(settle(&world, BASE, VM_ACCESS_WRITE, VM_FAULT_RETRY), 0);
    EXPECT_EQ(slot_at(&world, BASE).item.level, 0);
    /* One that waits for the reaper will do. */
    frame_block_put(taken[--count], 1);
    EXPECT_EQ(settle(&world, BASE + 2 * MIB, VM_ACCESS_WRITE, VM_FAULT_RETRY), STEPS);
    EXPECT_EQ(slot_at(&world, BASE + 2 * MIB).item.level, 1);
    while (count > 0) {
        frame_block_put(taken[--count], 1);
    }
    world_end(&world);
}

MODE_TEST(vm_fault_block, a_budget_that_has_no_block_left_pays_for_a_small_page_or_nothing)
{
    struct vm_budget *budget = NULL;
    unsigned seen[3] = {0};
    uint64_t free_before;
    struct world world;
    uint64_t begun;

    machine_default(64 * MIB);
    machine_boot(*levels);
    free_before = frame_free_count();
    EXPECT_OK(vm_budget_create(NULL, UINT64_MAX, &budget));
    world = world_of_budget(*levels, budget);
    world.free_before = free_before;
    reserve_at(&world, BASE, GIB, 1);
    begun = vm_space_charged(world.space);
    for (uint64_t limit = begun; seen[2] == 0; limit++) {
        struct frame_making making = {0};
        enum vm_fault_result result = VM_FAULT_AGAIN;

        vm_budget_set_limit(budget, limit);
        while (result == VM_FAULT_AGAIN) {
            result = fault_making(&world, BASE + MIB, VM_ACCESS_WRITE, &making);
            cr_assert(vm_budget_state(budget).used <= limit);
        }
        EXPECT_EQ(making.wanted, 0);
        EXPECT_EQ(vm_budget_state(budget).used, vm_space_charged(world.space));
        world_check(&world);
        if (result == VM_FAULT_NOMEM) {
            EXPECT_EQ(slot_at(&world, BASE + MIB).item.kind, VM_ITEM_RESERVED);
            seen[0]++;
            continue;
        }
        EXPECT_EQ(result, VM_FAULT_RETRY);
        seen[slot_at(&world, BASE + MIB).item.level == 0 ? 1 : 2]++;
        /* As it was. */
        vm_budget_set_limit(budget, UINT64_MAX);
        (void)unmap_at(&world, BASE, GIB);
        reap_all();
        reserve_at(&world, BASE, GIB, 1);
    }
    EXPECT_EQ(seen[0], 3); /* two tables and the page */
    cr_assert(seen[1] > 500);
    vm_budget_put(budget);
    world_end(&world);
}

MODE_TEST(vm_fault_block, each_allocation_that_fails_leaves_a_page_or_the_mark)
{
    struct world world = world_large(*levels);
    unsigned level = 0;
    unsigned failed = 0;

    for (; level == 0; failed++) {
        struct meaning before;
        struct frame_making making = {0};
        enum vm_fault_result result = VM_FAULT_AGAIN;

        reserve_at(&world, BASE, GIB, 1);
        before = meaning_of(&world);
        frame_fail_after(failed);
        while (result == VM_FAULT_AGAIN) {
            result = fault_making(&world, BASE, VM_ACCESS_READ, &making);
        }
        frame_fail_after(UINT64_MAX);
        EXPECT_EQ(making.wanted, 0);
        if (result == VM_FAULT_NOMEM) {
            expect_meaning(&world, before);
        } else {
            EXPECT_EQ(result, VM_FAULT_RETRY);
            level = item_at(&world, BASE).level;
        }
        world_check(&world);
        (void)unmap_at(&world, BASE, GIB);
        reap_all();
        cr_assert(failed < 20);
    }
    cr_assert(failed > 2);
    world_end(&world);
}
