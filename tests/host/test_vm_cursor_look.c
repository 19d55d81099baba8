/* SPDX-License-Identifier: MIT */
/*
 * Looking through a cursor: query, next, find_next, jump.  Extents of absent slots are compared
 * with where the independent walker's walk ends.
 */
#include "support.h"

#define BASE (4 * GIB)

/* The slot must be the one the walker ends in. */
static void expect_slot(const struct world *world, uint64_t at, const struct vm_slot *slot)
{
    struct walk_result walk =
        walk_access(vm_space_root(world->space).raw, world->levels, at, ORACLE_READ, WALK_USER);

    EXPECT_EQ(slot->range.start.raw, align_down(at, walk.page_bytes));
    EXPECT_EQ(slot->range.end.raw, align_down(at, walk.page_bytes) + walk.page_bytes);
    EXPECT_EQ(slot->item.kind != VM_ITEM_ABSENT, walk.end == WALK_LEAF);
}

MODE_TEST(vm_cursor_look, query_tells_frame_and_properties)
{
    struct world world = world_begin(*levels);
    struct frame *frame = frame_new();
    struct vm_cursor cursor;
    struct vm_slot slot;

    map_at(&world, BASE + PAGE_SIZE, frame, VM_RX);
    cursor = cursor_open(&world, BASE, 4 * PAGE_SIZE, VM_CURSOR_QUERY);
    EXPECT_OK(vm_cursor_query(&cursor, &slot));
    expect_slot(&world, BASE, &slot);
    EXPECT_EQ(slot.item.kind, VM_ITEM_ABSENT);
    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE + PAGE_SIZE)));
    EXPECT_OK(vm_cursor_query(&cursor, &slot));
    expect_slot(&world, BASE + PAGE_SIZE, &slot);
    EXPECT_EQ(slot.item.kind, VM_ITEM_RAM);
    cr_assert(slot.item.frame == frame);
    EXPECT_EQ(slot.item.pa.raw, frame_pa(frame).raw);
    EXPECT_EQ(slot.item.prop.prot, VM_RX);
    EXPECT_EQ(slot.item.prop.mem, VM_MEM_PMA);
    cr_assert(slot.item.accessed && !slot.item.dirty);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE + PAGE_SIZE); /* a query does not move */
    EXPECT_EQ(frame_refs(frame), 1);                        /* and borrows           */
    vm_cursor_close(&cursor);
    world_end(&world);
}

MODE_TEST(vm_cursor_look, get_takes_a_reference)
{
    struct world world = world_begin(*levels);
    struct frame *frame = frame_new();
    struct vm_cursor cursor;
    struct vm_slot slot;

    map_at(&world, BASE, frame, VM_RW);
    cursor = cursor_open(&world, BASE, 2 * PAGE_SIZE, VM_CURSOR_QUERY);
    EXPECT_OK(vm_cursor_query_get(&cursor, &slot));
    EXPECT_EQ(frame_refs(frame), 2);
    cr_assert(slot.item.dirty, "D is preset with W");
    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE + PAGE_SIZE)));
    EXPECT_OK(vm_cursor_query_get(&cursor, &slot)); /* absent: no frame */
    EXPECT_EQ(slot.item.kind, VM_ITEM_ABSENT);
    vm_cursor_close(&cursor);
    unmap_at(&world, BASE, PAGE_SIZE);
    EXPECT_EQ(frame_refs(frame), 1);
    EXPECT_EQ(frame->type, FRAME_USER);
    frame_put(frame);
    world_end(&world);
}

MODE_TEST(vm_cursor_look, absent_slots_have_the_extent_of_their_entry)
{
    struct world world = world_begin(*levels);
    struct vm_cursor cursor;
    struct vm_slot slot;

    map_at(&world, BASE, frame_new(), VM_R);
    cursor = cursor_open(&world, 0, vm_space_user_limit().raw, VM_CURSOR_QUERY);
    for (unsigned bit = PAGE_SHIFT; bit < 38; bit++) {
        uint64_t at = BASE ^ UINT64_C(1) << bit;

        EXPECT_OK(vm_cursor_jump(&cursor, va(at)));
        EXPECT_OK(vm_cursor_query(&cursor, &slot));
        expect_slot(&world, at, &slot);
    }
    vm_cursor_close(&cursor);
    world_end(&world);
}

