/* SPDX-License-Identifier: MIT */
/* What the tests of entries above level 0 share: mapping one in one line, and what is then there.
 */
#pragma once

#include "mm/pt_walk.h"
#include "mm/vm_cursor_large.h"
#include "mm/vm_space_priv.h"
#include "support_block.h"
#include "support_mark.h"

#define PARTS    UINT64_C(512)
#define IO_BASE  UINT64_C(0x4000000000) /* aligned to 1 GiB, and no RAM */
#define LARGE(l) pte_level_bytes(l)

/* A world with RAM for a block of that level and some more. */
static inline struct world world_with_room(unsigned levels, unsigned level)
{
    return world_begin_with(levels, level == 2 ? 2 * GIB : 16 * MIB);
}

/* Maps a block that is nobody else's, by a cursor of its own. */
static inline struct frame *map_large(struct world *world, uint64_t at, unsigned level,
                                      enum vm_prot prot)
{
    struct vm_cursor cursor = cursor_open(world, at, LARGE(level), VM_CURSOR_CHANGE);
    struct frame *block = block_new(level);

    cr_assert(block != NULL);
    EXPECT_OK(vm_cursor_map_made(&cursor, block, level, prop(prot), VM_MAP_EXCLUSIVE));
    vm_cursor_close(&cursor);
    return block;
}

/* Maps all of a region, which is made for it. */
static inline struct io_mem *map_region(struct world *world, uint64_t at, uint64_t bytes)
{
    struct vm_cursor cursor = cursor_open(world, at, bytes, VM_CURSOR_CHANGE);
    struct io_mem *io = NULL;
    uint64_t mapped;

    EXPECT_OK(io_mem_create(pa_span(IO_BASE, bytes), "test,large", &io));
    EXPECT_OK(vm_cursor_map_iomem(&cursor, io, (struct vm_prop){VM_RW, VM_MEM_IO}, bytes, 0,
                                  VM_MAP_EXCLUSIVE, &mapped));
    EXPECT_EQ(mapped, bytes);
    vm_cursor_close(&cursor);
    return io;
}

/* Hides what is at [at, at + bytes). */
static inline void hide_at(struct world *world, uint64_t at, uint64_t bytes)
{
    struct vm_cursor cursor = cursor_open(world, at, bytes, VM_CURSOR_EDIT);
    uint64_t pages;

    EXPECT_OK(vm_cursor_protect(&cursor, bytes, VM_PROT_NONE, UINT64_MAX, &pages));
    EXPECT_EQ(pages, bytes / PAGE_SIZE);
    vm_cursor_close(&cursor);
}

/* The address lies in a slot of so many bytes, which is of a kind. */
static inline void expect_extent(const struct world *world, uint64_t at, enum vm_item_kind kind,
                                 uint64_t bytes)
{
    struct vm_slot slot = slot_at(world, at);

    cr_assert(slot.item.kind == kind && slot.range.end.raw - slot.range.start.raw == bytes,
              "%#lx is of kind %d, [%#lx, %#lx)", (unsigned long)at, slot.item.kind,
              (unsigned long)slot.range.start.raw, (unsigned long)slot.range.end.raw);
}

/* The entry at an address, of whatever level. */
static inline pte_t entry_at(const struct world *world, uint64_t at)
{
    struct vm_cursor cursor;
    struct pt_place place;

    EXPECT_OK(vm_cursor_open(&cursor, world->space, va_span(at & ~PAGE_MASK, PAGE_SIZE),
                             VM_CURSOR_QUERY));
    place = pt_look(&cursor, va(at));
    vm_cursor_close(&cursor);
    return place.entry;
}

/* Flushes since host_events_start, and those among them that name no address. */
static inline unsigned flushes_of(bool all_only)
{
    unsigned count = 0;

    for (size_t i = 0; i < host_event_count(); i++) {
        const struct host_event *event = host_event_at(i);

        if (event->kind == HOST_EVENT_FLUSH_LOCAL) {
            count += !all_only || event->op.bytes == 0 ? 1 : 0;
        }
    }
    return count;
}
