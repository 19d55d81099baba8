/* SPDX-License-Identifier: MIT */
/*
 * Small pages where large ones are, or were: a part that is replaced is split off first, and what
 * lies beside it stays.
 */
#include "support_map_block.h"

MODE_TEST(vm_map_over_large, small_pages_come_where_a_large_one_was_removed)
{
    struct world world = world_large(*levels);

    for (unsigned level = 1; level <= FRAME_LEVEL_MAX; level++) {
        uint64_t bytes = pte_level_bytes(level);
        struct frame *frame = frame_new();
        struct vm_cursor cursor;
        struct vm_removed removed;

        (void)map_new_at(&world, BASE, level, VM_RW);
        cursor = cursor_open(&world, BASE, bytes, VM_CURSOR_CHANGE);
        EXPECT_OK(vm_cursor_unmap(&cursor, bytes, &removed));
        EXPECT_EQ(removed.ram_pages, frame_block_frames(level));
        EXPECT_OK(vm_cursor_jump(&cursor, va(BASE + MIB)));
        EXPECT_OK(vm_cursor_map(&cursor, frame, prop(VM_R), VM_MAP_EXCLUSIVE));
        EXPECT_OK(vm_cursor_fill(&cursor, 2 * PAGE_SIZE, prop(VM_RW)));
        vm_cursor_close(&cursor);
        expect_mapped(&world, BASE + MIB, frame, VM_R);
        expect_absent(&world, BASE);
        (void)unmap_at(&world, BASE, bytes);
        reap_all();
    }
    world_end(&world);
}

/* ---- small pages over parts of large ones ---- */

/* Replaces `count` pages at an address, inside or across large pages, by a cursor on more. */
static status_t replace_pages(struct world *world, uint64_t at, struct frame **frames, size_t count)
{
    struct vm_cursor cursor = cursor_open(world, BEFORE, AROUND, VM_CURSOR_CHANGE);
    status_t status;

    EXPECT_OK(vm_cursor_jump(&cursor, va(at)));
    status = vm_cursor_map_frames(&cursor, frames, count, prop(VM_R), VM_MAP_REPLACE);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, status == OK ? at + count * PAGE_SIZE : at);
    vm_cursor_close(&cursor);
    return status;
}

MODE_TEST(vm_map_over_large, a_small_page_in_a_large_one_splits_it)
{
    struct world world = world_large(*levels);

    for (unsigned level = 1; level <= FRAME_LEVEL_MAX; level++) {
        uint64_t pages = frame_block_frames(level);
        uint64_t at = BASE + (pages - 5) * PAGE_SIZE;
        struct frame *block = map_new_at(&world, BASE, level, VM_RW);
        struct frame *frame = frame_new();
        struct vm_cursor cursor = cursor_open(&world, BASE, GIB, VM_CURSOR_CHANGE);

        EXPECT_OK(vm_cursor_jump(&cursor, va(at)));
        EXPECT_STATUS(vm_cursor_map(&cursor, frame, prop(VM_R), VM_MAP_EXCLUSIVE), ERR_EXIST);
        vm_cursor_close(&cursor);
        expect_block(&world, BASE, block, level, VM_RW);
        host_events_start();
        map_at(&world, at, frame, VM_R);
        EXPECT_EQ(flushes(), 1);
        expect_mapped(&world, at, frame, VM_R);
        expect_mapped(&world, at - PAGE_SIZE, block + pages - 6, VM_RW);
        expect_mapped(&world, at + PAGE_SIZE, block + pages - 4, VM_RW);
        expect_mapped(&world, BASE, block, VM_RW);
        EXPECT_EQ(slot_at(&world, BASE).item.level, level - 1);
        world_check(&world);
        (void)unmap_at(&world, BASE, GIB);
        reap_all();
    }
    world_end(&world);
}

MODE_TEST(vm_map_over_large, small_pages_across_large_ones_split_those_that_they_cut)
{
    enum {
        COUNT = 2 * 512 + 20
    };
    struct world world = world_large(*levels);
    struct frame *frames[COUNT];
    struct frame *low = map_new_at(&world, BASE - 2 * MIB, 1, VM_RW);
    struct frame *high = NULL;

    (void)map_new_at(&world, BASE, 1, VM_RW);
    EXPECT_EQ(protect_at(&world, BASE, PAGES, VM_PROT_NONE), PAGES);
    (void)map_new_at(&world, BASE + 2 * MIB, 1, VM_RW);
    high = map_new_at(&world, BASE + 4 * MIB, 1, VM_RW);
    for (size_t i = 0; i < COUNT; i++) {
        frames[i] = frame_new();
    }
    EXPECT_OK(replace_pages(&world, BASE - 10 * PAGE_SIZE, frames, COUNT));
    for (size_t i = 0; i < COUNT; i++) {
        expect_mapped(&world, BASE + i * PAGE_SIZE - 10 * PAGE_SIZE, frames[i], VM_R);
    }
    expect_mapped(&world, BASE - 11 * PAGE_SIZE, low + 501, VM_RW);
    expect_mapped(&world, BASE + 4 * MIB + 10 * PAGE_SIZE, high + 10, VM_RW);
    world_end(&world);
}

MODE_TEST(vm_map_over_large, one_end_alone_is_split_too)
{
    enum {
        COUNT = 6
    };
    struct world world = world_large(*levels);
    struct frame *frames[2][COUNT];
    struct frame *block = map_new_at(&world, BASE, 1, VM_RW);

    for (size_t i = 0; i < COUNT; i++) {
        frames[0][i] = frame_new();
        frames[1][i] = frame_new();
    }
    EXPECT_OK(replace_pages(&world, BASE - 3 * PAGE_SIZE, frames[0], COUNT));
    expect_mapped(&world, BASE + 2 * PAGE_SIZE, frames[0][5], VM_R);
    expect_mapped(&world, BASE + 3 * PAGE_SIZE, block + 3, VM_RW);
    expect_mapped(&world, BASE + 511 * PAGE_SIZE, block + 511, VM_RW);
    (void)unmap_at(&world, BASE - 2 * MIB, 4 * MIB);
    reap_all();
    block = map_new_at(&world, BASE, 1, VM_RW);
    EXPECT_OK(replace_pages(&world, BASE + 2 * MIB - 3 * PAGE_SIZE, frames[1], COUNT));
    expect_mapped(&world, BASE + 2 * MIB + 2 * PAGE_SIZE, frames[1][5], VM_R);
    expect_mapped(&world, BASE + 508 * PAGE_SIZE, block + 508, VM_RW);
    expect_mapped(&world, BASE, block, VM_RW);
    world_end(&world);
}

static struct frame *kept; /* what is mapped; a failure leaves its reference with the caller */

static status_t replace_kept(struct world *world)
{
    status_t status = replace_pages(world, BASE + 3 * PAGE_SIZE, &kept, 1);

    EXPECT_EQ(frame_refs(kept), 1);
    return status;
}

MODE_TEST(vm_map_over_large, each_allocation_that_fails_leaves_all_as_it_was)
{
    struct world world = world_large(*levels);

    for (unsigned level = 1; level <= FRAME_LEVEL_MAX; level++) {
        (void)map_new_at(&world, BASE, level, VM_RW);
        kept = frame_new();
        cr_assert(fail_each(&world, replace_kept) >= level);
        expect_mapped(&world, BASE + 3 * PAGE_SIZE, kept, VM_R);
        (void)unmap_at(&world, BASE, GIB);
        reap_all();
    }
    world_end(&world);
}
