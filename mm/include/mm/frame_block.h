/* SPDX-License-Identifier: MIT */
/*
 * Blocks: frames of RAM side by side that one entry above level 0 can map.
 *
 * A block of level L is what an entry of level L maps: 2 MiB (1) or 1 GiB (2), aligned to its size,
 * named by its first frame.  A frame is a block of level 0.  Each has references of its own level,
 * and as long as a block has any, it holds one of each of its 512 parts, which are blocks of the
 * level below:
 *
 *   references of a frame = entries and others that name the frame itself
 *                         + 1 if the block of level 1 that it lies in has references
 *   references of a block of level 1 = those that name it + 1 if that of level 2 has references
 *
 * So a frame is free when its own count says so, and has one owner when its own count is 1,
 * whatever it lies in.  A reference of a part may be had by whoever has one of the whole: a slice.
 * The counts of both levels are in the record of the block's first frame.
 */
#pragma once

#include "mm/frame.h"

struct vm_budget;

#define FRAME_LEVEL_MAX 2U

/* Frames in a block of `level`. */
static inline uint64_t frame_block_frames(unsigned level)
{
    return UINT64_C(1) << (9 * level);
}

/* One more reference of the block of `level` that begins with `frame`.  The caller has one of it,
 * or of a block that contains it.  Level 0 is frame_get. */
void frame_block_get(struct frame *frame, unsigned level);

/* One reference less.  With the last one of a block it is put by for the reaper (vm_space_reap),
 * which gives back what the block holds of its parts.  Level 0 is frame_put.
 * Takes a bounded time.  Context: any below LOCK_REAP. */
void frame_block_put(struct frame *frame, unsigned level);

/* True if whoever asks, who has a reference, has the only one of the block, and nobody has one of
 * any part of it.  Level 1 looks at 512 records.  Level 2 would have to look at 262,144: it is
 * always false.  Level 0 is frame_has_one_ref. */
bool frame_block_has_one_ref(const struct frame *frame, unsigned level);

/* True if whoever asks, who has a reference, has the only one of the block itself, whoever has
 * parts of it.  Nobody gets another but from him. */
bool frame_block_is_named_once(const struct frame *frame, unsigned level);

/* The caller's reference of a block (level >= 1) becomes one of each of its 512 parts.  If it was
 * the only one, what the block held becomes the caller's, and no count of a part changes. */
void frame_block_split(struct frame *frame, unsigned level);

/* The other way round: the caller has the only reference of each of the 512 parts (of their own
 * level), which become his reference of the block. */
void frame_block_join(struct frame *frame, unsigned level);

/* One piece of what frame_block_put has put by: 512 counts at most.  False: nothing is put by. */
bool frame_block_reap(void);

/* ---- Making blocks full of zeroes, in pieces ---- */

/* A block under way.  Zero: none is.  Whoever has it, a thread say, is its only user. */
struct frame_making {
    unsigned wanted;         /* level of the block that somebody asked for; 0: none    */
    struct vm_budget *payer; /* who is to be charged for it, with a reference; or NULL */
    struct frame *block;     /* what there is of it, charged                           */
    uint64_t done;           /* frames of it that are ready                            */
};

/* Asks for a block of `level` (1 or 2), to be charged to `payer` (NULL: to nobody) while it is
 * being made.  What was begun for another level or payer goes. */
void frame_making_want(struct frame_making *making, unsigned level, struct vm_budget *payer);

/* One piece of the work: 64 frames are zeroed.  OK: the block is ready; ERR_AGAIN: not yet;
 * ERR_NOMEM: there is no such block, or the budget is spent; nothing is wanted any more.
 * Something is wanted.  Context: any below LOCK_REAP. */
status_t frame_making_step(struct frame_making *making);

/* True if a block of that level, for that payer, is ready. */
bool frame_making_is_ready(const struct frame_making *making, unsigned level,
                           const struct vm_budget *payer);

/* The block that is ready, FRAME_USER, with one reference of its level.  The charge is given up:
 * who takes it charges it to where it goes.  Nothing is wanted any more. */
struct frame *frame_making_take(struct frame_making *making);

/* The same, but the charge becomes the caller's. */
struct frame *frame_making_take_charged(struct frame_making *making);

/* Gives up what is under way.  Takes a bounded time.  Nothing is wanted any more. */
void frame_making_drop(struct frame_making *making);
