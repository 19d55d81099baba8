/* SPDX-License-Identifier: MIT */
/*
 * Marks: what addresses mean while no page is there.  Each mark is one store at the highest level
 * that fits, is pushed down where a smaller thing happens inside it, and every operation knows it.
 */
#include <limits.h>

#include "lib/counter.h"
#include "support.h"

#define BASE (4 * GIB)

static const struct vm_mark RESERVED_RW = {VM_ITEM_RESERVED, VM_RW};
static const struct vm_mark GUARD = {VM_ITEM_GUARD, VM_PROT_NONE};

/* Marks [at, at + bytes) by a cursor of its own, all at once. */
static struct vm_removed mark_at(struct world *world, uint64_t at, uint64_t bytes,
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
static struct vm_slot slot_at(const struct world *world, uint64_t at)
{
    struct vm_slot slot;
    struct vm_cursor cursor;
    uint64_t page = at & ~PAGE_MASK;

    EXPECT_OK(vm_cursor_open(&cursor, world->space, va_span(page, PAGE_SIZE), VM_CURSOR_QUERY));
    EXPECT_OK(vm_cursor_query(&cursor, &slot));
    vm_cursor_close(&cursor);
    return slot;
}

static void expect_slot(const struct world *world, uint64_t at, enum vm_item_kind kind,
                        uint64_t start, uint64_t bytes)
{
    struct vm_slot slot = slot_at(world, at);

    EXPECT_EQ(slot.item.kind, kind);
    EXPECT_EQ(slot.range.start.raw, start);
    EXPECT_EQ(slot.range.end.raw, start + bytes);
    EXPECT_EQ(slot.item.pa.raw, 0);
    cr_assert(slot.item.frame == NULL);
    expect_absent(world, at);
}

/* ---- one store at the highest level that fits ---- */

MODE_TEST(vm_cursor_mark, an_aligned_extent_is_one_store_at_each_level)
{
    struct world world = world_begin(*levels);

    mark_at(&world, BASE, PAGE_SIZE, GUARD); /* the tables on the way, and the split stock */
    mark_at(&world, BASE + 2 * GIB, 2 * MIB, GUARD);
    for (unsigned level = 0; level < *levels; level++) {
        uint64_t bytes = pte_level_bytes(level);
        uint64_t at = bytes < BASE ? BASE + bytes : bytes;
        uint64_t tables, flushes, stores = counter_read(COUNTER_entry_stores);
        struct vm_cursor cursor;
        struct vm_removed removed;

        cursor = cursor_open(&world, at, bytes, VM_CURSOR_CHANGE);
        tables = counter_read(COUNTER_tables_allocated);
        flushes = counter_read(COUNTER_tlb_flush_local);
        EXPECT_OK(vm_cursor_mark(&cursor, bytes, RESERVED_RW, VM_MAP_REPLACE, 1, &removed));
        EXPECT_EQ(vm_cursor_va(&cursor).raw, at + bytes);
        vm_cursor_close(&cursor);
        EXPECT_EQ(counter_read(COUNTER_tlb_flush_local), flushes);
        EXPECT_EQ(counter_read(COUNTER_entry_stores) - stores, 1);
        EXPECT_EQ(counter_read(COUNTER_tables_allocated), tables);
        EXPECT_EQ(removed.ram_pages + removed.io_pages, 0);
        expect_slot(&world, at + bytes - 1, VM_ITEM_RESERVED, at, bytes);
        EXPECT_EQ(slot_at(&world, at).item.prop.prot, VM_RW);
        world_check(&world);
    }
    world_end(&world);
}