MODE_TEST(vm_cursor_look, the_end_is_no_slot)
{
    struct world world = world_begin(*levels);
    struct vm_cursor cursor = cursor_open(&world, BASE, PAGE_SIZE, VM_CURSOR_QUERY);
    struct vm_slot slot;

    EXPECT_OK(vm_cursor_next(&cursor, &slot));
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE + PAGE_SIZE);
    EXPECT_STATUS(vm_cursor_query(&cursor, &slot), ERR_RANGE);
    EXPECT_STATUS(vm_cursor_query_get(&cursor, &slot), ERR_RANGE);
    EXPECT_STATUS(vm_cursor_next(&cursor, &slot), ERR_NOENT);
    EXPECT_STATUS(vm_cursor_next(&cursor, &slot), ERR_NOENT);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE + PAGE_SIZE);
    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE))); /* backwards from the end */
    EXPECT_OK(vm_cursor_query(&cursor, &slot));
    vm_cursor_close(&cursor);
    world_end(&world);
}

MODE_TEST(vm_cursor_look, next_covers_the_range_without_gaps)
{
    struct world world = world_begin(*levels);
    uint64_t start = BASE - 3 * GIB - 5 * PAGE_SIZE;
    uint64_t end = BASE + 2 * GIB + 7 * PAGE_SIZE;
    uint64_t at = start;
    unsigned ram = 0;
    struct vm_cursor cursor;
    struct vm_slot slot;

    map_at(&world, BASE - PAGE_SIZE, frame_new(), VM_R);
    map_at(&world, BASE, frame_new(), VM_R);
    map_at(&world, BASE + 2 * MIB, frame_new(), VM_R);
    map_at(&world, BASE + GIB - PAGE_SIZE, frame_new(), VM_R);
    cursor = cursor_open(&world, start, end - start, VM_CURSOR_QUERY);
    while (vm_cursor_next(&cursor, &slot) == OK) {
        EXPECT_EQ(slot.range.start.raw, at);
        cr_assert(slot.range.end.raw > at && slot.range.end.raw <= end);
        at = slot.range.end.raw;
        EXPECT_EQ(vm_cursor_va(&cursor).raw, at);
        if (slot.item.kind == VM_ITEM_RAM) {
            ram++;
            EXPECT_EQ(slot.item.pa.raw, frame_pa(slot.item.frame).raw);
        }
    }
    EXPECT_EQ(at, end);
    EXPECT_EQ(ram, 4);
    vm_cursor_close(&cursor);
    world_end(&world);
}

MODE_TEST(vm_cursor_look, find_next_stops_at_the_first_leaf)
{
    struct world world = world_begin(*levels);
    struct vm_cursor cursor;
    vaddr_t found = {1};

    map_at(&world, BASE + 5 * PAGE_SIZE, frame_new(), VM_R);
    map_at(&world, BASE + GIB, frame_new(), VM_R);
    cursor = cursor_open(&world, BASE - GIB, 4 * GIB, VM_CURSOR_QUERY);
    EXPECT_OK(vm_cursor_find_next(&cursor, 4 * GIB, &found));
    EXPECT_EQ(found.raw, BASE + 5 * PAGE_SIZE);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE + 5 * PAGE_SIZE);
    EXPECT_OK(vm_cursor_find_next(&cursor, PAGE_SIZE, &found)); /* it stands on it */
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE + 5 * PAGE_SIZE);
    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE + 6 * PAGE_SIZE)));
    EXPECT_OK(vm_cursor_find_next(&cursor, 2 * GIB, &found));
    EXPECT_EQ(found.raw, BASE + GIB);
    vm_cursor_close(&cursor);
    world_end(&world);
}

MODE_TEST(vm_cursor_look, find_next_without_a_leaf_moves_exactly_len)
{
    struct world world = world_begin(*levels);
    struct vm_cursor cursor;
    vaddr_t found = {1};

    map_at(&world, BASE + 16 * PAGE_SIZE, frame_new(), VM_R);
    cursor = cursor_open(&world, BASE, GIB, VM_CURSOR_QUERY);
    EXPECT_STATUS(vm_cursor_find_next(&cursor, 0, &found), ERR_NOENT);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE);
    EXPECT_STATUS(vm_cursor_find_next(&cursor, 15 * PAGE_SIZE, &found), ERR_NOENT);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE + 15 * PAGE_SIZE);
    EXPECT_STATUS(vm_cursor_find_next(&cursor, PAGE_SIZE, &found), ERR_NOENT);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE + 16 * PAGE_SIZE);
    EXPECT_EQ(found.raw, 1); /* a result is written on OK only */
    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE + 17 * PAGE_SIZE)));
    EXPECT_STATUS(vm_cursor_find_next(&cursor, GIB - 17 * PAGE_SIZE, &found), ERR_NOENT);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE + GIB);
    EXPECT_STATUS(vm_cursor_find_next(&cursor, 0, &found), ERR_NOENT); /* at E, len 0 */
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE + GIB);
    vm_cursor_close(&cursor);
    world_end(&world);
}

