/* SPDX-License-Identifier: MIT */
/* What the tests of hidden pages and of rights share: ranges filled, protected and marked by a
 * cursor of their own, and what is there then. */
#pragma once

#include "arch_host/phys_mem.h"
#include "support_mark.h"

/* Flushes since host_events_start, here and elsewhere. */
static inline uint64_t flushes(void)
{
    return host_event_count_of(HOST_EVENT_FLUSH_LOCAL) +
           host_event_count_of(HOST_EVENT_FLUSH_REMOTE);
}

static inline void fill_at(struct world *world, uint64_t at, uint64_t pages, enum vm_prot prot)
{
    struct vm_cursor cursor = cursor_open(world, at, pages * PAGE_SIZE, VM_CURSOR_CHANGE);

    EXPECT_OK(vm_cursor_fill(&cursor, pages * PAGE_SIZE, prop(prot)));
    vm_cursor_close(&cursor);
}

/* Gives pages from `at` on these rights, by a cursor of its own; how many of RAM there were. */
static inline uint64_t protect_at(struct world *world, uint64_t at, uint64_t pages,
                                  enum vm_prot prot)
{
    struct vm_cursor cursor = cursor_open(world, at, pages * PAGE_SIZE, VM_CURSOR_EDIT);
    uint64_t changed;

    EXPECT_OK(vm_cursor_protect(&cursor, pages * PAGE_SIZE, prot, UINT64_MAX, &changed));
    EXPECT_EQ(vm_cursor_va(&cursor).raw, at + pages * PAGE_SIZE);
    vm_cursor_close(&cursor);
    return changed;
}

static inline struct vm_item item_at(struct world *world, uint64_t at)
{
    struct vm_cursor cursor = cursor_open(world, at, PAGE_SIZE, VM_CURSOR_QUERY);
    struct vm_slot slot;

    EXPECT_OK(vm_cursor_query(&cursor, &slot));
    vm_cursor_close(&cursor);
    return slot.item;
}

/* The entry of a page that has a table of level 0. */
static inline uint64_t *entry_at(const struct world *world, uint64_t at)
{
    return phys_mem_pointer(walk_from(vm_space_root(world->space).raw, world->levels, at).slots[0]);
}

static inline enum pte_sw sw_at(const struct world *world, uint64_t at)
{
    return pte_sw((pte_t){*entry_at(world, at)});
}
