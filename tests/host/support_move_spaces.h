/* SPDX-License-Identifier: MIT */
/* What the tests of moving between spaces share: pages of each kind, and what becomes of them. */
#pragma once

#include "arch/pte_mark.h"
#include "support_move.h"
#include "support_object.h"

#define PAGES 8U
#define NEW   (BASE + 64 * GIB) /* aligned as BASE is */
#define STEP  (2 * MIB)

static inline struct result move_all(const struct sides *sides, uint64_t there, uint64_t bytes)
{
    return move_between(&sides->world, BASE, &sides->other, there, bytes, 256);
}

static inline void map_device(struct world *world, uint64_t at)
{
    struct vm_cursor cursor = cursor_open(world, at, PAGE_SIZE, VM_CURSOR_CHANGE);
    struct io_mem *io;
    uint64_t mapped;

    EXPECT_OK(io_mem_create(pa_span(DEVICE_BASE, PAGE_SIZE), "test,device", &io));
    EXPECT_OK(vm_cursor_map_iomem(&cursor, io, (struct vm_prop){VM_RW, VM_MEM_IO}, PAGE_SIZE, 0,
                                  VM_MAP_EXCLUSIVE, &mapped));
    vm_cursor_close(&cursor);
}

/* One page of each kind, from BASE on. */
static inline void lay_out(struct world *world, struct frame **shared, struct mem_object *object)
{
    struct vm_mark paged = {
        .kind = VM_ITEM_PAGED, .prot = VM_RW, .object = object, .object_page = 5};

    *shared = frame_new();
    frame_get(*shared);
    map_at(world, BASE, *shared, VM_RW);
    map_at(world, BASE + PAGE_SIZE, frame_new(), VM_RX);
    (void)page_with(world, BASE + 2 * PAGE_SIZE, 3);
    protect_at(world, BASE + 2 * PAGE_SIZE, VM_PROT_NONE);
    reserve(world, BASE + 3 * PAGE_SIZE, VM_RW);
    put_mark(world, BASE + 4 * PAGE_SIZE, (struct pte_mark){.kind = PTE_MARK_GUARD});
    mark_range(world, BASE + 5 * PAGE_SIZE, PAGE_SIZE, paged);
    map_device(world, BASE + 7 * PAGE_SIZE);
}

static inline void expect_laid_out(const struct world *world, uint64_t at,
                                   const struct mem_object *object)
{
    static const enum vm_item_kind kinds[PAGES] = {VM_ITEM_RAM,      VM_ITEM_RAM,   VM_ITEM_HIDDEN,
                                                   VM_ITEM_RESERVED, VM_ITEM_GUARD, VM_ITEM_PAGED,
                                                   VM_ITEM_ABSENT,   VM_ITEM_IO};
    static const enum vm_prot prots[PAGES] = {VM_RW,        VM_RX, VM_PROT_NONE, VM_RW,
                                              VM_PROT_NONE, VM_RW, VM_PROT_NONE, VM_RW};

    for (unsigned i = 0; i < PAGES; i++) {
        struct vm_slot slot = slot_of(world, at + i * PAGE_SIZE);

        EXPECT_EQ(slot.item.kind, kinds[i]);
        EXPECT_EQ(slot.item.prop.prot, prots[i]);
    }
    cr_assert(slot_of(world, at + 5 * PAGE_SIZE).item.object == object);
    EXPECT_EQ(slot_of(world, at + 5 * PAGE_SIZE).item.object_page, 5);
    cr_assert(holds(slot_of(world, at + 2 * PAGE_SIZE).item.frame, 3));
}