/* Above level 0, beside a table: the search may not go on before where it ends. */
MODE_TEST(vm_cursor_look, find_next_may_end_inside_an_entry_that_is_no_table)
{
    static const uint64_t ends[] = {2 * MIB, 2 * MIB + PAGE_SIZE, 4 * MIB - PAGE_SIZE,
                                    4 * MIB, 4 * MIB + PAGE_SIZE, GIB - PAGE_SIZE};
    struct world world = world_begin(*levels);
    struct vm_cursor cursor;
    vaddr_t found = {1};

    map_at(&world, BASE, frame_new(), VM_R);
    cursor = cursor_open(&world, BASE, GIB, VM_CURSOR_QUERY);
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        for (uint64_t start = PAGE_SIZE; start < ends[i]; start += 2 * MIB - PAGE_SIZE) {
            EXPECT_OK(vm_cursor_jump(&cursor, va(BASE + start)));
            EXPECT_STATUS(vm_cursor_find_next(&cursor, ends[i] - start, &found), ERR_NOENT);
            EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE + ends[i]);
        }
    }
    vm_cursor_close(&cursor);
    world_end(&world);
}

MODE_TEST(vm_cursor_look, lengths_are_checked_before_anything_moves)
{
    struct world world = world_begin(*levels);
    struct vm_cursor cursor = cursor_open(&world, BASE, GIB, VM_CURSOR_CHANGE);
    struct vm_removed removed;
    struct va_range changed;
    vaddr_t found;

    static const struct {
        uint64_t len;
        status_t want;
    } rows[] = {
        {1, ERR_INVAL},
        {PAGE_SIZE + 0x800, ERR_INVAL},
        {UINT64_MAX, ERR_INVAL},
        {GIB + 1, ERR_INVAL},
        {GIB, ERR_RANGE},
        {UINT64_MAX - PAGE_MASK, ERR_RANGE},
        {UINT64_C(1) << 63, ERR_RANGE},
    };

    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE + PAGE_SIZE)));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        EXPECT_STATUS(vm_cursor_find_next(&cursor, rows[i].len, &found), rows[i].want);
        EXPECT_STATUS(vm_cursor_unmap(&cursor, rows[i].len, &removed), rows[i].want);
        EXPECT_STATUS(vm_cursor_protect_next(&cursor, rows[i].len, NULL, NULL, &changed),
                      rows[i].want);
        EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE + PAGE_SIZE);
    }
    vm_cursor_close(&cursor);
    world_end(&world);
}

MODE_TEST(vm_cursor_look, jump_stays_inside)
{
    struct world world = world_begin(*levels);
    struct vm_cursor cursor = cursor_open(&world, BASE, GIB, VM_CURSOR_QUERY);

    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE + GIB - PAGE_SIZE)));
    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE)));
    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE + MIB)));
    EXPECT_STATUS(vm_cursor_jump(&cursor, va(BASE + 1)), ERR_INVAL);
    EXPECT_STATUS(vm_cursor_jump(&cursor, va(BASE + GIB)), ERR_RANGE);
    EXPECT_STATUS(vm_cursor_jump(&cursor, va(BASE - PAGE_SIZE)), ERR_RANGE);
    EXPECT_STATUS(vm_cursor_jump(&cursor, va(0)), ERR_RANGE);
    EXPECT_STATUS(vm_cursor_jump(&cursor, va(UINT64_MAX - PAGE_MASK)), ERR_RANGE);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE + MIB);
    vm_cursor_close(&cursor);
    world_end(&world);
}

/* The open slot of a changing cursor shows what the cursor itself did, flushed or not. */
MODE_TEST(vm_cursor_look, a_changing_cursor_sees_its_own_changes)
{
    struct world world = world_begin(*levels);
    struct vm_cursor cursor = cursor_open(&world, BASE, 8 * PAGE_SIZE, VM_CURSOR_CHANGE);
    struct vm_removed removed;
    struct vm_slot slot;
    vaddr_t found;

    EXPECT_OK(vm_cursor_map(&cursor, frame_new(), prop(VM_RW), VM_MAP_EXCLUSIVE));
    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE)));
    EXPECT_OK(vm_cursor_query(&cursor, &slot));
    EXPECT_EQ(slot.item.kind, VM_ITEM_RAM);
    EXPECT_OK(vm_cursor_unmap(&cursor, PAGE_SIZE, &removed));
    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE)));
    EXPECT_OK(vm_cursor_query(&cursor, &slot));
    EXPECT_EQ(slot.item.kind, VM_ITEM_ABSENT);
    EXPECT_STATUS(vm_cursor_find_next(&cursor, 8 * PAGE_SIZE, &found), ERR_NOENT);
    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE)));
    EXPECT_OK(vm_cursor_next(&cursor, &slot));
    EXPECT_EQ(slot.item.kind, VM_ITEM_ABSENT);
    vm_cursor_close(&cursor);
    world_end(&world);
}
