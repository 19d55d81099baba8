/* SPDX-License-Identifier: MIT */
/*
 * The frame allocator.
 *
 * Free memory lies in blocks (frame_buddy.c).  Single frames go through a short stack of those that
 * came free last (`recent`), which are parts of no block: so a page that is mapped and unmapped
 * costs no split and no merge, and what is handed out is still in the cache.  Beside it is a stock
 * of frames that were zeroed when a hart had nothing else to do (`zeroed`), which programs get
 * first.  Who wants more than the blocks have gets what is in both.  All of it counts as free.
 */
#include "mm/frame.h"

#include "arch/arch.h"
#include "arch/frame_watch.h"
#include "frame_buddy.h"
#include "frame_records.h"
#include "lib/assert.h"
#include "lib/counter.h"
#include "lib/log.h"
#include "lib/spinlock.h"

#define RECENT_MAX   64U
#define REFILL_ORDER 5U   /* 32 frames: half of the stack               */
#define ZEROED_MAX   64U  /* frames in the stock                        */
#define ZEROED_SPARE 256U /* nothing is zeroed ahead when fewer are free */

static struct {
    struct spinlock lock;    /* rank LOCK_FRAMES                                     */
    uint64_t free_frames;    /* (l)                                                  */
    uint64_t total_frames;   /* (l)                                                  */
    uint64_t successes_left; /* (l) test hook, UINT64_MAX: never fail                */
    unsigned recent_count;   /* (l) in use of `recent`                               */
    unsigned zeroed_first;   /* (l) where in `zeroed` the oldest is                  */
    unsigned zeroed_count;   /* (l) in use of `zeroed`                               */
    unsigned zeroing;        /* (l) free, and with a hart that fills them with zeroes */
} pool = {.lock = SPINLOCK_INIT(LOCK_FRAMES), .successes_left = UINT64_MAX};

/* (l) Free, FRAME_FREE_PART, counted as free. */
static struct frame *recent[RECENT_MAX];

/* (l) Likewise, and full of zeroes; a ring, so that they leave it in the order they came in. */
static struct frame *zeroed[ZEROED_MAX];

/* The oldest of the stock, or NULL. */
static inline struct frame *zeroed_take(void)
{
    struct frame *frame = NULL;

    if (pool.zeroed_count > 0) {
        frame = zeroed[pool.zeroed_first];
        pool.zeroed_first = (pool.zeroed_first + 1) % ZEROED_MAX;
        pool.zeroed_count--;
    }
    return frame;
}

/* Makes blocks of all free frames that are in none. */
static void singles_drain(void)
{
    while (pool.recent_count > 0) {
        frame_buddy_put(frame_index(recent[--pool.recent_count]), 0);
    }
    for (struct frame *frame = zeroed_take(); frame != NULL; frame = zeroed_take()) {
        frame_watch_freed(frame_pa(frame), PAGE_SIZE);
        frame_buddy_put(frame_index(frame), 0);
    }
}

/* Frames for an empty stack, so that they leave it in ascending order.  None if none is free. */
static void recent_refill(void)
{
    struct frame *first = NULL;
    unsigned order = REFILL_ORDER + 1;

    while (first == NULL && order > 0) {
        first = frame_buddy_take(--order);
    }
    for (unsigned i = 1U << order; first != NULL && i > 0; i--) {
        first[i - 1].type = FRAME_FREE_PART;
        recent[pool.recent_count++] = &first[i - 1];
    }
}

/* One frame, or NULL; of the stock only if there is no other. */
static inline struct frame *single_alloc(void)
{
    if (pool.recent_count == 0) {
        recent_refill();
    }
    return pool.recent_count > 0 ? recent[--pool.recent_count] : zeroed_take();
}

static bool failure_is_due(void)
{
    if (pool.successes_left == UINT64_MAX) {
        return false;
    }
    if (pool.successes_left == 0) {
        pool.successes_left = UINT64_MAX;
        return true;
    }
    pool.successes_left--;
    return false;
}

/* What frames are to contain. */
enum contents {
    CONTENTS_ANY,
    CONTENTS_ZEROES,
};

/* Takes up to `count` single frames; returns how many.  The first *clean of them are as wanted. The
 * type is set under the lock: who frees a neighbour looks at it. */
