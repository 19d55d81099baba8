/* SPDX-License-Identifier: MIT */
/* What the tests of blocks share. */
#pragma once

#include "mm/frame_block.h"
#include "mm/frame_records.h"
#include "support.h"

/* A machine that has blocks of level 2 too: the one at 3 GiB at least is whole. */
static inline void machine_boot_large(void)
{
    machine_default(2 * GIB);
    machine_boot(4);
}

/* A block of FRAME_USER frames with one reference, whatever is in them; NULL: there is none. */
static inline struct frame *block_new(unsigned level)
{
    struct frame *block = frame_take_block(FRAME_USER, 9 * level);

    if (block != NULL) {
        frame_begin_block(block, FRAME_USER, frame_block_frames(level));
        for (unsigned below = 1; below <= level; below++) {
            for (uint64_t i = 0; i < frame_block_frames(level); i += frame_block_frames(below)) {
                frame_block_join(block + i, below);
            }
        }
    }
    return block;
}

/* References of the frame itself, and of the block of `level` that begins with it. */
static inline unsigned refs_of(const struct frame *frame, unsigned level)
{
    return level == 0 ? atomic_load_explicit(&frame->refs, memory_order_relaxed)
                      : atomic_load_explicit(&frame->block_refs[level - 1], memory_order_relaxed);
}

/* Each of the 512 parts of a block of `level` has so many references. */
static inline void expect_parts(const struct frame *block, unsigned level, unsigned refs)
{
    for (unsigned i = 0; i < 512; i++) {
        EXPECT_EQ(refs_of(block + i * frame_block_frames(level - 1), level - 1), refs);
    }
}

/* Reaps, after which so many frames are free. */
static inline void expect_all_back(uint64_t free_before)
{
    reap_all();
    EXPECT_EQ(frame_free_count(), free_before);
    EXPECT_OK(frame_check());
}
