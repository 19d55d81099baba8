/* SPDX-License-Identifier: MIT */
/* What the tests of large pages share: mapping them, what of them is where, and memory that is out
 * altogether. */
#pragma once

#include "mm/frame_block.h"
#include "mm/vm_budget.h"
#include "mm/vm_cursor_large.h"
#include "support_held.h"
#include "support_move.h"

#define LARGE UINT64_C(0x200000)
#define PARTS 512U

/* A block with one reference.  The first words of its frames say which of it they are, if it is of
 * 2 MiB. */
static inline struct frame *block_with(unsigned level, uint64_t word)
{
    struct frame *block = NULL;

    EXPECT_OK(frame_alloc_block(9 * level, &block));
    for (uint64_t i = 0; i < frame_block_frames(level); i++) {
        block[i].type = FRAME_USER;
        block[i].link.next = 0; /* the counts of blocks lie there */
        block[i].link.prev = 0;
    }
    for (unsigned below = 1; below <= level; below++) {
        for (uint64_t i = 0; i < frame_block_frames(level); i += frame_block_frames(below)) {
            frame_block_join(block + i, below);
        }
    }
    for (uint64_t i = 0; level == 1 && i < PARTS; i++) {
        *(uint64_t *)frame_bytes(block + i) = word + i;
    }
    return block;
}

static inline unsigned block_refs(const struct frame *block, unsigned level)
{
    return atomic_load_explicit(&block->block_refs[level - 1], memory_order_relaxed);
}

static inline void map_block_at(const struct world *world, uint64_t at, struct frame *block,
                                unsigned level, enum vm_prot prot)
{
    uint64_t bytes = pte_level_bytes(level);
    struct vm_cursor cursor;

    EXPECT_OK(vm_cursor_open(&cursor, world->space, va_span(at, bytes), VM_CURSOR_CHANGE));
    EXPECT_OK(vm_cursor_map_made(&cursor, block, level, prop(prot), VM_MAP_EXCLUSIVE));
    EXPECT_EQ(vm_cursor_va(&cursor).raw, at + bytes);
    vm_cursor_close(&cursor);
}

/* A private page of 2 MiB. */
static inline struct frame *large_page_at(const struct world *world, uint64_t at, enum vm_prot prot)
{
    struct frame *block = block_with(1, at);

    map_block_at(world, at, block, 1, prot);
    return block;
}

/* A device's registers, all of a region that is made for them. */
static inline struct io_mem *device_at(struct world *world, uint64_t at, uint64_t bytes)
{
    struct vm_cursor cursor = cursor_open(world, at, bytes, VM_CURSOR_CHANGE);
    struct io_mem *io;
    uint64_t mapped;

    EXPECT_OK(io_mem_create(pa_span(DEVICE_BASE, bytes), "test,device", &io));
    EXPECT_OK(vm_cursor_map_iomem(&cursor, io, (struct vm_prop){VM_RW, VM_MEM_IO}, bytes, 0,
                                  VM_MAP_EXCLUSIVE, &mapped));
    vm_cursor_close(&cursor);
    return io;
}

/* Gives [at, at + bytes) these rights, all at once; the pages that it says there were. */
static inline uint64_t protect_range(const struct world *world, uint64_t at, uint64_t bytes,
                                     enum vm_prot prot)
{
    struct vm_cursor cursor;
    uint64_t pages;

    EXPECT_OK(vm_cursor_open(&cursor, world->space, va_span(at, bytes), VM_CURSOR_EDIT));
    EXPECT_OK(vm_cursor_protect(&cursor, bytes, prot, UINT64_MAX, &pages));
    EXPECT_EQ(vm_cursor_va(&cursor).raw, at + bytes);
    vm_cursor_close(&cursor);
    EXPECT_OK(vm_space_check(world->space));
    return pages;
}

/* The slot of an address is [at, at + bytes), of that kind, with those rights in meaning. */
static inline void expect_slot_is(const struct world *world, uint64_t at, uint64_t bytes,
                                  enum vm_item_kind kind, enum vm_prot prot)
{
    struct vm_slot slot = slot_of(world, at);

    cr_assert(slot.item.kind == kind && slot.item.prop.prot == prot,
              "%#lx is of kind %d, with rights %d", (unsigned long)at, slot.item.kind,
              slot.item.prop.prot);
    EXPECT_EQ(slot.range.start.raw, at);
    EXPECT_EQ(slot.range.end.raw, at + bytes);
}

/* Every page of [at, at + bytes) leads to its frame of the block, by `first` on, with these rights,
 * whatever the size of the entries. */
static inline void expect_block(const struct world *world, uint64_t at, const struct frame *first,
                                uint64_t bytes, enum vm_prot prot)
{
    for (uint64_t i = 0; i < bytes / PAGE_SIZE; i++) {
        expect_mapped(world, at + i * PAGE_SIZE, first + i, prot);
    }
}

/* sides_begin, where the other space can pay for the tables down to level 1, the split stock, and
 * so many pages.  The caller gives the budget back. */
static inline struct sides sides_limited(unsigned levels, uint64_t pages, struct vm_budget **budget)
{
    struct sides sides = {.world = world_begin(levels), .other = {.levels = levels}};
    unsigned tables = levels - 1;
    unsigned stock = 2 * (levels - 1);

    EXPECT_OK(vm_budget_create(NULL, tables + stock + pages, budget));
    EXPECT_OK(vm_space_create(*budget, &sides.other.space));
    return sides;
}

/* The entry that holds an address, of whatever level. */
static inline struct pte_slot *slot_in(const struct world *world, uint64_t at)
{
    struct pt_node *node = world->space->root;
    struct pte_slot *slot = &node->slots[pte_index(va(at), node->level)];

    while (pte_is_table(pte_slot_load(slot))) {
        node = pt_node_of(pte_slot_load(slot));
        slot = &node->slots[pte_index(va(at), node->level)];
    }
    return slot;
}