static unsigned take_singles(enum frame_type type, enum contents contents, struct frame **frames,
                             unsigned count, unsigned *clean)
{
    unsigned taken = 0;

    *clean = 0;
    spinlock_acquire(&pool.lock);
    while (taken < count && !failure_is_due()) {
        struct frame *frame = contents == CONTENTS_ZEROES ? zeroed_take() : NULL;

        *clean += frame != NULL ? 1 : 0;
        frame = frame != NULL ? frame : single_alloc();
        if (frame == NULL) {
            break;
        }
        frame->type = (uint8_t)type;
        frames[taken++] = frame;
    }
    pool.free_frames -= taken;
    spinlock_release(&pool.lock);
    return taken;
}

struct frame *frame_take_block(enum frame_type type, unsigned order)
{
    struct frame *frame = NULL;

    spinlock_acquire(&pool.lock);
    if (!failure_is_due()) {
        frame = frame_buddy_take(order);
        if (frame == NULL && pool.recent_count + pool.zeroed_count > 0) {
            singles_drain();
            frame = frame_buddy_take(order);
        }
    }
    if (frame != NULL) {
        pool.free_frames -= UINT64_C(1) << order;
        frame->type = (uint8_t)type; /* whoever frees a buddy looks at the first only */
    }
    spinlock_release(&pool.lock);
    return frame;
}

/* A frame that was taken begins its life. */
static inline void begin(struct frame *frame)
{
    frame->node = NULL;
    /* Relaxed: nobody else knows the frame yet. */
    atomic_store_explicit(&frame->refs, 1, memory_order_relaxed);
}

static inline unsigned alloc_singles(enum frame_type type, enum contents contents,
                                     struct frame **frames, unsigned count)
{
    unsigned clean;
    unsigned taken = take_singles(type, contents, frames, count, &clean);

    for (unsigned i = 0; i < clean; i++) {
        begin(frames[i]);
    }
    for (unsigned i = clean; i < taken; i++) {
        frame_watch_taken(frame_pa(frames[i]), PAGE_SIZE);
        begin(frames[i]);
        if (contents == CONTENTS_ZEROES) {
            arch_zero_frame(frame_bytes(frames[i]));
        }
    }
    counter_add(COUNTER_frames_allocated, taken);
    counter_add(COUNTER_frames_zeroed, contents == CONTENTS_ZEROES ? taken - clean : 0);
    counter_add(COUNTER_frames_from_stock, clean);
    return taken;
}

unsigned frame_alloc_many(enum frame_type type, struct frame **frames, unsigned count)
{
    return alloc_singles(type, type == FRAME_USER ? CONTENTS_ZEROES : CONTENTS_ANY, frames, count);
}

status_t frame_alloc(enum frame_type type, struct frame **out)
{
    struct frame *frame;

    if (frame_alloc_many(type, &frame, 1) == 0) {
        return ERR_NOMEM;
    }
    *out = frame;
    return OK;
}

status_t frame_alloc_to_fill(struct frame **out)
{
    struct frame *frame;

    if (alloc_singles(FRAME_USER, CONTENTS_ANY, &frame, 1) == 0) {
        return ERR_NOMEM;
    }
    *out = frame;
    return OK;
}

status_t frame_alloc_block(unsigned order, struct frame **out)
{
    struct frame *frame = order > FRAME_ORDER_MAX ? NULL : frame_take_block(FRAME_KERNEL, order);

    if (frame == NULL) {
        return order > FRAME_ORDER_MAX ? ERR_INVAL : ERR_NOMEM;
    }
    frame_begin_block(frame, FRAME_KERNEL, UINT64_C(1) << order);
    *out = frame;
    return OK;
}

void frame_begin_block(struct frame *first, enum frame_type type, uint64_t count)
{
    frame_watch_taken(frame_pa(first), count * PAGE_SIZE);
    for (uint64_t i = 0; i < count; i++) {
        if (first[i].type != (uint8_t)type) { /* the block's first has it since the lock */
            first[i].type = (uint8_t)type;
        }
        begin(&first[i]);
    }
    counter_add(COUNTER_frames_allocated, count);
}

void frame_return_rest(struct frame *first, uint64_t count)
{
    spinlock_acquire(&pool.lock);
    pool.free_frames += count;
    frame_buddy_put_run(frame_index(first), count);
    spinlock_release(&pool.lock);
}

