/* SPDX-License-Identifier: MIT */
/*
 * The frame allocator: buddy blocks of 4 KiB to 1 GiB.
 *
 * A free block is named by the record of its first frame (FRAME_FREE, with its order); the others
 * are FRAME_FREE_PART.  Free lists run through the records, never through the memory itself, so
 * free memory is not touched.  Invariant: two free buddies of one order do not exist; they are
 * merged when the second comes free.
 *
 * Single frames go through a short stack of those that came free last (`recent`), which are parts
 * of no block: so a page that is mapped and unmapped costs no split and no merge, and what is
 * handed out is still in the cache.  Who wants a larger block gets it, the stack emptied if need
 * be.
 *
 *   order 2:  [ . . . . ]          free(x) at order 0:  its buddy free?  then one block of order 1,
 *   order 1:  [ . . ][ . . ]       its buddy free?  then one of order 2, and so on.
 */
#include "mm/frame.h"

#include "arch/arch.h"
#include "arch/frame_watch.h"
#include "frame_records.h"
#include "lib/assert.h"
#include "lib/counter.h"
#include "lib/log.h"
#include "lib/spinlock.h"

#define RECENT_MAX   64U
#define REFILL_ORDER 5U /* 32 frames: half of the stack */

static struct {
    struct spinlock lock;                /* rank LOCK_FRAMES                              */
    uint32_t heads[FRAME_ORDER_MAX + 1]; /* (l) index + 1 of the first block, 0: empty    */
    uint64_t free_frames;                /* (l)                                           */
    uint64_t total_frames;               /* (l)                                           */
    uint64_t successes_left;             /* (l) test hook, UINT64_MAX: never fail         */
    unsigned recent_count;               /* (l) in use of `recent`                        */
} pool = {.lock = SPINLOCK_INIT(LOCK_FRAMES), .successes_left = UINT64_MAX};

/* (l) Free, FRAME_FREE_PART, counted as free. */
static struct frame *recent[RECENT_MAX];

static void list_insert(struct frame *frame, unsigned order)
{
    uint32_t link = (uint32_t)frame_index(frame) + 1;
    uint32_t head = pool.heads[order];

    frame->type = FRAME_FREE;
    frame->order = (uint8_t)order;
    frame->link.next = head;
    frame->link.prev = 0;
    if (head != 0) {
        frame_at(head - 1)->link.prev = link;
    }
    pool.heads[order] = link;
}

static void list_take(struct frame *frame)
{
    if (frame->link.prev != 0) {
        frame_at(frame->link.prev - 1)->link.next = frame->link.next;
    } else {
        pool.heads[frame->order] = frame->link.next;
    }
    if (frame->link.next != 0) {
        frame_at(frame->link.next - 1)->link.prev = frame->link.prev;
    }
    frame->type = FRAME_FREE_PART;
}

/* Puts a block in, merged with its buddies as far as they are free. */
static void block_free(uint64_t index, unsigned order)
{
    while (order < FRAME_ORDER_MAX) {
        struct frame *buddy = frame_at(index ^ (UINT64_C(1) << order));

        if (buddy == NULL || buddy->type != FRAME_FREE || buddy->order != order) {
            break;
        }
        list_take(buddy);
        index &= ~(UINT64_C(1) << order);
        order++;
    }
    list_insert(frame_at(index), order);
}

/* A block of exactly that order, split from a larger one if need be; NULL if there is none. */
static struct frame *block_alloc(unsigned order)
{
    unsigned found = order;
    struct frame *frame;

    while (found <= FRAME_ORDER_MAX && pool.heads[found] == 0) {
        found++;
    }
    if (found > FRAME_ORDER_MAX) {
        return NULL;
    }
    frame = frame_at(pool.heads[found] - 1);
    list_take(frame);
    while (found > order) {
        found--;
        list_insert(frame_at(frame_index(frame) + (UINT64_C(1) << found)), found);
    }
    return frame;
}

/* The frames [index, index + count), in blocks as large as fit. */
static void run_free(uint64_t index, uint64_t count)
{
    while (count > 0) {
        unsigned order = 0;

        while (order < FRAME_ORDER_MAX && is_aligned(index, UINT64_C(2) << order) &&
               UINT64_C(2) << order <= count) {
            order++;
        }
        block_free(index, order);
        index += UINT64_C(1) << order;
        count -= UINT64_C(1) << order;
    }
}

static void recent_drain(void)
{
    while (pool.recent_count > 0) {
        block_free(frame_index(recent[--pool.recent_count]), 0);
    }
}

