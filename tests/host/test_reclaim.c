/* SPDX-License-Identifier: MIT */
/*
 * The end of detached tables and of dead spaces: not while a hart may be in a descent that met
 * them, in bounded pieces, and all of it in the end.
 */
#include "lib/counter.h"
#include "mm/pt_node.h"
#include "support.h"

#define BASE  (4 * GIB)
#define TABLE (2 * MIB)

static void enter(hart_idx_t hart)
{
    host_hart_set(hart);
    host_hart_enter();
    host_hart_set(0);
}

static void leave(hart_idx_t hart)
{
    host_hart_set(hart);
    host_hart_leave();
    host_hart_set(0);
}

/* A space with one page in a table of its own, and the tables above kept by another. */
static struct world world_with_a_table(unsigned levels)
{
    struct world world = world_begin(levels);

    map_at(&world, BASE + TABLE, frame_new(), VM_RW);
    map_at(&world, BASE, frame_new(), VM_RW);
    return world;
}

/* The frame of the table that translates BASE. */
static struct frame *table_of(const struct world *world)
{
    struct walk walk = walk_from(vm_space_root(world->space).raw, world->levels, BASE);

    return frame_of(pa(walk.slots[0]));
}

MODE_TEST(reclaim, a_table_waits_for_a_hart_that_is_in_the_kernel)
{
    struct world world = world_with_a_table(*levels);
    struct frame *table = table_of(&world);

    enter(1);
    unmap_at(&world, BASE, TABLE);
    for (unsigned i = 0; i < 5; i++) {
        cr_assert(!vm_space_reap(), "hart 1 may be looking at the table");
        EXPECT_EQ(table->type, FRAME_TABLE);
        cr_assert(!vm_space_reap_is_done());
    }
    leave(1);
    cr_assert(vm_space_reap());
    cr_assert(table->type != FRAME_TABLE);
    cr_assert(vm_space_reap_is_done());
    world_end(&world);
}

MODE_TEST(reclaim, a_hart_that_has_left_and_come_back_is_not_waited_for)
{
    struct world world = world_with_a_table(*levels);
    struct frame *table = table_of(&world);

    enter(1);
    unmap_at(&world, BASE, TABLE);
    cr_assert(!vm_space_reap());
    leave(1);
    enter(1);
    cr_assert(vm_space_reap());
    cr_assert(table->type != FRAME_TABLE);
    leave(1);
    world_end(&world);
}

/* What counts is where a hart was when the snapshot was taken, after the table was parked. */
MODE_TEST(reclaim, a_hart_that_enters_after_the_look_is_not_waited_for)
{
    struct world world = world_with_a_table(*levels);

    unmap_at(&world, BASE, TABLE);
    enter(2);
    unmap_at(&world, BASE + TABLE, TABLE);
    cr_assert(!vm_space_reap(), "hart 2 entered before anybody looked");
    enter(1);
    leave(2);
    cr_assert(vm_space_reap(), "hart 1 came after the look");
    cr_assert(vm_space_reap_is_done());
    leave(1);
    world_end(&world);
}

MODE_TEST(reclaim, a_table_parked_later_has_a_look_of_its_own)
{
    struct world world = world_with_a_table(*levels);

    enter(1);
    unmap_at(&world, BASE, TABLE);
    cr_assert(!vm_space_reap()); /* the first look: hart 1 is behind */
    leave(1);
    enter(1);
    unmap_at(&world, BASE + TABLE, TABLE); /* hart 1 may have met this one */
    cr_assert(vm_space_reap(), "the first table is past");
    cr_assert(!vm_space_reap_is_done() && !vm_space_reap(), "the second is not");
    leave(1);
    cr_assert(vm_space_reap() && vm_space_reap_is_done());
    world_end(&world);
}

MODE_TEST(reclaim, the_hart_that_looks_does_not_wait_for_itself)
{
    struct world world = world_with_a_table(*levels);

    host_hart_enter();
    unmap_at(&world, BASE, TABLE);
    cr_assert(vm_space_reap());
    cr_assert(vm_space_reap_is_done());
    host_hart_leave();
    world_end(&world);
}

MODE_TEST(reclaim, a_dead_space_waits_too)
{
    struct world world = world_begin(*levels);
    struct world other = {.levels = *levels};
    uint64_t free_before = frame_free_count();

    EXPECT_OK(vm_space_create(NULL, &other.space));
    map_at(&other, BASE, frame_new(), VM_RW);
    enter(3);
    vm_space_put(other.space);
    cr_assert(!vm_space_reap());
    leave(3);
    reap_all();
    EXPECT_EQ(frame_free_count(), free_before);
    world_end(&world);
}