void frame_free(struct frame *first, uint64_t count)
{
    frame_watch_freed(frame_pa(first), count * PAGE_SIZE);
    spinlock_acquire(&pool.lock);
    for (uint64_t i = 0; i < count; i++) {
        ASSERT_FMT(first[i].type >= FRAME_KERNEL, "pa=%lx type=%u",
                   (unsigned long)frame_pa(&first[i]).raw, first[i].type);
        first[i].type = FRAME_FREE_PART; /* unless it becomes the head of its block */
    }
    pool.free_frames += count;
    if (count == 1 && pool.recent_count < RECENT_MAX) {
        recent[pool.recent_count++] = first;
    } else {
        frame_buddy_put_run(frame_index(first), count);
    }
    spinlock_release(&pool.lock);
    counter_add(COUNTER_frames_freed, count);
}

struct frame *frame_take_to_zero(void)
{
    struct frame *frame = NULL;

    spinlock_acquire(&pool.lock);
    if (pool.zeroed_count + pool.zeroing < ZEROED_MAX && pool.free_frames > ZEROED_SPARE) {
        frame = single_alloc();
        ASSERT(frame != NULL);
        pool.zeroing++;
    }
    spinlock_release(&pool.lock);
    if (frame != NULL) {
        frame_watch_taken(frame_pa(frame), PAGE_SIZE);
    }
    return frame;
}

void frame_put_zeroed(struct frame *frame)
{
    spinlock_acquire(&pool.lock);
    pool.zeroing--;
    zeroed[(pool.zeroed_first + pool.zeroed_count++) % ZEROED_MAX] = frame;
    spinlock_release(&pool.lock);
}

void frame_release_range(struct pa_range range)
{
    struct frame *frame = frame_of(range.start);
    uint64_t index;
    uint64_t left = pa_range_bytes(range) >> PAGE_SHIFT;

    ASSERT(frame != NULL);
    index = frame_index(frame);
    spinlock_acquire(&pool.lock);
    pool.total_frames += left;
    pool.free_frames += left;
    for (uint64_t i = 0; i < left; i++) {
        frame[i].type = FRAME_FREE_PART;
    }
    frame_buddy_put_run(index, left);
    spinlock_release(&pool.lock);
}

void frame_total_add(uint64_t frames)
{
    spinlock_acquire(&pool.lock);
    pool.total_frames += frames;
    spinlock_release(&pool.lock);
}

uint64_t frame_free_count(void)
{
    uint64_t count;

    spinlock_acquire(&pool.lock);
    count = pool.free_frames;
    spinlock_release(&pool.lock);
    return count;
}

uint64_t frame_total_count(void)
{
    uint64_t count;

    spinlock_acquire(&pool.lock);
    count = pool.total_frames;
    spinlock_release(&pool.lock);
    return count;
}

void frame_fail_after(uint64_t successes)
{
    spinlock_acquire(&pool.lock);
    pool.successes_left = successes;
    spinlock_release(&pool.lock);
}

static bool is_free_single(const struct frame *frame)
{
    return frame->type == FRAME_FREE_PART &&
           atomic_load_explicit(&frame->refs, memory_order_relaxed) == 0;
}

static const char *lists_problem(void)
{
    uint64_t seen;
    const char *problem = frame_buddy_problem(pool.free_frames, &seen);

    for (unsigned i = 0; i < pool.recent_count && problem == NULL; i++) {
        problem = is_free_single(recent[i]) ? NULL : "a frame that came free last is not free";
    }
    for (unsigned i = 0; i < pool.zeroed_count && problem == NULL; i++) {
        problem = is_free_single(zeroed[(pool.zeroed_first + i) % ZEROED_MAX])
                      ? NULL
                      : "a frame that was zeroed ahead is not free";
    }
    if (problem != NULL) {
        return problem;
    }
    seen += pool.recent_count + pool.zeroed_count + pool.zeroing;
    return seen == pool.free_frames ? NULL : "not as many frames are listed as counted";
}

status_t frame_check(void)
{
    const char *problem;

    spinlock_acquire(&pool.lock);
    problem = lists_problem();
    spinlock_release(&pool.lock);
    if (problem != NULL) {
        log_printf("frame_check: %s\n", problem);
        return ERR_INVAL;
    }
    return OK;
}
