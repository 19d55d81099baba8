/* SPDX-License-Identifier: MIT */
/*
 * Touching larger pages that are there: A and D, writes that are pending, and who copies behind the
 * entry's back.
 */
#include "mm/cursor_priv.h"
#include "support_touch_block.h"

/* ---- A and D ---- */

MODE_TEST(vm_touch_block, accessed_and_dirty_are_set_in_the_one_entry)
{
    struct world world = world_large(*levels);
    struct frame *block = map_private_at(&world, BASE, 1, VM_RW);
    uint64_t *entry = large_entry_at(&world, BASE);

    *entry &= ~(PTE_A | PTE_D);
    EXPECT_EQ(fault(&world, BASE + MIB, VM_ACCESS_READ), VM_FAULT_RETRY);
    EXPECT_EQ(*entry & (PTE_A | PTE_D), PTE_A);
    EXPECT_EQ(fault(&world, BASE + 2 * MIB - 1, VM_ACCESS_WRITE), VM_FAULT_RETRY);
    EXPECT_EQ(*entry & (PTE_A | PTE_D), PTE_A | PTE_D);
    expect_block(&world, BASE, block, 1, VM_RW);
    world_end(&world);
}

/* The entry says nothing against the access: the hart remembers less, and is fenced for the address
 * first, then for all. */
MODE_TEST(vm_touch_block, a_fault_that_the_entry_does_not_explain_is_the_harts)
{
    struct world world = world_large(*levels);

    (void)map_private_at(&world, BASE, 1, VM_RW);
    host_events_start();
    EXPECT_EQ(fault(&world, BASE + MIB, VM_ACCESS_READ), VM_FAULT_RETRY);
    EXPECT_EQ(host_event_at(0)->op.va.raw, BASE + MIB);
    EXPECT_EQ(host_event_at(0)->op.bytes, PAGE_SIZE);
    EXPECT_EQ(fault(&world, BASE + MIB, VM_ACCESS_READ), VM_FAULT_RETRY);
    EXPECT_EQ(host_event_at(1)->op.bytes, 0);
    EXPECT_EQ(flushes(), 2);
    EXPECT_EQ(fault(&world, BASE + MIB, VM_ACCESS_READ), VM_FAULT_BAD);
    world_end(&world);
}

MODE_TEST(vm_touch_block, what_it_does_not_permit_is_refused)
{
    struct world world = world_large(*levels);

    (void)map_private_at(&world, BASE, 1, VM_R);
    EXPECT_EQ(fault(&world, BASE, VM_ACCESS_WRITE), VM_FAULT_BAD);
    EXPECT_EQ(fault(&world, BASE, VM_ACCESS_EXECUTE), VM_FAULT_BAD);
    EXPECT_EQ(protect_at(&world, BASE, PAGES, VM_PROT_NONE), PAGES);
    EXPECT_EQ(fault(&world, BASE, VM_ACCESS_READ), VM_FAULT_BAD);
    EXPECT_EQ(slot_at(&world, BASE).item.level, 1);
    world_end(&world);
}

/* ---- pending ---- */

MODE_TEST(vm_touch_block, the_sole_owner_of_2_mib_may_write_all_of_it)
{
    struct world world = world_large(*levels);
    struct frame *block = map_private_at(&world, BASE, 1, VM_RW);
    uint64_t owners;

    make_pending_at(&world, BASE, block, 1);
    owners = counter_read(COUNTER_sole_owner_writes);
    host_events_start();
    EXPECT_EQ(fault(&world, BASE + MIB, VM_ACCESS_WRITE), VM_FAULT_RETRY);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_SLOT), 1);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_REMOTE), 0);
    EXPECT_EQ(flushes(), 1); /* what this hart remembers of the page */
    EXPECT_EQ(counter_read(COUNTER_sole_owner_writes), owners + 1);
    expect_block(&world, BASE, block, 1, VM_RW);
    cr_assert(slot_at(&world, BASE).item.dirty);
    world_end(&world);
}