/* Frames need no quiescence, only their flush: those of small tables are free at once. */
MODE_TEST(reclaim, the_frames_of_a_small_table_do_not_wait)
{
    struct world world = world_with_a_table(*levels);
    struct frame *frame = frame_new();

    map_at(&world, BASE + 5 * PAGE_SIZE, frame, VM_RW);
    enter(1);
    unmap_at(&world, BASE, TABLE);
    EXPECT_EQ(frame_refs(frame), 0);
    leave(1);
    world_end(&world);
}

static void map_many(struct world *world, uint64_t at, unsigned pages, struct frame *frame)
{
    struct vm_cursor cursor = cursor_open(world, at, pages * PAGE_SIZE, VM_CURSOR_CHANGE);

    for (unsigned i = 0; i < pages; i++) {
        frame_get(frame);
        EXPECT_OK(vm_cursor_map(&cursor, frame, prop(VM_RW), VM_MAP_REPLACE));
    }
    vm_cursor_close(&cursor);
}

/* A close releases at most 256 pages of detached tables, a piece of the reaper as many. */
MODE_TEST(reclaim, large_tables_are_emptied_in_pieces)
{
    struct world world = world_begin(*levels);
    struct frame *frame = frame_new();
    unsigned pieces = 0;

    map_at(&world, BASE - GIB, frame_new(), VM_R);
    for (unsigned i = 0; i < 4; i++) {
        map_many(&world, BASE + i * TABLE, 512, frame);
    }
    EXPECT_EQ(unmap_at(&world, BASE, 8 * MIB).ram_pages, 2048);
    EXPECT_EQ(frame_refs(frame), 2049);
    while (!vm_space_reap_is_done()) {
        uint32_t before = frame_refs(frame);

        cr_assert(vm_space_reap());
        cr_assert(before - frame_refs(frame) <= 256);
        pieces++;
    }
    cr_assert(pieces >= 8 && pieces <= 16, "%u pieces", pieces);
    EXPECT_EQ(frame_refs(frame), 1);
    frame_put(frame);
    world_end(&world);
}

/* A region is held by its mappings, so it is free when the unmap has returned, whatever waits. */
MODE_TEST(reclaim, device_pages_go_with_the_unmap)
{
    struct world world = world_begin(*levels);
    struct frame *frame = frame_new();
    struct vm_cursor cursor;
    struct io_mem *io;
    uint64_t mapped;
    uint64_t offset;

    EXPECT_OK(io_mem_create(pa_span(DEVICE_BASE, 300 * PAGE_SIZE), "x", &io));
    map_many(&world, BASE + TABLE, 512, frame);
    map_many(&world, BASE + 400 * PAGE_SIZE, 112, frame);
    cursor = cursor_open(&world, BASE, TABLE, VM_CURSOR_CHANGE);
    EXPECT_OK(vm_cursor_map_iomem(&cursor, io, prop(VM_RW), 300 * PAGE_SIZE, 0, VM_MAP_EXCLUSIVE,
                                  &mapped));
    vm_cursor_close(&cursor);
    enter(1);
    EXPECT_EQ(unmap_at(&world, BASE, 2 * TABLE).io_pages, 300);
    EXPECT_EQ(io_mem_refs(io), 0);
    EXPECT_STATUS(vm_space_find_iomem(world.space, pa(DEVICE_BASE), &io, &offset), ERR_NOENT);
    leave(1);
    reap_all();
    EXPECT_EQ(frame_refs(frame), 1);
    frame_put(frame);
    world_end(&world);
}

/* A page is dying in a table that is then detached by the same cursor. */
MODE_TEST(reclaim, what_is_dying_in_a_detached_table_is_released)
{
    struct world world = world_with_a_table(*levels);
    struct frame *frame = frame_new();
    struct vm_removed removed;
    struct vm_cursor cursor;

    map_at(&world, BASE + PAGE_SIZE, frame, VM_RW);
    cursor = cursor_open(&world, BASE, 2 * TABLE, VM_CURSOR_EDIT);
    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE + PAGE_SIZE)));
    EXPECT_OK(vm_cursor_unmap(&cursor, PAGE_SIZE, &removed));
    EXPECT_EQ(removed.ram_pages, 1);
    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE)));
    EXPECT_OK(vm_cursor_unmap(&cursor, TABLE, &removed));
    EXPECT_EQ(removed.ram_pages, 1);
    EXPECT_EQ(frame_refs(frame), 1);
    vm_cursor_close(&cursor);
    EXPECT_EQ(frame_refs(frame), 0);
    world_end(&world);
}

MODE_TEST(reclaim, parked_tables_are_counted)
{
    struct world world = world_with_a_table(*levels);
    uint64_t parked = counter_read(COUNTER_tables_parked);

    unmap_at(&world, BASE, TABLE);
    EXPECT_EQ(counter_read(COUNTER_tables_parked), parked + 1);
    unmap_at(&world, BASE + TABLE, PAGE_SIZE); /* a page is no table */
    EXPECT_EQ(counter_read(COUNTER_tables_parked), parked + 1);
    world_end(&world);
}
