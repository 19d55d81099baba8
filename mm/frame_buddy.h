/* SPDX-License-Identifier: MIT */
/* Free blocks.  Context: the allocator's lock is held (frame_alloc.c), or boot. */
#pragma once

#include "mm/frame.h"

/* A block of exactly that order, split from a larger one if need be; NULL: there is none.  Its
 * records read FRAME_FREE_PART. */
struct frame *frame_buddy_take(unsigned order);

/* Puts a block in, merged with its buddies as far as they are free. */
void frame_buddy_put(uint64_t index, unsigned order);

/* The frames [index, index + count), in blocks as large as fit. */
void frame_buddy_put_run(uint64_t index, uint64_t count);

/* Audit: what is wrong with the lists, or NULL; *frames: how many are in them, if not more than
 * max_frames. */
const char *frame_buddy_problem(uint64_t max_frames, uint64_t *frames);
