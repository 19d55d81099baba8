/* SPDX-License-Identifier: MIT */
/*
 * Marks that are refused, or stop: where something is, impossible ones, and without memory.  What
 * every address means is then as it was.
 */
#include "support_mark.h"

#define BASE (4 * GIB)

MODE_TEST(vm_cursor_mark_refused, exclusive_stops_where_something_is)
{
    struct world world = world_begin(*levels);
    struct vm_cursor cursor;
    struct vm_removed removed;
    struct frame *frame = frame_new();

    map_at(&world, BASE + 2 * MIB, frame, VM_RW);
    mark_at(&world, BASE + 8 * MIB, PAGE_SIZE, GUARD);
    cursor = cursor_open(&world, BASE, 16 * MIB, VM_CURSOR_CHANGE);
    EXPECT_OK(vm_cursor_mark(&cursor, 16 * MIB, RESERVED_RW, VM_MAP_EXCLUSIVE, 999, &removed));
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE + 2 * MIB);
    EXPECT_STATUS(vm_cursor_mark(&cursor, 14 * MIB, RESERVED_RW, VM_MAP_EXCLUSIVE, 999, &removed),
                  ERR_EXIST);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE + 2 * MIB);
    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE + 2 * MIB + PAGE_SIZE)));
    EXPECT_OK(vm_cursor_mark(&cursor, 8 * MIB, RESERVED_RW, VM_MAP_EXCLUSIVE, 999, &removed));
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE + 8 * MIB);
    EXPECT_STATUS(vm_cursor_mark(&cursor, PAGE_SIZE, RESERVED_RW, VM_MAP_EXCLUSIVE, 999, &removed),
                  ERR_EXIST);
    vm_cursor_close(&cursor);
    expect_mapped(&world, BASE + 2 * MIB, frame, VM_RW);
    expect_slot(&world, BASE, VM_ITEM_RESERVED, BASE, 2 * MIB);
    expect_kind(&world, BASE + 2 * MIB + PAGE_SIZE, BASE + 8 * MIB, VM_ITEM_RESERVED, 511 + 2);
    expect_slot(&world, BASE + 8 * MIB, VM_ITEM_GUARD, BASE + 8 * MIB, PAGE_SIZE);
    world_end(&world);
}

/* A table in which nothing is any more does not keep a mark from its level. */
MODE_TEST(vm_cursor_mark_refused, an_empty_table_is_not_something)
{
    struct world world = world_begin(*levels);
    struct vm_cursor cursor;
    struct vm_removed removed;

    map_at(&world, BASE + MIB, frame_new(), VM_RW);
    unmap_at(&world, BASE + MIB, PAGE_SIZE);
    cursor = cursor_open(&world, BASE, GIB, VM_CURSOR_CHANGE);
    EXPECT_OK(vm_cursor_mark(&cursor, GIB, RESERVED_RW, VM_MAP_EXCLUSIVE, 1, &removed));
    vm_cursor_close(&cursor);
    expect_slot(&world, BASE + MIB, VM_ITEM_RESERVED, BASE, GIB);
    world_end(&world);
}

struct bad_mark {
    int kind, prot;
    unsigned max_edits;
};

ParameterizedTestParameters(vm_cursor_mark_refused, impossible_ones_change_nothing)
{
    static struct bad_mark rows[] = {
        {VM_ITEM_ABSENT, VM_RW, 9},  {VM_ITEM_RAM, VM_RW, 9},      {VM_ITEM_IO, VM_RW, 9},
        {VM_ITEM_HIDDEN, VM_RW, 9},  {VM_ITEM_PAGED, VM_RW, 9},    {VM_ITEM_SWAPPED + 1, VM_RW, 9},
        {VM_ITEM_RESERVED, VM_W, 9}, {VM_ITEM_RESERVED, VM_WX, 9}, {VM_ITEM_RESERVED, 8, 9},
        {VM_ITEM_RESERVED, 255, 9},  {VM_ITEM_RESERVED, VM_RW, 0}, {VM_ITEM_GUARD, VM_PROT_NONE, 0},
    };
    return cr_make_param_array(struct bad_mark, rows, ARRAY_LEN(rows));
}