/* Frames for an empty stack, so that they leave it in ascending order.  None if none is free. */
static void recent_refill(void)
{
    struct frame *first = NULL;
    unsigned order = REFILL_ORDER + 1;

    while (first == NULL && order > 0) {
        first = block_alloc(--order);
    }
    for (unsigned i = 1U << order; first != NULL && i > 0; i--) {
        first[i - 1].type = FRAME_FREE_PART;
        recent[pool.recent_count++] = &first[i - 1];
    }
}

/* One frame, or NULL. */
static inline struct frame *single_alloc(void)
{
    if (pool.recent_count == 0) {
        recent_refill();
    }
    return pool.recent_count > 0 ? recent[--pool.recent_count] : NULL;
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

/* Takes up to `count` single frames; returns how many. */
static unsigned take_singles(enum frame_type type, struct frame **frames, unsigned count)
{
    unsigned taken = 0;

    spinlock_acquire(&pool.lock);
    while (taken < count) {
        struct frame *frame = failure_is_due() ? NULL : single_alloc();

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

/* Takes a block; NULL if there is none. */
static struct frame *take_block(unsigned order)
{
    struct frame *frame = NULL;

    spinlock_acquire(&pool.lock);
    if (!failure_is_due()) {
        frame = block_alloc(order);
        if (frame == NULL && pool.recent_count > 0) {
            recent_drain();
            frame = block_alloc(order);
        }
    }
    if (frame != NULL) {
        pool.free_frames -= UINT64_C(1) << order;
        for (uint64_t i = 0; i < UINT64_C(1) << order; i++) {
            frame[i].type = FRAME_KERNEL;
        }
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

unsigned frame_alloc_many(enum frame_type type, struct frame **frames, unsigned count)
{
    unsigned taken = take_singles(type, frames, count);

    for (unsigned i = 0; i < taken; i++) {
        frame_watch_taken(frame_pa(frames[i]), PAGE_SIZE);
        begin(frames[i]);
        if (type == FRAME_USER) {
            arch_zero_frame(frame_bytes(frames[i]));
        }
    }
    counter_add(COUNTER_frames_allocated, taken);
    counter_add(COUNTER_frames_zeroed, type == FRAME_USER ? taken : 0);
    return taken;
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

status_t frame_alloc_block(unsigned order, struct frame **out)
{
    struct frame *frame = order > FRAME_ORDER_MAX ? NULL : take_block(order);

    if (frame == NULL) {
        return order > FRAME_ORDER_MAX ? ERR_INVAL : ERR_NOMEM;
    }
    frame_watch_taken(frame_pa(frame), PAGE_SIZE << order);
    for (uint64_t i = 0; i < UINT64_C(1) << order; i++) {
        begin(&frame[i]);
    }
    counter_add(COUNTER_frames_allocated, UINT64_C(1) << order);
    *out = frame;
    return OK;
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
        run_free(frame_index(first), count);
    }
    spinlock_release(&pool.lock);
    counter_add(COUNTER_frames_freed, count);
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
    run_free(index, left);
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

/* One free block: whole, aligned, unreferenced, and without a free buddy. */
static bool block_is_sound(const struct frame *frame, unsigned order)
{
    uint64_t index = frame_index(frame);
    const struct frame *buddy = frame_at(index ^ (UINT64_C(1) << order));

    if (frame->type != FRAME_FREE || frame->order != order ||
        !is_aligned(index, UINT64_C(1) << order)) {
        return false;
    }
    for (uint64_t i = 0; i < UINT64_C(1) << order; i++) {
        if (atomic_load_explicit(&frame[i].refs, memory_order_relaxed) != 0 ||
            (i > 0 && frame[i].type != FRAME_FREE_PART)) {
            return false;
        }
    }
    return order == FRAME_ORDER_MAX || buddy == NULL || buddy->type != FRAME_FREE ||
           buddy->order != order;
}

static const char *lists_problem(void)
{
    uint64_t seen = 0;

    for (unsigned order = 0; order <= FRAME_ORDER_MAX; order++) {
        uint32_t prev = 0;

        for (uint32_t link = pool.heads[order]; link != 0;) {
            const struct frame *frame = frame_at(link - 1);

            if (frame == NULL || frame->link.prev != prev || !block_is_sound(frame, order)) {
                return "a free list is damaged";
            }
            seen += UINT64_C(1) << order;
            if (seen > pool.free_frames) {
                return "more frames are listed than counted";
            }
            prev = link;
            link = frame->link.next;
        }
    }
    for (unsigned i = 0; i < pool.recent_count; i++, seen++) {
        const struct frame *frame = recent[i];

        if (frame->type != FRAME_FREE_PART ||
            atomic_load_explicit(&frame->refs, memory_order_relaxed) != 0) {
            return "a frame that came free last is not free";
        }
    }
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
