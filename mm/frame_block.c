/* SPDX-License-Identifier: MIT */
/* Blocks of frames: their references. */
#include "mm/frame_block.h"

void frame_block_get(struct frame *frame, unsigned level)
{
    (void)level;
    frame_get(frame);
}

void frame_block_put(struct frame *frame, unsigned level)
{
    (void)level;
    frame_put(frame);
}

bool frame_block_has_one_ref(const struct frame *frame, unsigned level)
{
    return level == 0 && frame_has_one_ref(frame);
}

void frame_block_split(struct frame *frame, unsigned level)
{
    (void)frame;
    (void)level;
}

void frame_block_join(struct frame *frame, unsigned level)
{
    (void)frame;
    (void)level;
}

bool frame_block_reap(void)
{
    return false;
}
