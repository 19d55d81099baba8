/* SPDX-License-Identifier: MIT */
/*
 * References of blocks: a part has one owner exactly when its count says so, whatever it lies in,
 * and what a block held comes back in pieces, once nobody names it.
 */
#include <signal.h>

#include "support_block.h"

static uint64_t free_before;

static void boot(void)
{
    machine_boot_large();
    free_before = frame_free_count();
}

static struct frame *new_of(unsigned level)
{
    struct frame *block = block_new(level);

    cr_assert(block != NULL);
    EXPECT_EQ(frame_pa(block).raw % (frame_block_frames(level) * PAGE_SIZE), 0);
    return block;
}

static void put_parts(struct frame *block, unsigned level)
{
    for (unsigned i = 0; i < 512; i++) {
        frame_block_put(block + i * frame_block_frames(level - 1), level - 1);
    }
}

Test(frame_block, holds_one_reference_of_each_part_however_many_it_has)
{
    boot();
    for (unsigned level = 1; level <= FRAME_LEVEL_MAX; level++) {
        struct frame *block = new_of(level);

        EXPECT_EQ(frame_free_count(), free_before - frame_block_frames(level));
        expect_parts(block, level, 1);
        frame_block_get(block, level);
        frame_block_get(block, level);
        EXPECT_EQ(refs_of(block, level), 3);
        expect_parts(block, level, 1);
        for (unsigned i = 0; i < 3; i++) {
            EXPECT_EQ(frame_free_count(), free_before - frame_block_frames(level));
            frame_block_put(block, level);
        }
        expect_all_back(free_before);
    }
}

Test(frame_block, a_slice_outlives_the_block)
{
    struct frame *block;

    boot();
    block = new_of(1);
    frame_get(block);
    frame_get(block + 300);
    frame_block_put(block, 1);
    expect_all_back(free_before - 2);
    cr_assert(frame_has_one_ref(block) && frame_has_one_ref(block + 300));
    frame_put(block + 300);
    frame_put(block);
    expect_all_back(free_before);
}

Test(frame_block, a_slice_of_level_1_outlives_a_block_of_level_2)
{
    struct frame *block;

    boot();
    block = new_of(2);
    frame_block_get(block, 1); /* the first: its counts of both levels are in one record */
    frame_block_get(block + 512 * 7, 1);
    frame_get(block + 512 * 9 + 1);
    frame_block_put(block, 2);
    expect_all_back(free_before - 512 * 2 - 1);
    cr_assert(frame_block_has_one_ref(block, 1) && frame_block_has_one_ref(block + 512 * 7, 1));
    frame_put(block + 512 * 9 + 1);
    frame_block_put(block, 1);
    frame_block_put(block + 512 * 7, 1);
    expect_all_back(free_before);
}

Test(frame_block, a_piece_of_reaping_gives_back_512_counts)
{
    struct frame *block;
    unsigned pieces = 0;

    boot();
    cr_assert(!frame_block_reap());
    block = new_of(2);
    frame_block_put(block, 2);
    cr_assert(!vm_space_reap_is_done());
    cr_assert(frame_block_reap()); /* the 1 GiB becomes 512 times 2 MiB, nothing comes free */
    EXPECT_EQ(frame_free_count(), free_before - frame_block_frames(2));
    while (frame_block_reap()) {
        pieces++;
        EXPECT_EQ(frame_free_count(), free_before - frame_block_frames(2) + 512 * pieces);
    }
    EXPECT_EQ(pieces, 512);
    cr_assert(vm_space_reap_is_done());
    expect_all_back(free_before);
    cr_assert(block_new(2) == block, "the memory is not one block again");
}

Test(frame_block, the_reaper_of_spaces_does_a_piece_each_time)
{
    struct frame *blocks[3];

    boot();
    for (unsigned i = 0; i < 3; i++) {
        blocks[i] = new_of(1);
    }
    for (unsigned i = 0; i < 3; i++) {
        frame_block_put(blocks[i], 1);
    }
    for (unsigned i = 0; i < 3; i++) {
        EXPECT_EQ(frame_free_count(), free_before - 512 * (3 - i));
        cr_assert(!vm_space_reap_is_done());
        cr_assert(vm_space_reap());
    }
    cr_assert(vm_space_reap_is_done() && !vm_space_reap());
    expect_all_back(free_before);
}

