/* SPDX-License-Identifier: MIT */
/*
 * The frame allocator: buddy blocks of 4 KiB to 1 GiB.
 *
 * A free block is named by the record of its first frame (FRAME_FREE, with its order); the others
 * are FRAME_FREE_PART.  Free lists run through the records, never through the memory itself, so
 * free memory is not touched.  Invariant: two free buddies of one order do not exist; they are
 * merged when the second comes free.
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

static struct {
    struct spinlock lock;                /* rank LOCK_FRAMES                              */
    uint32_t heads[FRAME_ORDER_MAX + 1]; /* (l) index + 1 of the first block, 0: empty    */
    uint64_t free_frames;                /* (l)                                           */
    uint64_t total_frames;               /* (l)                                           */
    uint64_t successes_left;             /* (l) test hook, UINT64_MAX: never fail         */
} pool = {.lock = SPINLOCK_INIT(LOCK_FRAMES), .successes_left = UINT64_MAX};

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
    pool.free_frames += UINT64_C(1) << order;
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
    pool.free_frames -= UINT64_C(1) << order;
    return frame;
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

static status_t allocate(enum frame_type type, unsigned order, struct frame **out)
{
    struct frame *frame = NULL;

    spinlock_acquire(&pool.lock);
    if (!failure_is_due()) {
        frame = block_alloc(order);
    }
    if (frame != NULL) {
        for (uint64_t i = 0; i < UINT64_C(1) << order; i++) {
            frame[i].type = (uint8_t)type;
        }
    }
    spinlock_release(&pool.lock);
    if (frame == NULL) {
        return ERR_NOMEM;
    }
    frame_watch_taken(frame_pa(frame), PAGE_SIZE << order);
    for (uint64_t i = 0; i < UINT64_C(1) << order; i++) {
        frame[i].node = NULL;
        /* Relaxed: nobody else knows the frame yet. */
        atomic_store_explicit(&frame[i].refs, 1, memory_order_relaxed);
    }
    counter_add(COUNTER_frames_allocated, UINT64_C(1) << order);
    *out = frame;
    return OK;
}

status_t frame_alloc(enum frame_type type, struct frame **out)
{
    struct frame *frame;
    status_t status = allocate(type, 0, &frame);

    if (status != OK) {
        return status;
    }
    if (type == FRAME_USER) {
        arch_zero_frame(frame_bytes(frame));
        counter_add(COUNTER_frames_zeroed, 1);
    }
    *out = frame;
    return OK;
}

status_t frame_alloc_block(unsigned order, struct frame **out)
{
    return order > FRAME_ORDER_MAX ? ERR_INVAL : allocate(FRAME_KERNEL, order, out);
}

void frame_free(struct frame *frame)
{
    ASSERT_FMT(frame->type >= FRAME_KERNEL, "pa=%lx type=%u", (unsigned long)frame_pa(frame).raw,
               frame->type);
    frame_watch_freed(frame_pa(frame), PAGE_SIZE);
    spinlock_acquire(&pool.lock);
    frame->type = FRAME_FREE_PART; /* unless it becomes the head of its block */
    block_free(frame_index(frame), 0);
    spinlock_release(&pool.lock);
    counter_add(COUNTER_frames_freed, 1);
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
    for (uint64_t i = 0; i < left; i++) {
        frame[i].type = FRAME_FREE_PART;
    }
    while (left > 0) {
        unsigned order = 0;

        while (order < FRAME_ORDER_MAX && is_aligned(index, UINT64_C(2) << order) &&
               UINT64_C(2) << order <= left) {
            order++;
        }
        block_free(index, order);
        index += UINT64_C(1) << order;
        left -= UINT64_C(1) << order;
    }
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
    return seen == pool.free_frames ? NULL : "fewer frames are listed than counted";
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
