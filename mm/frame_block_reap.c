/* SPDX-License-Identifier: MIT */
/*
 * The end of blocks: what a block without references holds of its parts, given back in pieces.
 *
 * Nobody can name such a block as a whole until each of its parts was given back, so its count
 * serves as the list's link.
 */
#include "frame_records.h"
#include "lib/spinlock.h"
#include "mm/frame_block.h"
#include "reclaim.h"

#define PARTS 512U

/* (l) By level: index + 1 of the first; 0: none. */
static struct {
    struct spinlock lock; /* rank LOCK_REAP */
    uint32_t first[FRAME_LEVEL_MAX + 1];
} parked = {.lock = SPINLOCK_INIT(LOCK_REAP)};

void frame_block_park(struct frame *frame, unsigned level)
{
    reclaim_begin();
    spinlock_acquire(&parked.lock);
    /* Relaxed: (l). */
    atomic_store_explicit(&frame->block_refs[level - 1], parked.first[level], memory_order_relaxed);
    parked.first[level] = (uint32_t)frame_index(frame) + 1;
    spinlock_release(&parked.lock);
}

/* One that was parked, of level 1 if there is such a one, or NULL. */
static struct frame *pop(unsigned *level)
{
    struct frame *frame = NULL;

    spinlock_acquire(&parked.lock);
    *level = parked.first[1] != 0 ? 1 : 2;
    if (parked.first[*level] != 0) {
        frame = frame_at(parked.first[*level] - 1);
        /* Relaxed: (l), and whoever joins the parts has got each from a put that follows. */
        parked.first[*level] =
            atomic_exchange_explicit(&frame->block_refs[*level - 1], 0, memory_order_relaxed);
    }
    spinlock_release(&parked.lock);
    return frame;
}

/* Each part of a block of level 1 is a frame. */
static void give_back_frames(struct frame *block)
{
    struct frame_run run = FRAME_RUN_NONE;

    for (unsigned i = 0; i < PARTS; i++) {
        frame_run_put(&run, frame_pa(block + i));
    }
    frame_run_end(&run);
}

static void give_back_blocks(struct frame *block)
{
    for (unsigned i = 0; i < PARTS; i++) {
        frame_block_put(block + i * frame_block_frames(1), 1);
    }
}

bool frame_block_reap(void)
{
    unsigned level;
    struct frame *block = pop(&level);

    if (block == NULL) {
        return false;
    }
    if (level == 1) {
        give_back_frames(block);
    } else {
        give_back_blocks(block);
    }
    reclaim_end();
    return true;
}
