/* SPDX-License-Identifier: MIT */
/*
 * What the tests of folding share: pages that lie side by side in memory, as those of a split block
 * do, and one fold by a cursor of its own.
 */
#pragma once

#include "mm/vm_cursor_large.h"
#include "support_rights.h"

#define BASE   (4 * GIB)
#define PAGES  UINT64_C(512)
#define TABLES 64U

/* 2^order frames of one block, with one reference each; contents undefined. */
static inline struct frame *frames_new(unsigned order)
{
    struct frame *first = NULL;

    EXPECT_OK(frame_alloc_block(order, &first));
    for (uint64_t i = 0; i < UINT64_C(1) << order; i++) {
        first[i].type = FRAME_USER;
        first[i].link.next = 0; /* the counts of blocks lie there */
        first[i].link.prev = 0;
    }
    return first;
}

/* Maps `count` of them, from the first on, by entries of 4 KiB. */
static inline void map_frames(struct world *world, uint64_t at, struct frame *first, uint64_t count,
                              enum vm_prot prot)
{
    struct vm_cursor cursor = cursor_open(world, at, count * PAGE_SIZE, VM_CURSOR_CHANGE);

    for (uint64_t i = 0; i < count; i++) {
        EXPECT_OK(vm_cursor_map(&cursor, first + i, (struct vm_prop){prot, VM_MEM_PMA},
                                VM_MAP_EXCLUSIVE));
    }
    vm_cursor_close(&cursor);
}

/* 2 MiB of pages that can be one. */
static inline struct frame *map_pieces(struct world *world, uint64_t at, enum vm_prot prot)
{
    struct frame *frames = frames_new(9);

    map_frames(world, at, frames, PAGES, prot);
    return frames;
}

/* Folds [at, at + bytes) by a cursor of its own; the tables that went. */
static inline unsigned fold_at(struct world *world, uint64_t at, uint64_t bytes)
{
    struct vm_cursor cursor = cursor_open(world, at, bytes, VM_CURSOR_EDIT);
    unsigned folded = UINT32_MAX;

    EXPECT_OK(vm_cursor_fold(&cursor, bytes, TABLES, &folded));
    EXPECT_EQ(vm_cursor_va(&cursor).raw, at + bytes);
    vm_cursor_close(&cursor);
    world_check(world);
    return folded;
}

/* Writes 2 MiB of marks page by page. */
static inline void mark_pages(struct world *world, uint64_t at, struct vm_mark mark)
{
    map_at(world, at, frame_new(), VM_RW); /* a table */
    for (unsigned i = 0; i < PAGES; i++) {
        mark_at(world, at + i * PAGE_SIZE, PAGE_SIZE, mark);
        mark.object_page++;
    }
}

/* Bytes of the slot that holds an address. */
static inline uint64_t slot_bytes_at(const struct world *world, uint64_t at)
{
    struct vm_slot slot = slot_at(world, at);

    return slot.range.end.raw - slot.range.start.raw;
}
