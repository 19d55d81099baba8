/* SPDX-License-Identifier: MIT */
/* Sweeping a space: what is empty goes, what is not stays, a piece at a time. */
#include "support.h"

#define NEAR_TOP (vm_space_user_limit().raw - 2 * MIB)

/* Makes the tables above a page, with nothing in them. */
static void make_empty_tables(struct world *world, uint64_t at)
{
    map_at(world, at, frame_new(), VM_RW);
    EXPECT_EQ(unmap_at(world, at, PAGE_SIZE).ram_pages, 1);
}

/* One whole pass; the tables that went.  *pieces: how many it took. */
static unsigned sweep_pass(struct world *world, unsigned *pieces)
{
    vaddr_t at = va(0);
    unsigned count = 0;

    *pieces = 0;
    do {
        unsigned went = vm_space_sweep(world->space, &at);

        cr_assert(went <= 64, "%u tables in one piece", went);
        count += went;
        (*pieces)++;
        cr_assert(*pieces <= 100, "a pass does not end");
    } while (at.raw != 0);
    return count;
}

MODE_TEST(vm_space_sweep, tables_in_which_nothing_is_go_with_those_above_them)
{
    static const uint64_t places[] = {0, 2 * MIB, 5 * GIB, 100 * GIB};
    struct world world = world_begin(*levels);
    uint64_t free_before = frame_free_count();
    uint64_t charged;
    unsigned pieces;

    for (unsigned i = 0; i < ARRAY_LEN(places); i++) {
        make_empty_tables(&world, places[i]);
    }
    make_empty_tables(&world, NEAR_TOP);
    charged = vm_space_charged(world.space);
    cr_assert(charged > ARRAY_LEN(places));
    EXPECT_EQ(sweep_pass(&world, &pieces), charged - 1);
    EXPECT_EQ(pieces, 1);
    EXPECT_EQ(vm_space_charged(world.space), 1); /* the root */
    world_check(&world);
    reap_all();
    EXPECT_EQ(frame_free_count(), free_before);
    EXPECT_EQ(sweep_pass(&world, &pieces), 0);
    map_at(&world, 5 * GIB, frame_new(), VM_RW); /* and can be made again */
    world_end(&world);
}

MODE_TEST(vm_space_sweep, what_holds_something_stays)
{
    struct world world = world_begin(*levels);
    struct frame *frame = frame_new();
    uint64_t charged;
    unsigned pieces;

    map_at(&world, 3 * GIB, frame, VM_RW);
    charged = vm_space_charged(world.space);
    make_empty_tables(&world, 3 * GIB + 2 * MIB); /* below a table that holds another */
    EXPECT_EQ(vm_space_charged(world.space), charged + 1);
    EXPECT_EQ(sweep_pass(&world, &pieces), 1);
    EXPECT_EQ(vm_space_charged(world.space), charged);
    expect_mapped(&world, 3 * GIB, frame, VM_RW);
    world_check(&world);
    world_end(&world);
}

static void mark_at(struct world *world, uint64_t at, uint64_t bytes)
{
    struct vm_mark mark = {.kind = VM_ITEM_RESERVED, .prot = VM_RW};
    struct vm_cursor cursor = cursor_open(world, at, bytes, VM_CURSOR_CHANGE);
    struct vm_removed removed;

    EXPECT_OK(vm_cursor_mark(&cursor, bytes, mark, VM_MAP_EXCLUSIVE, 1000, &removed));
    vm_cursor_close(&cursor);
}

/* A mark, or a page that nobody may access, is as good as a page. */
MODE_TEST(vm_space_sweep, what_means_something_stays_though_nothing_is_present)
{
    struct world world = world_begin(*levels);
    struct frame *frame = frame_new();
    struct vm_cursor cursor;
    struct vm_slot slot;
    uint64_t charged;
    uint64_t pages;
    unsigned pieces;

    mark_at(&world, 3 * GIB, PAGE_SIZE);
    map_at(&world, 9 * GIB, frame, VM_RW);
    cursor = cursor_open(&world, 9 * GIB, PAGE_SIZE, VM_CURSOR_EDIT);
    EXPECT_OK(vm_cursor_protect(&cursor, PAGE_SIZE, VM_PROT_NONE, 1, &pages));
    vm_cursor_close(&cursor);
    charged = vm_space_charged(world.space);
    EXPECT_EQ(sweep_pass(&world, &pieces), 0);
    EXPECT_EQ(vm_space_charged(world.space), charged);
    cursor = cursor_open(&world, 9 * GIB, PAGE_SIZE, VM_CURSOR_QUERY);
    EXPECT_OK(vm_cursor_query(&cursor, &slot));
    EXPECT_EQ(slot.item.kind, VM_ITEM_HIDDEN);
    vm_cursor_close(&cursor);
    world_check(&world);
    EXPECT_EQ(unmap_at(&world, 9 * GIB, PAGE_SIZE).ram_pages, 1);
    EXPECT_EQ(unmap_at(&world, 3 * GIB, PAGE_SIZE).ram_pages, 0);
    EXPECT_EQ(sweep_pass(&world, &pieces), charged - 2); /* but the root, and the frame */
    world_end(&world);
}

