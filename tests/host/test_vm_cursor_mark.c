/* SPDX-License-Identifier: MIT */
/*
 * Marks: what addresses mean while no page is there.  One store at the highest level that fits, and
 * what is there leaves.  What is refused is tested in test_vm_cursor_mark_refused.c, and what
 * happens inside a large mark in test_mark_split.c.
 */
#include "lib/counter.h"
#include "support_mark.h"

#define BASE (4 * GIB)

/* ---- where they are written ---- */

MODE_TEST(vm_cursor_mark, an_aligned_extent_is_one_store_at_each_level)
{
    struct world world = world_begin(*levels);

    mark_at(&world, BASE, PAGE_SIZE, GUARD); /* the tables on the way, and the split stock */
    mark_at(&world, BASE + 2 * GIB, 2 * MIB, GUARD);
    for (unsigned level = 0; level < *levels; level++) {
        uint64_t bytes = pte_level_bytes(level);
        uint64_t at = bytes < BASE ? BASE + bytes : bytes;
        uint64_t tables, stores = counter_read(COUNTER_entry_stores);
        struct vm_cursor cursor;
        struct vm_removed removed;

        cursor = cursor_open(&world, at, bytes, VM_CURSOR_CHANGE);
        tables = counter_read(COUNTER_tables_allocated);
        host_events_start();
        EXPECT_OK(vm_cursor_mark(&cursor, bytes, RESERVED_RW, VM_MAP_EXCLUSIVE, 1, &removed));
        EXPECT_EQ(vm_cursor_va(&cursor).raw, at + bytes);
        vm_cursor_close(&cursor);
        EXPECT_EQ(host_event_count(), 1); /* the store, and no fence */
        EXPECT_EQ(counter_read(COUNTER_entry_stores) - stores, 1);
        EXPECT_EQ(counter_read(COUNTER_tables_allocated), tables);
        EXPECT_EQ(removed.ram_pages + removed.io_pages, 0);
        expect_slot(&world, at + bytes - 1, VM_ITEM_RESERVED, at, bytes);
        EXPECT_EQ(slot_at(&world, at).item.prop.prot, VM_RW);
        world_check(&world);
    }
    world_end(&world);
}

/* Unaligned at both ends: pages, then 2 MiB, then 1 GiB, and down again. */
MODE_TEST(vm_cursor_mark, any_range_is_written_at_the_highest_levels)
{
    struct world world = world_begin(*levels);
    uint64_t start = BASE - 2 * MIB - 3 * PAGE_SIZE;
    uint64_t end = BASE + 2 * GIB + 4 * MIB + 5 * PAGE_SIZE;

    EXPECT_EQ(mark_at(&world, start, end - start, GUARD).ram_pages, 0);
    expect_kind(&world, start, end, VM_ITEM_GUARD, 3 + 1 + 2 + 2 + 5);
    expect_slot(&world, start - 1, VM_ITEM_ABSENT, start - PAGE_SIZE, PAGE_SIZE);
    expect_slot(&world, end, VM_ITEM_ABSENT, end, PAGE_SIZE);
    EXPECT_EQ(unmap_at(&world, start - PAGE_SIZE, end - start + 2 * PAGE_SIZE).ram_pages, 0);
    EXPECT_EQ(slot_at(&world, BASE).item.kind, VM_ITEM_ABSENT);
    EXPECT_EQ(slot_at(&world, end - 1).item.kind, VM_ITEM_ABSENT);
    world_end(&world);
}

/* The whole user half is 256 entries of the root, and gone as cheaply. */
MODE_TEST(vm_cursor_mark, costs_do_not_grow_with_the_length)
{
    struct world world = world_begin(*levels);
    uint64_t limit = vm_space_user_limit().raw;
    uint64_t stores = counter_read(COUNTER_entry_stores);
    uint64_t stock = 2 * (*levels - 1);

    mark_at(&world, 0, limit, RESERVED_RW);
    EXPECT_EQ(counter_read(COUNTER_entry_stores) - stores, 256);
    EXPECT_EQ(vm_space_charged(world.space), 1 + stock);
    expect_slot(&world, limit - 1, VM_ITEM_RESERVED, limit - limit / 256, limit / 256);
    unmap_at(&world, 0, limit);
    EXPECT_EQ(counter_read(COUNTER_entry_stores) - stores, 512);
    EXPECT_EQ(vm_space_charged(world.space), 1 + stock);
    world_end(&world);
}

