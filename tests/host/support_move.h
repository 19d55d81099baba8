/* SPDX-License-Identifier: MIT */
/* What the tests of moving share: two spaces, moves in one line, and what a query says. */
#pragma once

#include "mm/vm_budget.h"
#include "mm/vm_fault.h"
#include "support_touch.h"

#define THERE (BASE + 8 * GIB + 3 * PAGE_SIZE)

/* Two spaces; `other` has only `space` and `levels`. */
struct sides {
    struct world world;
    struct world other;
};

static inline struct sides sides_begin(unsigned levels)
{
    struct sides sides = {.world = world_begin(levels), .other = {.levels = levels}};

    EXPECT_OK(vm_space_create(NULL, &sides.other.space));
    return sides;
}

static inline void sides_end(struct sides *sides)
{
    EXPECT_OK(vm_space_check(sides->other.space));
    vm_space_put(sides->other.space);
    reap_all();
    EXPECT_EQ(frame_refs(frame_zero()), 1);
    world_end(&sides->world);
}

struct result {
    status_t status;
    uint64_t from_done, to_done;
};

static inline struct result move_result(status_t status, const struct vm_cursor *from, uint64_t at,
                                        const struct vm_cursor *to, uint64_t there)
{
    return (struct result){status, vm_cursor_va(from).raw - at, vm_cursor_va(to).raw - there};
}

/* From the first world to the second, with both cursors opened in the order that one hart may. */
static inline struct result move_between(const struct world *from, uint64_t at,
                                         const struct world *to, uint64_t there, uint64_t bytes,
                                         unsigned max_edits)
{
    bool from_first = vm_space_root(from->space).raw < vm_space_root(to->space).raw;
    struct vm_cursor source;
    struct vm_cursor target;
    struct result result;

    for (unsigned i = 0; i < 2; i++) {
        if ((i == 0) == from_first) {
            EXPECT_OK(vm_cursor_open(&source, from->space, va_span(at, bytes), VM_CURSOR_EDIT));
        } else {
            EXPECT_OK(vm_cursor_open(&target, to->space, va_span(there, bytes), VM_CURSOR_CHANGE));
        }
    }
    result = move_result(vm_cursor_move(&source, &target, bytes, max_edits), &source, at, &target,
                         there);
    vm_cursor_close(&source);
    vm_cursor_close(&target);
    return result;
}

/* Inside one space. */
static inline struct result move_inside(const struct world *world, uint64_t at, uint64_t there,
                                        uint64_t bytes, unsigned max_edits)
{
    struct va_range ranges[2] = {va_span(at, bytes), va_span(there, bytes)};
    struct vm_cursor pair[2];
    struct result result;

    EXPECT_OK(vm_cursor_open_two(pair, world->space, ranges, VM_CURSOR_CHANGE));
    result = move_result(vm_cursor_move(&pair[0], &pair[1], bytes, max_edits), &pair[0], at,
                         &pair[1], there);
    vm_cursor_close_two(pair);
    return result;
}

static inline void expect_done(struct result result, status_t status, uint64_t bytes)
{
    EXPECT_STATUS(result.status, status);
    EXPECT_EQ(result.from_done, bytes);
    EXPECT_EQ(result.to_done, bytes);
}

/* What a query says. */
static inline struct vm_slot slot_of(const struct world *world, uint64_t at)
{
    struct vm_cursor cursor;
    struct vm_slot slot;

    EXPECT_OK(vm_cursor_open(&cursor, world->space, va_span(at, PAGE_SIZE), VM_CURSOR_QUERY));
    EXPECT_OK(vm_cursor_query(&cursor, &slot));
    vm_cursor_close(&cursor);
    return slot;
}

/* A private page that may be written, with this in it. */
static inline struct frame *page_with(struct world *world, uint64_t at, unsigned char byte)
{
    struct frame *frame = frame_new();

    memset(frame_bytes(frame), byte, PAGE_SIZE);
    map_at(world, at, frame, VM_RW);
    return frame;
}

static inline void protect_at(struct world *world, uint64_t at, enum vm_prot prot)
{
    struct vm_cursor cursor = cursor_open(world, at, PAGE_SIZE, VM_CURSOR_EDIT);
    uint64_t pages;

    EXPECT_OK(vm_cursor_protect(&cursor, PAGE_SIZE, prot, 1, &pages));
    vm_cursor_close(&cursor);
}

static inline void mark_range(struct world *world, uint64_t at, uint64_t bytes, struct vm_mark mark)
{
    struct vm_cursor cursor = cursor_open(world, at, bytes, VM_CURSOR_CHANGE);
    struct vm_removed removed;

    EXPECT_OK(vm_cursor_mark(&cursor, bytes, mark, VM_MAP_EXCLUSIVE, 8192, &removed));
    EXPECT_EQ(vm_cursor_va(&cursor).raw, at + bytes);
    vm_cursor_close(&cursor);
}
