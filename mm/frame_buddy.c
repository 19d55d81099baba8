/* SPDX-License-Identifier: MIT */
/*
 * Free blocks of 4 KiB to 1 GiB, by the buddy system.
 *
 * A free block is named by the record of its first frame (FRAME_FREE, with its order); the others
 * are FRAME_FREE_PART.  Free lists run through the records, never through the memory itself, so
 * free memory is not touched.  Invariant: two free buddies of one order do not exist; they are
 * merged when the second comes free.
 *
 *   order 2:  [ . . . . ]          put(x) at order 0:  its buddy free?  then one block of order 1,
 *   order 1:  [ . . ][ . . ]       its buddy free?  then one of order 2, and so on.
 */
#include "frame_buddy.h"

#include "frame_records.h"

static uint32_t heads[FRAME_ORDER_MAX + 1]; /* (FRAMES lock) index + 1 of the first, 0: empty */

static void list_insert(struct frame *frame, unsigned order)
{
    uint32_t link = (uint32_t)frame_index(frame) + 1;
    uint32_t head = heads[order];

    frame->type = FRAME_FREE;
    frame->order = (uint8_t)order;
    frame->link.next = head;
    frame->link.prev = 0;
    if (head != 0) {
        frame_at(head - 1)->link.prev = link;
    }
    heads[order] = link;
}

static void list_take(struct frame *frame)
{
    if (frame->link.prev != 0) {
        frame_at(frame->link.prev - 1)->link.next = frame->link.next;
    } else {
        heads[frame->order] = frame->link.next;
    }
    if (frame->link.next != 0) {
        frame_at(frame->link.next - 1)->link.prev = frame->link.prev;
    }
    frame->type = FRAME_FREE_PART;
}

void frame_buddy_put(uint64_t index, unsigned order)
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

struct frame *frame_buddy_take(unsigned order)
{
    unsigned found = order;
    struct frame *frame;

    while (found <= FRAME_ORDER_MAX && heads[found] == 0) {
        found++;
    }
    if (found > FRAME_ORDER_MAX) {
        return NULL;
    }
    frame = frame_at(heads[found] - 1);
    list_take(frame);
    while (found > order) {
        found--;
        list_insert(frame_at(frame_index(frame) + (UINT64_C(1) << found)), found);
    }
    return frame;
}

void frame_buddy_put_run(uint64_t index, uint64_t count)
{
    while (count > 0) {
        unsigned order = 0;

        while (order < FRAME_ORDER_MAX && is_aligned(index, UINT64_C(2) << order) &&
               UINT64_C(2) << order <= count) {
            order++;
        }
        frame_buddy_put(index, order);
        index += UINT64_C(1) << order;
        count -= UINT64_C(1) << order;
    }
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

const char *frame_buddy_problem(uint64_t max_frames, uint64_t *frames)
{
    *frames = 0;
    for (unsigned order = 0; order <= FRAME_ORDER_MAX; order++) {
        uint32_t prev = 0;

        for (uint32_t link = heads[order]; link != 0;) {
            const struct frame *frame = frame_at(link - 1);

            if (frame == NULL || frame->link.prev != prev || !block_is_sound(frame, order)) {
                return "a free list is damaged";
            }
            *frames += UINT64_C(1) << order;
            if (*frames > max_frames) {
                return "more frames are listed than counted";
            }
            prev = link;
            link = frame->link.next;
        }
    }
    return NULL;
}
