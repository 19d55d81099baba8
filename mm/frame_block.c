/* SPDX-License-Identifier: MIT */
/*
 * Blocks of frames: their references.
 *
 * A count that goes from 0 to 1 or back is changed by its only owner; all else is done by atomic
 * additions, for whoever adds has a reference.
 */
#include "mm/frame_block.h"

#include "frame_records.h"
#include "lib/assert.h"

#define PARTS 512U

static struct frame *part_of(struct frame *frame, unsigned level, unsigned i)
{
    return frame + i * frame_block_frames(level - 1);
}

void frame_block_get(struct frame *frame, unsigned level)
{
    uint32_t before;

    if (level == 0) {
        frame_get(frame);
        return;
    }
    /* Relaxed: as in frame_get. */
    before = atomic_fetch_add_explicit(&frame->block_refs[level - 1], 1, memory_order_relaxed);
    ASSERT_FMT(before != 0 && before != UINT32_MAX, "pa=%lx level=%u refs=%u",
               (unsigned long)frame_pa(frame).raw, level, before);
}

void frame_block_put(struct frame *frame, unsigned level)
{
    uint32_t before;

    if (level == 0) {
        frame_put(frame);
        return;
    }
    /* Release and acquire: as in frame_put. */
    before = atomic_fetch_sub_explicit(&frame->block_refs[level - 1], 1, memory_order_acq_rel);
    ASSERT_FMT(before != 0, "pa=%lx level=%u", (unsigned long)frame_pa(frame).raw, level);
    if (before == 1) {
        frame_block_park(frame, level);
    }
}

bool frame_block_is_named_once(const struct frame *frame, unsigned level)
{
    if (level == 0) {
        return frame_has_one_ref(frame);
    }
    /* Acquire: as in frame_has_one_ref. */
    return atomic_load_explicit(&frame->block_refs[level - 1], memory_order_acquire) == 1;
}

bool frame_block_has_one_ref(const struct frame *frame, unsigned level)
{
    if (level == 0) {
        return frame_has_one_ref(frame);
    }
    if (level > 1 || !frame_block_is_named_once(frame, level)) {
        return false;
    }
    /* From here on nobody else can get a part but from somebody who has that part. */
    for (unsigned i = 0; i < PARTS; i++) {
        if (!frame_has_one_ref(frame + i)) {
            return false;
        }
    }
    return true;
}

void frame_block_split(struct frame *frame, unsigned level)
{
    ASSERT(level > 0 && level <= FRAME_LEVEL_MAX);
    if (frame_block_is_named_once(frame, level)) {
        /* Relaxed: nobody else names the block. */
        atomic_store_explicit(&frame->block_refs[level - 1], 0, memory_order_relaxed);
        return;
    }
    for (unsigned i = 0; i < PARTS; i++) {
        frame_block_get(part_of(frame, level, i), level - 1);
    }
    frame_block_put(frame, level);
}

void frame_block_join(struct frame *frame, unsigned level)
{
    /* Relaxed: nobody else names the block, nor a part. */
    uint32_t before =
        atomic_exchange_explicit(&frame->block_refs[level - 1], 1, memory_order_relaxed);

    ASSERT_FMT(before == 0, "pa=%lx level=%u refs=%u", (unsigned long)frame_pa(frame).raw, level,
               before);
}
