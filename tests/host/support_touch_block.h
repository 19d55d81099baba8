/* SPDX-License-Identifier: MIT */
/*
 * What the tests of touching larger pages share: faults of somebody who makes blocks, marks that
 * ask for them, objects whose memory comes in them.
 */
#pragma once

#include "arch/slot.h"
#include "mm/mem_object.h"
#include "mm/vm_budget.h"
#include "mm/vm_fault.h"
#include "support_map_block.h"

#define STEPS 8U /* pieces that a block of level 1 is made in */

static inline void reserve_at(struct world *world, uint64_t at, uint64_t bytes, unsigned level)
{
    (void)mark_at(world, at, bytes,
                  (struct vm_mark){.kind = VM_ITEM_RESERVED, .prot = VM_RW, .page_level = level});
}

static inline enum vm_fault_result fault(struct world *world, uint64_t at, enum vm_access access)
{
    return vm_space_fault(world->space, va(at), access);
}

static inline enum vm_fault_result fault_making(struct world *world, uint64_t at,
                                                enum vm_access access, struct frame_making *making)
{
    return vm_space_fault_making(world->space, va(at), access, making);
}

/* Faults until the fault is settled; how often there was more to do first. */
static inline unsigned settle(struct world *world, uint64_t at, enum vm_access access,
                              enum vm_fault_result wanted)
{
    struct frame_making making = {0};
    enum vm_fault_result result;
    unsigned again = 0;

    while ((result = fault_making(world, at, access, &making)) == VM_FAULT_AGAIN) {
        again++;
        cr_assert(again < 1000);
    }
    EXPECT_EQ(result, wanted);
    EXPECT_EQ(making.wanted, 0);
    return again;
}

/* A block that is ready, to be charged to nobody, without the work of making it. */
static inline struct frame_making ready_block(unsigned level)
{
    struct frame *block = block_new(level);

    cr_assert(block != NULL);
    return (struct frame_making){
        .wanted = level, .block = block, .done = frame_block_frames(level)};
}

/* Whether a page holds nothing but this byte. */
static inline bool holds(const struct frame *frame, unsigned char byte)
{
    const unsigned char *bytes = frame_bytes(frame);
    size_t i = 0;

    while (i < PAGE_SIZE && bytes[i] == byte) {
        i++;
    }
    return i == PAGE_SIZE;
}

/* The entry that an address ends at, of any level. */
static inline uint64_t *large_entry_at(const struct world *world, uint64_t at)
{
    struct walk walk = walk_from(vm_space_root(world->space).raw, world->levels, at);

    return phys_mem_pointer(walk.slots[walk.level]);
}

/* Makes W of a private page of level >= 1 pending: a moment in which others name the block. */
static inline void make_pending_at(struct world *world, uint64_t at, struct frame *block,
                                   unsigned level)
{
    frame_block_get(block, level);
    EXPECT_EQ(protect_at(world, at, frame_block_frames(level), VM_R), frame_block_frames(level));
    EXPECT_EQ(protect_at(world, at, frame_block_frames(level), VM_RW), frame_block_frames(level));
    frame_block_put(block, level);
    EXPECT_EQ(pte_sw((pte_t){*large_entry_at(world, at)}), PTE_SW_PENDING);
    EXPECT_EQ(slot_at(world, at).item.level, level);
}

static inline struct frame *map_private_at(struct world *world, uint64_t at, unsigned level,
                                           enum vm_prot prot)
{
    struct frame *block = block_new(level);
    struct vm_cursor cursor = cursor_open(world, at, pte_level_bytes(level), VM_CURSOR_CHANGE);

    cr_assert(block != NULL);
    EXPECT_OK(vm_cursor_map_made(&cursor, block, level, prop(prot), VM_MAP_EXCLUSIVE));
    vm_cursor_close(&cursor);
    return block;
}

static inline struct mem_object *object_of_blocks(struct vm_budget *budget, uint64_t pages)
{
    struct mem_object *object = NULL;

    EXPECT_OK(mem_object_create(budget, pages, 1, &object));
    return object;
}

/* Marks [at, at + bytes) as pages of the object, from `page` on. */
static inline void page_at(struct world *world, uint64_t at, uint64_t bytes,
                           struct mem_object *object, uint64_t page, enum vm_share share,
                           enum vm_prot prot)
{
    (void)mark_at(world, at, bytes,
                  (struct vm_mark){.kind = VM_ITEM_PAGED,
                                   .prot = prot,
                                   .object = object,
                                   .object_page = page,
                                   .share = share});
}