/* ---- what looks at them ---- */

MODE_TEST(vm_cursor_mark, next_and_find_next_know_them)
{
    static const struct {
        enum vm_item_kind kind;
        uint64_t bytes;
    } want[] = {
        {VM_ITEM_RESERVED, PAGE_SIZE},      {VM_ITEM_RESERVED, PAGE_SIZE},
        {VM_ITEM_GUARD, PAGE_SIZE},         {VM_ITEM_RAM, PAGE_SIZE},
        {VM_ITEM_GUARD, MIB /* clipped */},
    };
    struct world world = world_begin(*levels);
    uint64_t start = BASE - 4 * PAGE_SIZE;
    struct vm_cursor cursor;
    struct vm_slot slot;
    uint64_t at = start;
    vaddr_t found;

    mark_at(&world, start, 2 * PAGE_SIZE,
            (struct vm_mark){.kind = VM_ITEM_RESERVED, .prot = VM_PROT_NONE});
    mark_at(&world, start + 2 * PAGE_SIZE, PAGE_SIZE, GUARD);
    mark_at(&world, BASE, 2 * MIB, GUARD);
    map_at(&world, BASE - PAGE_SIZE, frame_new(), VM_R);
    cursor = cursor_open(&world, start, 4 * PAGE_SIZE + MIB, VM_CURSOR_QUERY);
    EXPECT_OK(vm_cursor_find_next(&cursor, 4 * PAGE_SIZE + MIB, &found));
    EXPECT_EQ(found.raw, BASE - PAGE_SIZE);
    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE)));
    EXPECT_STATUS(vm_cursor_find_next(&cursor, MIB, &found), ERR_NOENT);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE + MIB);
    EXPECT_OK(vm_cursor_jump(&cursor, va(start)));
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        EXPECT_OK(vm_cursor_next(&cursor, &slot));
        EXPECT_EQ(slot.item.kind, want[i].kind);
        EXPECT_EQ(slot.range.start.raw, at);
        at += want[i].bytes;
        EXPECT_EQ(slot.range.end.raw, at);
        EXPECT_EQ(slot.item.prop.prot, want[i].kind == VM_ITEM_RAM ? VM_R : VM_PROT_NONE);
    }
    EXPECT_STATUS(vm_cursor_next(&cursor, &slot), ERR_NOENT);
    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE + PAGE_SIZE))); /* inside the large one */
    EXPECT_OK(vm_cursor_next(&cursor, &slot));
    EXPECT_EQ(slot.range.start.raw, BASE + PAGE_SIZE);
    EXPECT_EQ(slot.item.pa.raw, 0);
    vm_cursor_close(&cursor);
    world_end(&world);
}

/* ---- what is there leaves ---- */

MODE_TEST(vm_cursor_mark, pages_leave_with_one_flush_and_are_counted)
{
    struct world world = world_begin(*levels);
    uint64_t free_before;
    struct vm_removed removed;

    mark_at(&world, BASE, 8 * MIB, GUARD); /* other marks are written over */
    for (uint64_t page = 0; page < 4; page++) {
        map_at(&world, BASE + 2 * MIB - 2 * PAGE_SIZE + page * PAGE_SIZE, frame_new(), VM_RW);
        map_at(&world, BASE + 6 * MIB - 2 * PAGE_SIZE + page * PAGE_SIZE, frame_new(), VM_RW);
    }
    free_before = frame_free_count();
    host_events_start();
    removed = mark_at(&world, BASE + 2 * MIB - PAGE_SIZE, 4 * MIB + 2 * PAGE_SIZE, RESERVED_RW);
    EXPECT_EQ(removed.ram_pages, 6);
    EXPECT_EQ(removed.io_pages, 0);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_LOCAL), 1);
    EXPECT_EQ(frame_free_count(), free_before + 6); /* the two tables go later */
    expect_kind(&world, BASE + 2 * MIB - PAGE_SIZE, BASE + 6 * MIB + PAGE_SIZE, VM_ITEM_RESERVED,
                1 + 2 + 1);
    EXPECT_EQ(slot_at(&world, BASE + 2 * MIB - 2 * PAGE_SIZE).item.kind, VM_ITEM_RAM);
    EXPECT_EQ(slot_at(&world, BASE + 6 * MIB + PAGE_SIZE).item.kind, VM_ITEM_RAM);
    EXPECT_EQ(slot_at(&world, BASE).item.kind, VM_ITEM_GUARD);
    world_check(&world);
    reap_all();
    EXPECT_EQ(frame_free_count(), free_before + 6 + 2);
    world_end(&world);
}