Test(frame_block, one_owner_is_who_shares_neither_the_block_nor_a_part)
{
    struct frame *block;

    boot();
    block = new_of(1);
    cr_assert(frame_block_has_one_ref(block, 1));
    frame_block_get(block, 1);
    cr_assert(!frame_block_has_one_ref(block, 1));
    frame_block_put(block, 1);
    for (unsigned i = 0; i < 512; i += 73) {
        frame_get(block + i);
        cr_assert(!frame_block_has_one_ref(block, 1));
        cr_assert(!frame_has_one_ref(block + i));
        frame_put(block + i);
        cr_assert(frame_block_has_one_ref(block, 1));
    }
    frame_block_put(block, 1);
    block = new_of(2);
    cr_assert(!frame_block_has_one_ref(block, 2)); /* it would have to look at too many */
    frame_block_get(block, 1);
    cr_assert(!frame_block_has_one_ref(block, 1)); /* the whole has it too */
    frame_block_put(block, 1);
    frame_block_put(block, 2);
    expect_all_back(free_before);
}

Test(frame_block, level_0_is_the_frame)
{
    struct frame *frame;

    boot();
    frame = frame_new();
    frame_block_get(frame, 0);
    cr_assert(!frame_block_has_one_ref(frame, 0));
    frame_block_put(frame, 0);
    cr_assert(frame_block_has_one_ref(frame, 0));
    frame_block_put(frame, 0);
    expect_all_back(free_before);
}

Test(frame_block, the_only_owner_splits_without_a_change_of_the_parts)
{
    boot();
    for (unsigned level = 1; level <= FRAME_LEVEL_MAX; level++) {
        struct frame *block = new_of(level);

        frame_get(block + 5); /* a slice stays */
        frame_block_split(block, level);
        EXPECT_EQ(refs_of(block, level), 0);
        frame_put(block + 5);
        expect_parts(block, level, 1);
        cr_assert(vm_space_reap_is_done());
        put_parts(block, level);
        expect_all_back(free_before);
    }
}

Test(frame_block, who_is_not_alone_gets_the_parts_beside_the_others)
{
    boot();
    for (unsigned level = 1; level <= FRAME_LEVEL_MAX; level++) {
        struct frame *block = new_of(level);

        frame_block_get(block, level);
        frame_block_split(block, level);
        EXPECT_EQ(refs_of(block, level), 1);
        expect_parts(block, level, 2);
        frame_block_put(block, level); /* the other */
        reap_all();
        expect_parts(block, level, 1);
        put_parts(block, level);
        expect_all_back(free_before);
    }
}

Test(frame_block, what_was_split_is_joined_again)
{
    boot();
    for (unsigned level = 1; level <= FRAME_LEVEL_MAX; level++) {
        struct frame *block = new_of(level);

        frame_block_split(block, level);
        frame_block_join(block, level);
        EXPECT_EQ(refs_of(block, level), 1);
        expect_parts(block, level, 1);
        frame_block_put(block, level);
        expect_all_back(free_before);
    }
}

Test(frame_block, frames_got_one_by_one_are_joined_too)
{
    static struct frame *frames[1024];
    struct frame *block = NULL;

    boot();
    EXPECT_EQ(frame_alloc_many(FRAME_USER, frames, 1024), 1024);
    for (unsigned i = 0; i < 1024; i++) {
        if (frame_pa(frames[i]).raw % (512 * PAGE_SIZE) == 0 && i <= 512 &&
            frames[i + 511] == frames[i] + 511) {
            block = frames[i];
        }
    }
    cr_assert(block != NULL, "not even 1024 frames hold a block");
    frame_block_join(block, 1);
    cr_assert(frame_block_has_one_ref(block, 1));
    frame_block_put(block, 1);
    reap_all();
    for (unsigned i = 0; i < 1024; i++) {
        if (frames[i] < block || frames[i] >= block + 512) {
            frame_put(frames[i]);
        }
    }
    expect_all_back(free_before);
}

Test(frame_block, a_put_too_many_is_noticed, .signal = SIGABRT)
{
    struct frame *block;

    boot();
    block = new_of(1);
    frame_block_split(block, 1);
    frame_block_put(block, 1);
}

Test(frame_block, a_get_of_what_nobody_has_is_noticed, .signal = SIGABRT)
{
    struct frame *block;

    boot();
    block = new_of(1);
    frame_block_split(block, 1);
    frame_block_get(block, 1);
}

Test(frame_block, what_has_references_is_not_joined, .signal = SIGABRT)
{
    boot();
    frame_block_join(new_of(1), 1);
}
