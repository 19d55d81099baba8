/* SPDX-License-Identifier: MIT */
/* What the tests of marks share: marking in one line, and what a query says. */
#pragma once

#include <limits.h>

#include "support.h"

static const struct vm_mark RESERVED_RW = {.kind = VM_ITEM_RESERVED, .prot = VM_RW};
static const struct vm_mark GUARD = {.kind = VM_ITEM_GUARD, .prot = VM_PROT_NONE};

/* Marks [at, at + bytes) by a cursor of its own, all at once, whatever is there. */
static inline struct vm_removed mark_at(struct world *world, uint64_t at, uint64_t bytes,
                                        struct vm_mark mark)
{
    struct vm_cursor cursor = cursor_open(world, at, bytes, VM_CURSOR_CHANGE);
    struct vm_removed removed = {0};

    EXPECT_OK(vm_cursor_mark(&cursor, bytes, mark, VM_MAP_REPLACE, UINT_MAX, &removed));
    EXPECT_EQ(vm_cursor_va(&cursor).raw, at + bytes);
    vm_cursor_close(&cursor);
    return removed;
}

/* What a query says of an address. */
static inline struct vm_slot slot_at(const struct world *world, uint64_t at)
{
    struct vm_slot slot;
    struct vm_cursor cursor;

    EXPECT_OK(vm_cursor_open(&cursor, world->space, va_span(at & ~PAGE_MASK, PAGE_SIZE),
                             VM_CURSOR_QUERY));
    EXPECT_OK(vm_cursor_query(&cursor, &slot));
    vm_cursor_close(&cursor);
    return slot;
}

static inline void expect_slot(const struct world *world, uint64_t at, enum vm_item_kind kind,
                               uint64_t start, uint64_t bytes)
{
    struct vm_slot slot = slot_at(world, at);

    cr_assert(slot.item.kind == kind && slot.range.start.raw == start &&
                  slot.range.end.raw == start + bytes,
              "%#lx is of kind %d, [%#lx, %#lx)", (unsigned long)at, slot.item.kind,
              (unsigned long)slot.range.start.raw, (unsigned long)slot.range.end.raw);
    EXPECT_EQ(slot.item.pa.raw, 0);
    cr_assert(slot.item.frame == NULL);
    expect_absent(world, at);
}

/* All of [start, end) is of one kind, in so many slots. */
static inline void expect_kind(const struct world *world, uint64_t start, uint64_t end,
                               enum vm_item_kind kind, unsigned slots)
{
    unsigned count = 0;

    for (uint64_t at = start; at < end; count++) {
        struct vm_slot slot = slot_at(world, at);

        cr_assert(slot.item.kind == kind, "%#lx is of kind %d, not %d", (unsigned long)at,
                  slot.item.kind, kind);
        at = slot.range.end.raw;
    }
    EXPECT_EQ(count, slots);
}

/* Bytes of an entry of the root. */
static inline uint64_t top_bytes(unsigned levels)
{
    return pte_level_bytes(levels - 1);
}

/* A space whose second root entry is one mark. */
static inline struct world world_with_mark(unsigned levels)
{
    struct world world = world_begin(levels);

    mark_at(&world, top_bytes(levels), top_bytes(levels), RESERVED_RW);
    EXPECT_EQ(vm_space_split_stock(world.space), 2 * (levels - 1));
    return world;
}
