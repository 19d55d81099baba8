/* SPDX-License-Identifier: MIT */
/*
 * What the tests of mapping and touching larger pages share: a world with blocks of all levels,
 * mapping one in a line, and what is there, to compare with what was.
 */
#pragma once

#include <string.h>

#include "lib/counter.h"
#include "mm/vm_cursor_large.h"
#include "support_block.h"
#include "support_rights.h"

#define BASE   (4 * GIB)
#define PAGES  UINT64_C(512)
#define BEFORE (BASE - GIB) /* where what is compared begins, and so many bytes of it */
#define AROUND (4 * GIB)

/* As world_begin; the machine has blocks of level 2, and the space's budget is `budget`. */
static inline struct world world_of_budget(unsigned levels, struct vm_budget *budget)
{
    struct world world = {.levels = levels, .free_before = frame_free_count()};

    EXPECT_OK(vm_space_create(budget, &world.space));
    vm_space_activate(world.space);
    return world;
}

static inline struct world world_large(unsigned levels)
{
    machine_default(2 * GIB);
    machine_boot(levels);
    return world_of_budget(levels, NULL);
}

static inline status_t try_map_block(struct world *world, uint64_t at, struct frame *block,
                                     unsigned level, enum vm_map_mode mode)
{
    uint64_t bytes = pte_level_bytes(level);
    struct vm_cursor cursor = cursor_open(world, at, bytes, VM_CURSOR_CHANGE);
    status_t status = vm_cursor_map_block(&cursor, block, level, prop(VM_RW), mode);

    EXPECT_EQ(vm_cursor_va(&cursor).raw, status == OK ? at + bytes : at);
    vm_cursor_close(&cursor);
    return status;
}

/* Maps a block by a cursor of its own; takes it over. */
static inline void map_block_at(struct world *world, uint64_t at, struct frame *block,
                                unsigned level, enum vm_prot prot)
{
    struct vm_cursor cursor = cursor_open(world, at, pte_level_bytes(level), VM_CURSOR_CHANGE);

    EXPECT_OK(vm_cursor_map_block(&cursor, block, level, prop(prot), VM_MAP_REPLACE));
    vm_cursor_close(&cursor);
}

/* A new block, mapped. */
static inline struct frame *map_new_at(struct world *world, uint64_t at, unsigned level,
                                       enum vm_prot prot)
{
    struct frame *block = block_new(level);

    cr_assert(block != NULL);
    map_block_at(world, at, block, level, prot);
    return block;
}

/* One entry of `level` maps the block with these rights: its first, last and middle page. */
static inline void expect_block(struct world *world, uint64_t at, const struct frame *block,
                                unsigned level, enum vm_prot prot)
{
    uint64_t pages = frame_block_frames(level);
    struct vm_slot slot = slot_at(world, at);

    EXPECT_EQ(slot.item.kind, VM_ITEM_RAM);
    EXPECT_EQ(slot.item.level, level);
    EXPECT_EQ(slot.range.start.raw, at);
    EXPECT_EQ(slot.range.end.raw, at + pages * PAGE_SIZE);
    cr_assert(slot.item.frame == block);
    expect_mapped(world, at, block, prot);
    expect_mapped(world, at + pages / 2 * PAGE_SIZE, block + pages / 2, prot);
    expect_mapped(world, at + (pages - 1) * PAGE_SIZE, block + pages - 1, prot);
}

/* What the addresses around BASE mean, whatever the size of the entries that say it. */
struct meaning {
    unsigned parts; /* runs of addresses that mean what goes on alike */
    uint64_t hash;
};

static inline void mix(struct meaning *meaning, uint64_t word)
{
    meaning->hash = (meaning->hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    meaning->hash ^= meaning->hash >> 29;
}

/* True if the second slot goes on with what the first one says. */
static inline bool goes_on(const struct vm_slot *one, const struct vm_slot *next)
{
    uint64_t bytes = next->range.start.raw - one->range.start.raw;

    if (one->item.kind == VM_ITEM_PAGED) {
        bytes /= PAGE_SIZE; /* pages go on, not addresses */
    } else if (one->item.pa.raw == 0) {
        bytes = 0;
    }
    return one->item.kind == next->item.kind && one->item.prop.prot == next->item.prop.prot &&
           one->item.share == next->item.share && one->item.pa.raw + bytes == next->item.pa.raw;
}

static inline struct meaning meaning_of(struct world *world)
{
    struct meaning meaning = {0};
    struct vm_cursor cursor = cursor_open(world, BEFORE, AROUND, VM_CURSOR_QUERY);
    struct vm_slot first;
    struct vm_slot slot;

    EXPECT_OK(vm_cursor_query(&cursor, &first));
    while (vm_cursor_next(&cursor, &slot) == OK) {
        if (meaning.parts == 0 || !goes_on(&first, &slot)) {
            meaning.parts++;
            mix(&meaning, slot.range.start.raw);
            mix(&meaning, (uint64_t)slot.item.kind << 32 | (uint64_t)slot.item.prop.prot);
            mix(&meaning, slot.item.pa.raw);
            first = slot;
        }
    }
    vm_cursor_close(&cursor);
    return meaning;
}

static inline void expect_meaning(struct world *world, struct meaning before)
{
    struct meaning now = meaning_of(world);

    EXPECT_EQ(now.parts, before.parts);
    EXPECT_EQ(now.hash, before.hash);
    world_check(world);
}

/* Does something with the n-th allocation failing, for n = 0, 1, 2 ... until it succeeds: all that
 * may differ before is the split stock. */
static inline unsigned fail_each(struct world *world, status_t (*act)(struct world *world))
{
    struct meaning before = meaning_of(world);
    uint64_t tables = vm_space_charged(world->space) - vm_space_split_stock(world->space);
    unsigned failed = 0;

    for (;; failed++) {
        status_t status;

        frame_fail_after(failed);
        status = act(world);
        frame_fail_after(UINT64_MAX);
        if (status == OK) {
            return failed;
        }
        EXPECT_STATUS(status, ERR_NOMEM);
        expect_meaning(world, before);
        EXPECT_EQ(vm_space_charged(world->space) - vm_space_split_stock(world->space), tables);
        cr_assert(failed < 100);
    }
}

/* Index of the first event of a kind; how many there are, if there is none. */
static inline size_t first_event_of(enum host_event_kind kind)
{
    size_t i = 0;

    while (i < host_event_count() && host_event_at(i)->kind != kind) {
        i++;
    }
    return i;
}