/* Of a page whose block others name a write copies 4 KiB, and splits no further than that. */
MODE_TEST(vm_touch_block, a_write_to_a_page_that_others_name_copies_4_kib)
{
    struct world world = world_large(*levels);

    for (unsigned level = 1; level <= FRAME_LEVEL_MAX; level++) {
        uint64_t page = frame_block_frames(level) - 3;
        uint64_t at = BASE + page * PAGE_SIZE;
        uint64_t replaced = counter_read(COUNTER_frames_replaced);
        struct frame *block = map_private_at(&world, BASE, level, VM_RW);
        struct frame *own;

        make_pending_at(&world, BASE, block, level);
        frame_block_get(block, level);
        memset(frame_bytes(block + page), 5, PAGE_SIZE);
        host_events_start();
        EXPECT_EQ(fault(&world, at, VM_ACCESS_WRITE), VM_FAULT_RETRY);
        EXPECT_EQ(flushes(), 1); /* pays for the split and for the frame */
        own = item_at(&world, at).frame;
        cr_assert(own != block + page && holds(own, 5));
        expect_mapped(&world, at, own, VM_RW);
        expect_mapped(&world, at - PAGE_SIZE, block + page - 1, VM_R);
        expect_mapped(&world, at + PAGE_SIZE, block + page + 1, VM_R);
        expect_mapped(&world, BASE, block, VM_R);
        EXPECT_EQ(slot_at(&world, BASE).item.level, level - 1);
        EXPECT_EQ(counter_read(COUNTER_frames_replaced), replaced + 1);
        /* The other one has all of it, as it was. */
        EXPECT_EQ(frame_refs(block + page), 1);
        EXPECT_EQ(refs_of(block, level), 1);
        cr_assert(holds(block + page, 5));
        world_check(&world);
        frame_block_put(block, level);
        (void)unmap_at(&world, BASE, GIB);
        reap_all();
    }
    world_end(&world);
}

/* Whoever has a reference of one page keeps the rest of 1 GiB from nobody: the 2 MiB beside it are
 * one page again, as they are the space's alone. */
MODE_TEST(vm_touch_block, no_more_is_split_than_others_name)
{
    struct world world = world_large(*levels);
    struct frame *block = map_private_at(&world, BASE, 2, VM_RW);
    uint64_t at = BASE + 5 * 2 * MIB;

    make_pending_at(&world, BASE, block, 2);
    frame_get(block + 7 * PAGES + 3);
    host_events_start();
    EXPECT_EQ(fault(&world, at + MIB, VM_ACCESS_WRITE), VM_FAULT_RETRY);
    EXPECT_EQ(flushes(), 2); /* the split, and what this hart remembers of the page */
    expect_block(&world, at, block + 5 * PAGES, 1, VM_RW);
    expect_block(&world, at + 2 * MIB, block + 6 * PAGES, 1, VM_R);
    /* Where the page lies there is more to do: its neighbours are the space's alone. */
    EXPECT_EQ(fault(&world, at + 4 * MIB, VM_ACCESS_WRITE), VM_FAULT_RETRY);
    expect_mapped(&world, at + 4 * MIB, block + 7 * PAGES, VM_RW);
    EXPECT_EQ(fault(&world, at + 4 * MIB + 3 * PAGE_SIZE, VM_ACCESS_WRITE), VM_FAULT_RETRY);
    cr_assert(item_at(&world, at + 4 * MIB + 3 * PAGE_SIZE).frame != block + 7 * PAGES + 3);
    frame_put(block + 7 * PAGES + 3);
    world_end(&world);
}

MODE_TEST(vm_touch_block, reads_of_a_pending_page_leave_it_whole)
{
    struct world world = world_large(*levels);
    struct frame *block = map_private_at(&world, BASE, 1, VM_RW);

    make_pending_at(&world, BASE, block, 1);
    EXPECT_EQ(fault(&world, BASE + MIB, VM_ACCESS_READ), VM_FAULT_RETRY);
    expect_block(&world, BASE, block, 1, VM_R);
    world_end(&world);
}

