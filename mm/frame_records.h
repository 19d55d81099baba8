/* SPDX-License-Identifier: MIT */
/*
 * Between the files named so: frame.c (records), frame_alloc.c and frame_buddy.c (free lists),
 * frame_copy.c, frame_zero.c, frame_block.c and frame_making.c: records by index, and what they
 * tell each other.
 *
 * The index of a frame is its distance, in frames, from the start of the direct map, which is
 * aligned to 1 GiB, so that buddies by index are buddies by address.
 */
#pragma once

#include "arch/machine.h"
#include "mm/frame.h"

/* Frames that the 32-bit links of a record can name. */
#define FRAME_INDEX_LIMIT (UINT64_C(1) << 32)

/* Sets the place of the records: first_record is the (virtual) record of index 0, for the frame at
 * first_pa.  Then every bank is told by frame_records_add, in ascending order. */
void frame_records_init(struct frame *first_record, paddr_t first_pa);

/* RAM [range.start, range.end) has records; they read FRAME_RESERVED now.  ERR_NOSPC: too many. */
status_t frame_records_add(struct pa_range range);

/* Record by index, or NULL if there is none. */
struct frame *frame_at(uint64_t index);

uint64_t frame_index(const struct frame *frame);

/* So many frames more that are the allocator's once they come free. */
void frame_total_add(uint64_t frames);

/* Hands [range) of reserved frames to the free lists, at boot. */
void frame_release_range(struct pa_range range);

/* Last references gone: frames side by side, back to the free lists. */
void frame_free(struct frame *first, uint64_t count);

/* For blocks that are begun in pieces (frame_making.c).  take: 2^order frames, contiguous and
 * aligned to their size, none of them begun, or NULL; the first has its type.  begin: each of the
 * next ones gets its type and one reference.  return: those from `first`, not the
 * block's own, to its end, not begun. */
struct frame *frame_take_block(enum frame_type type, unsigned order);
void frame_begin_block(struct frame *first, enum frame_type type, uint64_t count);
void frame_return_rest(struct frame *first, uint64_t count);

/* A block of level >= 1 without references is put by for the reaper (frame_block_reap.c). */
void frame_block_park(struct frame *frame, unsigned level);

/* A FRAME_USER frame with one reference that is not zeroed: who asks for it stores to all of it
 * before a program sees it.  ERR_NOMEM. */
status_t frame_alloc_to_fill(struct frame **out);

/* A free frame that somebody may fill with zeroes and put into the stock; NULL: the stock is full,
 * or memory is short.  It counts as free all the while. */
struct frame *frame_take_to_zero(void);
void frame_put_zeroed(struct frame *frame);

/* Makes the frame that frame_zero tells, at boot.  ERR_NOMEM. */
status_t frame_zero_init(void);