MODE_TEST(vm_cursor_mark, a_bound_is_kept_and_one_edit_makes_progress)
{
    static const unsigned bounds[] = {1, 3, 100};
    struct world world = world_begin(*levels);

    for (size_t i = 0; i < ARRAY_LEN(bounds); i++) {
        uint64_t end = BASE + 4 * MIB;
        uint64_t at = end - 6 * PAGE_SIZE;
        unsigned steps = 0;
        uint64_t pages = 0;

        map_at(&world, at + PAGE_SIZE, frame_new(), VM_RW);
        map_at(&world, end + PAGE_SIZE, frame_new(), VM_RW); /* in a table that goes whole */
        for (; at < end + 4 * MIB; steps++) {
            struct vm_cursor cursor = cursor_open(&world, at, end + 4 * MIB - at, VM_CURSOR_CHANGE);
            struct vm_removed removed;

            EXPECT_OK(vm_cursor_mark(&cursor, end + 4 * MIB - at, GUARD, VM_MAP_REPLACE, bounds[i],
                                     &removed));
            cr_assert(vm_cursor_va(&cursor).raw > at);
            at = vm_cursor_va(&cursor).raw;
            pages += removed.ram_pages;
            vm_cursor_close(&cursor);
            world_check(&world);
        }
        EXPECT_EQ(steps, (8 + bounds[i] - 1) / bounds[i]); /* six pages, two of 2 MiB */
        EXPECT_EQ(pages, 2);
        expect_kind(&world, end - 6 * PAGE_SIZE, end + 4 * MIB, VM_ITEM_GUARD, 8);
    }
    world_end(&world);
}

/* Pages of a region are given back one by one. */
MODE_TEST(vm_cursor_mark, pages_of_a_region_leave_in_steps)
{
    struct world world = world_begin(*levels);
    struct vm_cursor cursor;
    struct vm_removed removed;
    struct io_mem *io;
    uint64_t mapped;

    EXPECT_OK(io_mem_create(pa_span(DEVICE_BASE, 100 * PAGE_SIZE), "x", &io));
    cursor = cursor_open(&world, BASE, 4 * MIB, VM_CURSOR_CHANGE);
    EXPECT_OK(vm_cursor_map_iomem(&cursor, io, prop(VM_RW), 100 * PAGE_SIZE, 0, VM_MAP_EXCLUSIVE,
                                  &mapped));
    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE)));
    EXPECT_OK(vm_cursor_mark(&cursor, 4 * MIB, GUARD, VM_MAP_REPLACE, 60, &removed));
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE + 60 * PAGE_SIZE);
    EXPECT_EQ(removed.io_pages, 60);
    EXPECT_EQ(io_mem_refs(io), 40);
    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE)));
    EXPECT_OK(vm_cursor_mark(&cursor, 4 * MIB, GUARD, VM_MAP_REPLACE, 60, &removed));
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE + 4 * MIB); /* the table is whole again: 41 and 1 */
    EXPECT_EQ(removed.io_pages, 40);
    vm_cursor_close(&cursor);
    EXPECT_EQ(io_mem_refs(io), 0);
    expect_kind(&world, BASE, BASE + 4 * MIB, VM_ITEM_GUARD, 2);
    world_end(&world);
}