ParameterizedTest(const struct bad_mark *row, vm_cursor_mark_refused,
                  impossible_ones_change_nothing)
{
    struct world world = world_begin(4);
    struct vm_mark mark = {.kind = (enum vm_item_kind)row->kind, .prot = (enum vm_prot)row->prot};
    struct vm_cursor cursor = cursor_open(&world, BASE, 4 * MIB, VM_CURSOR_CHANGE);
    struct vm_removed removed;
    uint64_t charged = vm_space_charged(world.space);

    EXPECT_STATUS(vm_cursor_mark(&cursor, 4 * MIB, mark, VM_MAP_REPLACE, row->max_edits, &removed),
                  ERR_INVAL);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE);
    vm_cursor_close(&cursor);
    EXPECT_EQ(slot_at(&world, BASE).item.kind, VM_ITEM_ABSENT);
    EXPECT_EQ(vm_space_charged(world.space), charged);
    world_end(&world);
}

MODE_TEST(vm_cursor_mark_refused, lengths_and_modes_are_checked)
{
    struct world world = world_begin(*levels);
    struct vm_cursor cursor = cursor_open(&world, BASE, 4 * MIB, VM_CURSOR_CHANGE);
    struct vm_removed removed = {7, 7};

    EXPECT_STATUS(vm_cursor_mark(&cursor, 1, GUARD, VM_MAP_REPLACE, 9, &removed), ERR_INVAL);
    EXPECT_STATUS(vm_cursor_mark(&cursor, 8 * MIB, GUARD, VM_MAP_REPLACE, 9, &removed), ERR_RANGE);
    EXPECT_STATUS(
        vm_cursor_mark(&cursor, UINT64_MAX - PAGE_MASK, GUARD, VM_MAP_REPLACE, 9, &removed),
        ERR_RANGE);
    EXPECT_EQ(removed.ram_pages, 7);
    EXPECT_OK(vm_cursor_mark(&cursor, 0, GUARD, VM_MAP_REPLACE, 9, &removed));
    EXPECT_EQ(removed.ram_pages, 0);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE);
    vm_cursor_close(&cursor);
    for (enum vm_cursor_mode mode = VM_CURSOR_QUERY; mode <= VM_CURSOR_EDIT; mode++) {
        cursor = cursor_open(&world, BASE, 4 * MIB, mode);
        EXPECT_STATUS(vm_cursor_mark(&cursor, MIB, GUARD, VM_MAP_REPLACE, 9, &removed), ERR_ACCES);
        vm_cursor_close(&cursor);
    }
    EXPECT_EQ(slot_at(&world, BASE).item.kind, VM_ITEM_ABSENT);
    world_end(&world);
}

MODE_TEST(vm_cursor_mark_refused, no_memory_leaves_everything_as_it_was)
{
    struct world world = world_begin(*levels);
    uint64_t start = BASE - 2 * MIB - PAGE_SIZE;
    uint64_t bytes = 2 * GIB;
    struct frame *frame = frame_new();
    struct vm_cursor cursor;
    struct vm_removed removed;
    status_t status = ERR_NOMEM;
    uint64_t charged, allowed;

    map_at(&world, BASE, frame, VM_RW);
    cursor = cursor_open(&world, 0, 16 * GIB, VM_CURSOR_CHANGE);
    charged = vm_space_charged(world.space);
    EXPECT_OK(vm_cursor_jump(&cursor, va(start)));
    for (allowed = 0; status == ERR_NOMEM; allowed++) {
        uint64_t free_before = frame_free_count();

        frame_fail_after(allowed);
        status = vm_cursor_mark(&cursor, bytes, RESERVED_RW, VM_MAP_REPLACE, 9999, &removed);
        frame_fail_after(UINT64_MAX);
        if (status == ERR_NOMEM) {
            EXPECT_EQ(vm_cursor_va(&cursor).raw, start);
            EXPECT_EQ(vm_space_charged(world.space), charged + vm_space_split_stock(world.space));
            cr_assert(frame_free_count() + vm_space_split_stock(world.space) >= free_before);
            expect_mapped(&world, BASE, frame, VM_RW);
        }
    }
    EXPECT_OK(status);
    EXPECT_EQ(removed.ram_pages, 1);
    cr_assert(allowed >= 2 * (*levels - 1) + 2, "only %lu allocations", (unsigned long)allowed);
    vm_cursor_close(&cursor);
    EXPECT_EQ(slot_at(&world, start).item.kind, VM_ITEM_RESERVED);
    EXPECT_EQ(slot_at(&world, start + bytes - 1).item.kind, VM_ITEM_RESERVED);
    world_end(&world);
}