MODE_TEST(vm_touch_block, without_memory_for_the_copy_all_means_what_it_did)
{
    struct world world = world_large(*levels);

    for (unsigned level = 1; level <= FRAME_LEVEL_MAX; level++) {
        /* A table that fails comes from the stock; the frame after the tables comes from nowhere.
         */
        for (unsigned allowed = 0; allowed <= level; allowed++) {
            struct frame *block = map_private_at(&world, BASE, level, VM_RW);
            enum vm_fault_result result;
            struct meaning before;

            make_pending_at(&world, BASE, block, level);
            frame_block_get(block, level);
            before = meaning_of(&world);
            frame_fail_after(allowed);
            result = fault(&world, BASE + MIB, VM_ACCESS_WRITE);
            frame_fail_after(UINT64_MAX);
            if (allowed == level) {
                EXPECT_EQ(result, VM_FAULT_NOMEM);
                expect_meaning(&world, before);
                result = fault(&world, BASE + MIB, VM_ACCESS_WRITE);
            } else {
                EXPECT_EQ(vm_space_split_stock(world.space), 2 * (*levels - 1) - 1);
            }
            EXPECT_EQ(result, VM_FAULT_RETRY);
            frame_block_put(block, level);
            (void)unmap_at(&world, BASE, GIB);
            reap_all();
        }
    }
    world_end(&world);
}

/* ---- behind the entry's back ---- */

MODE_TEST(vm_touch_block, who_copies_from_a_page_has_the_frame_that_it_lies_in)
{
    struct world world = world_large(*levels);
    struct frame *block = map_private_at(&world, BASE, 1, VM_RW);
    uint64_t free_before = frame_free_count();
    struct vm_page page;

    EXPECT_OK(vm_space_page_get(world.space, va(BASE + 300 * PAGE_SIZE + 8), &page));
    cr_assert(page.frame == block + 300);
    EXPECT_EQ(page.sw, PTE_SW_PRIVATE);
    EXPECT_EQ(frame_refs(block + 300), 2);
    EXPECT_EQ(frame_refs(block), 1);
    EXPECT_EQ(refs_of(block, 1), 1);
    /* It is there as long as the copy needs it, and no more than it. */
    (void)unmap_at(&world, BASE, 2 * MIB);
    reap_all();
    cr_assert(frame_free_count() >= free_before + PAGES - 1);
    EXPECT_EQ(frame_refs(block + 300), 1);
    frame_put(page.frame);
    world_end(&world);
}

/* Touches the page at an address to fill it. */
static enum touch fill(struct world *world, uint64_t at, struct frame **frame)
{
    struct vm_cursor cursor = cursor_open(world, at, PAGE_SIZE, VM_CURSOR_EDIT);
    pte_t entry = pte_absent();
    enum touch touch = cursor_touch(&cursor, TOUCH_TO_FILL, &entry);

    *frame = frame_of(pte_pa(entry));
    vm_cursor_close(&cursor);
    return touch;
}

MODE_TEST(vm_touch_block, who_fills_a_page_finds_its_own_or_has_it_copied)
{
    struct world world = world_large(*levels);
    struct frame *block = map_private_at(&world, BASE, 1, VM_RW);
    uint64_t at = BASE + 300 * PAGE_SIZE;
    struct frame *frame;

    EXPECT_EQ(fill(&world, at, &frame), TOUCH_WAS_THERE);
    cr_assert(frame == block + 300);
    EXPECT_EQ(protect_at(&world, BASE, PAGES, VM_R), PAGES);
    EXPECT_EQ(fill(&world, at, &frame), TOUCH_WAS_THERE);
    cr_assert(frame == block + 300);
    expect_block(&world, BASE, block, 1, VM_R);
    frame_get(block + 1);
    EXPECT_EQ(fill(&world, at, &frame), TOUCH_WAS_THERE); /* the frame itself is nobody else's */
    cr_assert(frame == block + 300);
    EXPECT_EQ(slot_at(&world, at).item.level, 0);
    EXPECT_EQ(fill(&world, BASE + PAGE_SIZE, &frame), TOUCH_MADE);
    cr_assert(frame != block + 1);
    frame_put(block + 1);
    world_end(&world);
}

MODE_TEST(vm_touch_block, what_is_shared_on_purpose_is_filled_in_place)
{
    struct world world = world_large(*levels);
    struct frame *block = block_new(1);
    struct frame *frame;

    frame_block_get(block, 1);
    map_block_at(&world, BASE, block, 1, VM_R);
    EXPECT_EQ(fill(&world, BASE + MIB, &frame), TOUCH_WAS_THERE);
    cr_assert(frame == block + 256);
    expect_block(&world, BASE, block, 1, VM_R);
    frame_block_put(block, 1);
    world_end(&world);
}
