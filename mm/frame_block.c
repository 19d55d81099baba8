/* SPDX-License-Identifier: MIT */
/*
 * Blocks of frames: their references.
 *
 * A count that goes from 0 to 1 or back is changed by its only owner; all else is done by atomic
 * additions, for whoever adds has a reference.  A block whose last reference went is put by: nobody
 * can name it as a whole until its parts are given back, so its count serves as the list's link.
 */
#include "mm/frame_block.h"

#include "frame_records.h"
#include "lib/assert.h"
#include "lib/spinlock.h"
#include "reclaim.h"

#define PARTS 512U

/* (l) Put by, by level: index + 1 of the first; 0: none. */
static struct {
    struct spinlock lock; /* rank LOCK_REAP */
    uint32_t first[FRAME_LEVEL_MAX + 1];
} gone = {.lock = SPINLOCK_INIT(LOCK_REAP)};

static struct frame *part_of(struct frame *frame, unsigned level, unsigned i)
{
    return frame + i * frame_block_frames(level - 1);
}

static void put_by(struct frame *frame, unsigned level)
{
    reclaim_begin();
    spinlock_acquire(&gone.lock);
    /* Relaxed: (l). */
    atomic_store_explicit(&frame->block_refs[level - 1], gone.first[level], memory_order_relaxed);
    gone.first[level] = (uint32_t)frame_index(frame) + 1;
    spinlock_release(&gone.lock);
}

/* The first that was put by, or NULL. */
static struct frame *pop(unsigned level)
{
    struct frame *frame = NULL;

    spinlock_acquire(&gone.lock);
    if (gone.first[level] != 0) {
        frame = frame_at(gone.first[level] - 1);
        /* Relaxed: (l), and whoever joins the parts has got each from a put that follows. */
        gone.first[level] =
            atomic_exchange_explicit(&frame->block_refs[level - 1], 0, memory_order_relaxed);
    }
    spinlock_release(&gone.lock);
    return frame;
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
        put_by(frame, level);
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

bool frame_block_reap(void)
{
    struct frame_run run = FRAME_RUN_NONE;
    struct frame *frame = pop(1);
    bool is_large = frame == NULL;

    if (is_large) {
        frame = pop(2);
    }
    if (frame == NULL) {
        return false;
    }
    for (unsigned i = 0; i < PARTS; i++) {
        if (is_large) {
            frame_block_put(part_of(frame, 2, i), 1);
        } else {
            frame_run_put(&run, frame_pa(frame + i));
        }
    }
    frame_run_end(&run);
    reclaim_end();
    return true;
}
