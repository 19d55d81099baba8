/* SPDX-License-Identifier: MIT */
/*
 * Frames: physical pages of 4 KiB, each with a record of 16 bytes.
 *
 * The records form one sparse array by frame number; a frame is named by a pointer to its record.
 * A frame has references (handles and mappings alike) or is free.  Frames that programs get are
 * zeroed when they are handed out.
 */
#pragma once

#include <stdatomic.h>

#include "lib/types.h"

enum frame_type {
    FRAME_NONE = 0,  /* no RAM here                                              */
    FRAME_RESERVED,  /* RAM that is not ours: firmware, no-map, what boot left   */
    FRAME_FREE,      /* head of a free block; `order` says how large             */
    FRAME_FREE_PART, /* inside a free block                                      */
    FRAME_KERNEL,    /* in use by the kernel                                     */
    FRAME_TABLE,     /* a page-table node; `node` is its side record             */
    FRAME_SLAB,      /* holds kernel objects                                     */
    FRAME_USER,      /* RAM of programs                                          */
};

struct pt_node;
struct slab;

struct frame {
    _Atomic(uint32_t) refs; /* (a) references; 0: free                       */
    uint8_t type;           /* enum frame_type; changes only at 0 or 1 refs  */
    uint8_t order;          /* (FRAMES lock) of a free block                 */
    uint16_t spare;
    union {
        struct {
            uint32_t next, prev; /* (FRAMES lock) free list, by frame index + 1 */
        } link;
        struct pt_node *node; /* FRAME_TABLE */
        struct slab *slab;    /* FRAME_SLAB  */
        /* (a) FRAME_USER: references of the blocks of level 1 and 2 that begin here
         * (mm/frame_block.h); of a block that was put by, the list's link. */
        _Atomic(uint32_t) block_refs[2];
    };
};

_Static_assert(sizeof(struct frame) == 16, "a frame record is 16 bytes");

#define FRAME_ORDER_MAX 18U /* 1 GiB */

/* One frame with one reference; contents undefined.
 * type:   FRAME_KERNEL, FRAME_TABLE, FRAME_SLAB or FRAME_USER.  FRAME_USER frames come zeroed.
 * Errors: ERR_NOMEM, *out untouched.  Context: any below LOCK_FRAMES. */
status_t frame_alloc(enum frame_type type, struct frame **out);

/* A FRAME_USER frame with one reference that holds what `from` does; NULL: zeroes.  Where somebody
 * stores to `from` meanwhile, each word is one that was there.  Errors and context: the same. */
status_t frame_alloc_copy(struct frame *from, struct frame **out);

/* Up to `count` frames as frame_alloc gives them, one by one, for less than the price of so many
 * calls: ascending where memory is free in one piece.  Returns how many there are: fewer if memory
 * is out. Context: any below LOCK_FRAMES. */
unsigned frame_alloc_many(enum frame_type type, struct frame **frames, unsigned count);

/* 2^order frames, contiguous and aligned to their size, as FRAME_KERNEL; each has one reference.
 * Errors: ERR_INVAL order > FRAME_ORDER_MAX; ERR_NOMEM no such block, *out untouched.
 * Context: any below LOCK_FRAMES. */
status_t frame_alloc_block(unsigned order, struct frame **out);

/* The frame of zeroes that reads of untouched memory share.  FRAME_USER, mapped without W, and only
 * with PTE_SW_PRIVATE or PTE_SW_PENDING.  Its references are counted like any frame's, one of them
 * the kernel's own, so that no entry is ever its only owner. */
struct frame *frame_zero(void);

/* Zeroes one free frame for later, if fewer than 64 are at hand and memory is not short; false if
 * there is nothing to do.  Idle harts call it, and look for work in between.  FRAME_USER frames are
 * taken from what it has made first.  Frames in that stock count as free.
 * Context: no lock held. */
bool frame_zero_ahead(void);

/* One more reference.  The frame must have one already. */
void frame_get(struct frame *frame);

/* One reference less; the last one frees the frame.  Context: any below LOCK_FRAMES. */
void frame_put(struct frame *frame);

/* True if whoever asks, who has a reference, has the only one: what others did with the frame is
 * over, and nobody gets another reference but from him. */
bool frame_has_one_ref(const struct frame *frame);

/* frame_put for many, one after the other: frames that come free side by side are given back
 * together, under one lock.  Begins as FRAME_RUN_NONE; until frame_run_end some of them are not
 * free yet.  The caller ends it when it is done with a node, so that a run is no longer than that.
 */
struct frame_run {
    struct frame *first, *end; /* [first, end): without references, not given back yet */
    paddr_t next;              /* address of `end`, if the run may go on there          */
};
#define FRAME_RUN_NONE ((struct frame_run){.next = {UINT64_MAX}}) /* no frame's address */
void frame_run_put(struct frame_run *run, paddr_t pa);
void frame_run_end(struct frame_run *run);

/* The record of a physical address, or NULL if no RAM known to the kernel is there. */
struct frame *frame_of(paddr_t pa);

/* True if any page of the (page-aligned) range is RAM known to the kernel. */
bool frame_range_has_ram(struct pa_range range);

/* First byte of the frame, and the direct-map pointer to it. */
paddr_t frame_pa(const struct frame *frame);
void *frame_bytes(const struct frame *frame);

/* Turns a reserved boot range (an initrd, say) into FRAME_USER frames with one reference each, so
 * that they can be mapped.  Pages are rounded outwards.  ERR_INVAL: some page of it is not RAM, or
 * is not reserved; nothing changed. */
status_t frame_adopt(struct pa_range range);

/* Free frames, and all frames that ever were the allocator's, in 4 KiB units. */
uint64_t frame_free_count(void);
uint64_t frame_total_count(void);

/* Test hook: the allocation after `successes` more fails, once.  UINT64_MAX: never (the default).
 */
void frame_fail_after(uint64_t successes);

/* Audit: free lists, records and counts agree.  ERR_INVAL with a line on the log if not. */
status_t frame_check(void);
