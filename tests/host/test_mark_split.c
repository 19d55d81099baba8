/* SPDX-License-Identifier: MIT */
/*
 * Large marks in which something smaller happens: they are pushed down exactly as far as that
 * needs, what all other addresses mean stays as it was, and unmapping goes on when memory is out.
 */
#include "lib/counter.h"
#include "support_mark.h"

#define BASE (4 * GIB)

static uint64_t tables_made(void)
{
    return counter_read(COUNTER_tables_allocated);
}

/* ---- on the way of a cursor ---- */

MODE_TEST(mark_split, only_a_change_pushes_them_down)
{
    struct world world = world_with_mark(*levels);
    uint64_t top = top_bytes(*levels);
    uint64_t at = top + 5 * PAGE_SIZE;
    uint64_t tables = tables_made();

    for (enum vm_cursor_mode mode = VM_CURSOR_QUERY; mode <= VM_CURSOR_EDIT; mode++) {
        struct vm_cursor cursor = cursor_open(&world, at, PAGE_SIZE, mode);

        vm_cursor_close(&cursor);
        EXPECT_EQ(tables_made(), tables);
    }
    expect_slot(&world, at, VM_ITEM_RESERVED, top, top);
    for (unsigned level = *levels - 1; level-- > 0;) { /* an exact fit: covered one level above */
        struct vm_cursor cursor =
            cursor_open(&world, top, pte_level_bytes(level), VM_CURSOR_CHANGE);

        vm_cursor_close(&cursor);
        EXPECT_EQ(tables_made(), ++tables);
        expect_slot(&world, top, VM_ITEM_RESERVED, top, pte_level_bytes(level));
        expect_slot(&world, 2 * top - 1, VM_ITEM_RESERVED, 2 * top - pte_level_bytes(*levels - 2),
                    pte_level_bytes(*levels - 2));
        world_check(&world);
    }
    EXPECT_EQ(vm_space_charged(world.space), 1 + 3 * (*levels - 1)); /* root, stock, tables */
    world_end(&world);
}

MODE_TEST(mark_split, no_table_on_the_way_is_no_cursor)
{
    struct world world = world_with_mark(*levels);
    uint64_t top = top_bytes(*levels);
    uint64_t stock = vm_space_split_stock(world.space);
    status_t status = ERR_NOMEM;
    struct vm_cursor cursor;
    uint64_t allowed;

    for (allowed = 0; status == ERR_NOMEM; allowed++) {
        frame_fail_after(allowed);
        status =
            vm_cursor_open(&cursor, world.space, va_span(top + MIB, PAGE_SIZE), VM_CURSOR_CHANGE);
        frame_fail_after(UINT64_MAX);
        expect_absent(&world, top + MIB);
        EXPECT_EQ(vm_space_split_stock(world.space), stock); /* not for this */
        if (status == ERR_NOMEM) {
            EXPECT_EQ(slot_at(&world, top + MIB).item.kind, VM_ITEM_RESERVED);
            world_check(&world);
        }
    }
    EXPECT_OK(status);
    vm_cursor_close(&cursor);
    cr_assert(allowed > 2); /* what was linked stays, so there are fewer to go each time */
    world_end(&world);
}

/* ---- where a page is mapped ---- */