/* Takes a page out of a mark of 1 GiB and marks it again: two tables of equal marks. */
static void split_a_mark(struct world *world)
{
    mark_at(world, 3 * GIB, GIB);
    EXPECT_EQ(unmap_at(world, 3 * GIB + 5 * MIB, PAGE_SIZE).ram_pages, 0);
    mark_at(world, 3 * GIB + 5 * MIB, PAGE_SIZE);
}

MODE_TEST(vm_space_sweep, marks_that_say_the_same_become_one)
{
    struct world world = world_begin(*levels);
    struct vm_cursor cursor;
    struct vm_slot slot;
    uint64_t charged;
    unsigned pieces;

    split_a_mark(&world);
    charged = vm_space_charged(world.space);
    EXPECT_EQ(sweep_pass(&world, &pieces), 2);
    EXPECT_EQ(vm_space_charged(world.space), charged - 2);
    cursor = cursor_open(&world, 3 * GIB, PAGE_SIZE, VM_CURSOR_QUERY);
    EXPECT_OK(vm_cursor_query(&cursor, &slot));
    EXPECT_EQ(slot.item.kind, VM_ITEM_RESERVED);
    EXPECT_EQ(slot.range.end.raw - slot.range.start.raw, GIB);
    vm_cursor_close(&cursor);
    world_end(&world);
}

/* What a split of the large mark would need is not there, and a sweep takes no memory. */
MODE_TEST(vm_space_sweep, marks_stay_as_they_are_without_tables_put_by)
{
    struct world world = world_begin(*levels);
    struct vm_removed removed;
    struct vm_cursor cursor;
    unsigned pieces;

    split_a_mark(&world);
    cursor = cursor_open(&world, 3 * GIB + 9 * MIB, PAGE_SIZE, VM_CURSOR_EDIT);
    frame_fail_after(0);
    EXPECT_OK(vm_cursor_unmap(&cursor, PAGE_SIZE, &removed)); /* the table comes from the stock */
    frame_fail_after(UINT64_MAX);
    vm_cursor_close(&cursor);
    EXPECT_EQ(vm_space_split_stock(world.space), 2 * (*levels - 1) - 1);
    EXPECT_EQ(sweep_pass(&world, &pieces), 0);
    EXPECT_EQ(vm_space_split_stock(world.space), 2 * (*levels - 1) - 1);
    world_end(&world);
}

MODE_TEST(vm_space_sweep, a_piece_locks_64_tables_and_the_next_goes_on_there)
{
    enum {
        TABLES = 300
    };
    struct world world = world_begin(*levels);
    vaddr_t at = va(0);
    unsigned went;
    unsigned pieces;

    for (uint64_t i = 0; i < TABLES; i++) {
        make_empty_tables(&world, 6 * GIB + i * 2 * MIB);
    }
    went = vm_space_sweep(world.space, &at);
    cr_assert(went > 0 && went < 64);
    EXPECT_EQ(at.raw, 6 * GIB + went * 2 * MIB);
    world_check(&world);
    EXPECT_EQ(went + sweep_pass(&world, &pieces), TABLES + *levels - 2U);
    cr_assert(pieces > 1);
    EXPECT_EQ(vm_space_charged(world.space), 1);
    world_end(&world);
}

/* A table that was swept may be in the hands of a descent on another hart: the reaper waits. */
Test(vm_space_sweep, swept_tables_wait_for_a_hart_in_the_kernel)
{
    struct world world = world_begin(4);
    uint64_t free_before = frame_free_count();
    unsigned pieces;

    make_empty_tables(&world, GIB);
    host_hart_set(1);
    host_hart_enter();
    host_hart_set(0);
    EXPECT_EQ(sweep_pass(&world, &pieces), 3);
    cr_assert(!vm_space_reap());
    cr_assert(frame_free_count() < free_before);
    host_hart_set(1);
    host_hart_leave();
    host_hart_set(0);
    reap_all();
    EXPECT_EQ(frame_free_count(), free_before);
    world_end(&world);
}
