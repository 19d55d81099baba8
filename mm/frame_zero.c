/* SPDX-License-Identifier: MIT */
/*
 * Zeroes: the frame of them that readers share, and frames zeroed before anybody asks.
 *
 * A frame that is zeroed ahead is in no list meanwhile, so no lock is held; but it stays free, and
 * who counts free frames does not see it go.
 */
#include "arch/arch.h"
#include "frame_records.h"
#include "lib/counter.h"
#include "mm/frame.h"

static struct frame *zeroes; /* (c) after boot, with a reference of the kernel's */

status_t frame_zero_init(void)
{
    return frame_alloc(FRAME_USER, &zeroes);
}

/* Inline: see frame.c. */
inline struct frame *frame_zero(void)
{
    return zeroes;
}

bool frame_zero_ahead(void)
{
    struct frame *frame = frame_take_to_zero();

    if (frame == NULL) {
        return false;
    }
    arch_zero_frame(frame_bytes(frame));
    counter_add(COUNTER_frames_zeroed_ahead, 1);
    frame_put_zeroed(frame);
    return true;
}