MODE_TEST(mark_split, a_page_replaces_a_part_of_a_mark)
{
    struct world world = world_with_mark(*levels);
    uint64_t top = top_bytes(*levels);
    uint64_t at = top + top / 2 - PAGE_SIZE; /* on two sides of a boundary of tables */
    struct frame *frames[] = {frame_new(), frame_new()};
    struct vm_cursor cursor = cursor_open(&world, 0, 2 * top, VM_CURSOR_CHANGE);
    uint64_t tables = tables_made();

    EXPECT_OK(vm_cursor_jump(&cursor, va(at)));
    EXPECT_STATUS(vm_cursor_map_frames(&cursor, frames, 2, prop(VM_RW), VM_MAP_EXCLUSIVE),
                  ERR_EXIST);
    EXPECT_STATUS(vm_cursor_fill(&cursor, 2 * PAGE_SIZE, prop(VM_RW)), ERR_EXIST);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, at);
    EXPECT_EQ(tables_made(), tables);
    host_events_start();
    EXPECT_OK(vm_cursor_map_frames(&cursor, frames, 2, prop(VM_RW), VM_MAP_REPLACE));
    vm_cursor_close(&cursor);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_LOCAL), 0); /* V was clear */
    EXPECT_EQ(tables_made(), tables + 2 * (*levels - 1) - 1);
    expect_mapped(&world, at, frames[0], VM_RW);
    expect_mapped(&world, at + PAGE_SIZE, frames[1], VM_RW);
    expect_slot(&world, at - 1, VM_ITEM_RESERVED, at - PAGE_SIZE, PAGE_SIZE);
    expect_slot(&world, at + 2 * PAGE_SIZE, VM_ITEM_RESERVED, at + 2 * PAGE_SIZE, PAGE_SIZE);
    expect_kind(&world, top, at, VM_ITEM_RESERVED, 255 + 511 * (*levels - 2));
    /* at level 0, pages, marks of both kinds and their counts */
    mark_at(&world, at + PAGE_SIZE, 2 * PAGE_SIZE, GUARD);
    map_at(&world, at + 2 * PAGE_SIZE, frame_new(), VM_R);
    world_check(&world);
    EXPECT_EQ(unmap_at(&world, top, top).ram_pages, 2);
    world_end(&world);
}

MODE_TEST(mark_split, a_fill_stops_at_a_mark_in_its_table)
{
    struct world world = world_begin(*levels);
    struct vm_cursor cursor;

    mark_at(&world, BASE + 3 * PAGE_SIZE, PAGE_SIZE, GUARD);
    cursor = cursor_open(&world, BASE, 8 * PAGE_SIZE, VM_CURSOR_CHANGE);
    EXPECT_STATUS(vm_cursor_fill(&cursor, 8 * PAGE_SIZE, prop(VM_RW)), ERR_EXIST);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE + 3 * PAGE_SIZE);
    vm_cursor_close(&cursor);
    expect_slot(&world, BASE + 3 * PAGE_SIZE, VM_ITEM_GUARD, BASE + 3 * PAGE_SIZE, PAGE_SIZE);
    EXPECT_EQ(unmap_at(&world, BASE, 8 * PAGE_SIZE).ram_pages, 3);
    world_end(&world);
}

/* ---- at the ends of an unmap ---- */

/* A hole in a mark of the root's: where, how long, and the tables that making it takes. */
struct hole {
    uint64_t start, bytes;
    unsigned tables;
};

/* Holes for every level: one of its entries, one with a page more at one end or both, one that lies
 * inside a single entry of it. */
static size_t holes_of(unsigned levels, struct hole *holes)
{
    size_t count = 0;

    for (unsigned level = 0; level + 1 < levels; level++) {
        uint64_t bytes = pte_level_bytes(level);
        unsigned down = levels - 1 - level; /* tables from the mark to entries of the level */

        holes[count++] = (struct hole){7 * bytes, bytes, down};
        holes[count++] = (struct hole){0, bytes, down};
        holes[count++] = (struct hole){top_bytes(levels) - bytes, bytes, down};
        if (level > 0) {
            holes[count++] = (struct hole){7 * bytes, bytes + PAGE_SIZE, down + level};
            holes[count++] = (struct hole){7 * bytes + PAGE_SIZE, bytes, down + 2 * level};
            holes[count++] = (struct hole){7 * bytes + PAGE_SIZE, PAGE_SIZE, down + level};
        }
    }
    return count;
}

MODE_TEST(mark_split, an_unmap_makes_holes_anywhere)
{
    struct world world = world_with_mark(*levels);
    uint64_t top = top_bytes(*levels);
    struct hole holes[40];
    size_t count = holes_of(*levels, holes);

    for (size_t i = 0; i < count; i++) {
        struct va_range hole = va_span(top + holes[i].start, holes[i].bytes);
        struct vm_cursor cursor = cursor_open(&world, 0, 2 * top, VM_CURSOR_EDIT);
        uint64_t tables = tables_made();
        struct vm_removed removed;

        EXPECT_OK(vm_cursor_jump(&cursor, hole.start));
        host_events_start();
        EXPECT_OK(vm_cursor_unmap(&cursor, holes[i].bytes, &removed));
        EXPECT_EQ(vm_cursor_va(&cursor).raw, hole.end.raw);
        vm_cursor_close(&cursor);
        EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_LOCAL), 0);
        EXPECT_EQ(removed.ram_pages + removed.io_pages, 0);
        cr_assert(tables_made() == tables + holes[i].tables, "hole %zu: %lu tables, not %u", i,
                  (unsigned long)(tables_made() - tables), holes[i].tables);
        EXPECT_EQ(slot_at(&world, hole.start.raw).item.kind, VM_ITEM_ABSENT);
        EXPECT_EQ(slot_at(&world, hole.end.raw - 1).item.kind, VM_ITEM_ABSENT);
        EXPECT_EQ(slot_at(&world, hole.start.raw - 1).item.kind,
                  holes[i].start > 0 ? VM_ITEM_RESERVED : VM_ITEM_ABSENT);
        EXPECT_EQ(slot_at(&world, hole.end.raw).item.kind,
                  hole.end.raw < 2 * top ? VM_ITEM_RESERVED : VM_ITEM_ABSENT);
        EXPECT_EQ(slot_at(&world, 2 * top - 1).item.kind,
                  hole.end.raw < 2 * top ? VM_ITEM_RESERVED : VM_ITEM_ABSENT);
        EXPECT_EQ(slot_at(&world, top).item.prop.prot, holes[i].start > 0 ? VM_RW : VM_PROT_NONE);
        world_check(&world);
        mark_at(&world, top, top, RESERVED_RW); /* whole again */
        expect_slot(&world, hole.start.raw, VM_ITEM_RESERVED, top, top);
    }
    world_end(&world);
}

/* ---- several things by one cursor ---- */

/* A table is linked where one was detached only when no hart can walk through the old one. */
MODE_TEST(mark_split, a_table_comes_after_the_flush_for_the_one_that_went)
{
    struct world world = world_begin(*levels);
    struct vm_cursor cursor;
    struct vm_removed removed;

    map_at(&world, BASE, frame_new(), VM_RW);
    cursor = cursor_open(&world, BASE, GIB, VM_CURSOR_CHANGE);
    host_events_start();
    EXPECT_OK(vm_cursor_mark(&cursor, 4 * MIB, RESERVED_RW, VM_MAP_REPLACE, 9, &removed));
    EXPECT_EQ(removed.ram_pages, 1);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_LOCAL), 0); /* the mark needs none */
    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE + 5 * PAGE_SIZE)));
    EXPECT_OK(vm_cursor_unmap(&cursor, PAGE_SIZE, &removed));
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_LOCAL), 1);
    vm_cursor_close(&cursor);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_LOCAL), 1);
    expect_slot(&world, BASE + 5 * PAGE_SIZE, VM_ITEM_ABSENT, BASE + 5 * PAGE_SIZE, PAGE_SIZE);
    expect_slot(&world, BASE, VM_ITEM_RESERVED, BASE, PAGE_SIZE);
    world_end(&world);
}

/* Tables full of marks are one edit, like others; marks above them one each. */
MODE_TEST(mark_split, bounded_unmaps_count_marks)
{
    struct world world = world_with_mark(*levels);
    uint64_t top = top_bytes(*levels);
    uint64_t step = pte_level_bytes(*levels - 2);
    struct vm_cursor cursor;
    struct vm_removed removed;

    map_at(&world, top + step, frame_new(), VM_RW);
    cursor = cursor_open(&world, top, top, VM_CURSOR_EDIT);
    EXPECT_OK(vm_cursor_jump(&cursor, va(top)));
    vm_cursor_close(&cursor);
    cursor = cursor_open(&world, 0, 2 * top, VM_CURSOR_EDIT);
    EXPECT_OK(vm_cursor_jump(&cursor, va(top + step / 512)));
    EXPECT_OK(vm_cursor_unmap_bounded(&cursor, top - step / 512, 512, &removed));
    EXPECT_EQ(vm_cursor_va(&cursor).raw, top + 2 * step); /* 511 in the first, the second */
    EXPECT_EQ(removed.ram_pages, 1);
    EXPECT_OK(vm_cursor_unmap_bounded(&cursor, top - 2 * step, 510, &removed));
    EXPECT_EQ(vm_cursor_va(&cursor).raw, 2 * top);
    vm_cursor_close(&cursor);
    EXPECT_EQ(slot_at(&world, 2 * top - 1).item.kind, VM_ITEM_ABSENT);
    expect_slot(&world, top, VM_ITEM_RESERVED, top, step / 512);
    reap_all();
    world_end(&world);
}
