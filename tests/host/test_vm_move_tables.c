/* SPDX-License-Identifier: MIT */
/*
 * Moving whole tables inside a space: when a table changes hands and when it is gone into, what its
 * record says then, which harts may use what, and that a full memory needs none.
 */
#include "support_move.h"
#include "support_object.h"

#define NEW  (BASE + 64 * GIB) /* aligned as BASE is */
#define STEP (2 * MIB)

/* So many tables of pages from `at` on, one page in each, its number in it. */
static void lay_tables(struct world *world, uint64_t at, unsigned tables)
{
    for (unsigned i = 0; i < tables; i++) {
        (void)page_with(world, at + i * STEP + i * PAGE_SIZE, (unsigned char)(i + 1));
    }
}

static void expect_tables(const struct world *world, uint64_t at, unsigned tables)
{
    for (unsigned i = 0; i < tables; i++) {
        cr_assert(holds(frame_at(world, at + i * STEP + i * PAGE_SIZE), (unsigned char)(i + 1)));
    }
}

static void expect_nothing(const struct world *world, uint64_t at, uint64_t bytes)
{
    struct vm_cursor cursor;
    vaddr_t found;

    EXPECT_OK(vm_cursor_open(&cursor, world->space, va_span(at, bytes), VM_CURSOR_QUERY));
    EXPECT_STATUS(vm_cursor_find_next(&cursor, bytes, &found), ERR_NOENT);
    vm_cursor_close(&cursor);
}

/* The node of that level which translates the address; NULL: there is none. */
static struct pt_node *table_at(const struct world *world, uint64_t at, unsigned level)
{
    struct pt_node *node = world->space->root;

    while (node->level > level) {
        pte_t entry = pte_slot_load(&node->slots[pte_index(va(at), node->level)]);

        if (!pte_is_table(entry)) {
            return NULL;
        }
        node = pt_node_of(entry);
    }
    return node;
}

MODE_TEST(vm_move_tables, a_table_goes_as_it_is)
{
    struct world world = world_begin(*levels);
    struct pt_node *node;
    uint64_t charged;

    lay_tables(&world, BASE, 1);
    lay_tables(&world, NEW + STEP, 1); /* what is above it is there */
    node = table_at(&world, BASE, 0);
    charged = vm_space_charged(world.space);
    expect_done(move_inside(&world, BASE, NEW, STEP, 1), OK, STEP);
    cr_assert(table_at(&world, NEW, 0) == node);
    cr_assert(table_at(&world, BASE, 0) == NULL);
    EXPECT_EQ(vm_space_charged(world.space), charged);
    expect_tables(&world, NEW, 1);
    expect_nothing(&world, BASE, STEP);
    world_check(&world);
    (void)unmap_at(&world, NEW, STEP);
    world_end(&world);
}

MODE_TEST(vm_move_tables, what_is_below_it_goes_along)
{
    struct world world = world_begin(*levels);
    struct pt_node *node;

    lay_tables(&world, BASE, 3);
    map_at(&world, NEW - GIB, frame_new(), VM_R); /* a neighbour of the new place */
    node = table_at(&world, BASE, 1);
    /* A table and three below it are four edits. */
    expect_done(move_inside(&world, BASE, NEW, GIB, 4), OK, GIB);
    cr_assert(table_at(&world, NEW, 1) == node);
    expect_tables(&world, NEW, 3);
    expect_nothing(&world, BASE, GIB);
    world_check(&world);
    /* And back, though other cursors work in it. */
    (void)page_with(&world, NEW + 5 * STEP, 9);
    expect_done(move_inside(&world, NEW, BASE, GIB, 256), OK, GIB);
    cr_assert(table_at(&world, BASE, 1) == node);
    expect_tables(&world, BASE, 3);
    cr_assert(holds(frame_at(&world, BASE + 5 * STEP), 9));
    world_end(&world);
}

MODE_TEST(vm_move_tables, one_that_counts_too_much_is_gone_into)
{
    struct world world = world_begin(*levels);
    struct pt_node *upper;
    struct pt_node *lower;

    lay_tables(&world, BASE, 3);
    upper = table_at(&world, BASE, 1);
    lower = table_at(&world, BASE, 0);
    expect_done(move_inside(&world, BASE, NEW, GIB, 2), OK, 2 * STEP);
    cr_assert(table_at(&world, BASE, 1) == upper);
    cr_assert(table_at(&world, NEW, 0) == lower);
    expect_done(move_inside(&world, BASE + 2 * STEP, NEW + 2 * STEP, GIB - 2 * STEP, 2), OK,
                GIB - 2 * STEP);
    expect_tables(&world, NEW, 3);
    expect_nothing(&world, BASE, GIB);
    world_end(&world);
}

MODE_TEST(vm_move_tables, where_sides_are_not_aligned_alike_entries_go)
{
    struct world world = world_begin(*levels);
    struct pt_node *node;

    lay_tables(&world, BASE, 2);
    node = table_at(&world, BASE, 0);
    expect_done(move_inside(&world, BASE, NEW + PAGE_SIZE, 2 * STEP, 256), OK, 2 * STEP);
    cr_assert(table_at(&world, BASE, 0) == node, "it stays, though nothing is in it");
    expect_tables(&world, NEW + PAGE_SIZE, 2);
    expect_nothing(&world, BASE, 2 * STEP);
    world_end(&world);
}

MODE_TEST(vm_move_tables, of_one_that_sticks_out_entries_go)
{
    struct world world = world_begin(*levels);
    struct pt_node *nodes[3];

    for (unsigned i = 0; i < 3; i++) {
        (void)page_with(&world, BASE + i * STEP, (unsigned char)i);
        (void)page_with(&world, BASE + (i + 1) * STEP - PAGE_SIZE, (unsigned char)i);
        nodes[i] = table_at(&world, BASE + i * STEP, 0);
    }
    expect_done(
        move_inside(&world, BASE + PAGE_SIZE, NEW + PAGE_SIZE, 3 * STEP - 2 * PAGE_SIZE, 256), OK,
        3 * STEP - 2 * PAGE_SIZE);
    cr_assert(table_at(&world, BASE, 0) == nodes[0]);
    cr_assert(table_at(&world, NEW + STEP, 0) == nodes[1], "the one in between");
    cr_assert(table_at(&world, BASE + 2 * STEP, 0) == nodes[2]);
    cr_assert(holds(frame_at(&world, BASE), 0));
    cr_assert(holds(frame_at(&world, NEW + STEP - PAGE_SIZE), 0));
    cr_assert(holds(frame_at(&world, NEW + 2 * STEP), 2));
    cr_assert(holds(frame_at(&world, BASE + 3 * STEP - PAGE_SIZE), 2));
    world_end(&world);
}

MODE_TEST(vm_move_tables, into_a_table_entries_go)
{
    struct world world = world_begin(*levels);

    lay_tables(&world, BASE, 3);
    map_at(&world, NEW + STEP + PAGE_SIZE, frame_new(), VM_R); /* where something is to go */
    expect_done(move_inside(&world, BASE, NEW, 3 * STEP, 256), ERR_EXIST, STEP + PAGE_SIZE);
    (void)unmap_at(&world, NEW + STEP + PAGE_SIZE, PAGE_SIZE); /* its table stays */
    expect_done(move_inside(&world, BASE + STEP, NEW + STEP, 2 * STEP, 256), OK, 2 * STEP);
    expect_tables(&world, NEW, 3);
    /* A mark is something, too. */
    mark_range(&world, BASE, STEP, (struct vm_mark){.kind = VM_ITEM_GUARD});
    expect_done(move_inside(&world, NEW, BASE, STEP, 256), ERR_EXIST, 0);
    expect_tables(&world, NEW, 1);
    world_end(&world);
}

MODE_TEST(vm_move_tables, no_hart_may_use_the_old_place)
{
    struct world world = world_begin(*levels);
    uint64_t to = 0;

    lay_tables(&world, BASE, 3);
    another_hart_runs(&world);
    cr_assert(hart_may(1, BASE, ORACLE_WRITE, &to));
    host_events_start();
    expect_done(move_inside(&world, BASE, NEW, 3 * STEP, 256), OK, 3 * STEP);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_REMOTE), 1);
    for (unsigned i = 0; i < 3; i++) {
        cr_assert(!hart_may(1, BASE + i * (STEP + PAGE_SIZE), ORACLE_READ, NULL));
        cr_assert(hart_may(1, NEW + i * (STEP + PAGE_SIZE), ORACLE_WRITE, &to));
    }
    another_hart_leaves();
    world_end(&world);
}

MODE_TEST(vm_move_tables, regions_and_marks_of_objects_go_along)
{
    struct world world = world_begin(*levels);
    struct mem_object *object = object_new(512);
    struct vm_mark mark = {.kind = VM_ITEM_PAGED, .prot = VM_R, .object = object, .object_page = 7};
    struct vm_cursor cursor;
    struct io_mem *io;
    struct pt_node *node;
    uint64_t mapped;

    EXPECT_OK(io_mem_create(pa_span(DEVICE_BASE, PAGE_SIZE), "test,device", &io));
    cursor = cursor_open(&world, BASE, PAGE_SIZE, VM_CURSOR_CHANGE);
    EXPECT_OK(vm_cursor_map_iomem(&cursor, io, (struct vm_prop){VM_RW, VM_MEM_IO}, PAGE_SIZE, 0,
                                  VM_MAP_EXCLUSIVE, &mapped));
    vm_cursor_close(&cursor);
    mark_range(&world, BASE + PAGE_SIZE, 2 * PAGE_SIZE, mark);
    mem_object_put(object);
    node = table_at(&world, BASE, 0);
    expect_done(move_inside(&world, BASE, NEW, STEP, 1), OK, STEP);
    cr_assert(table_at(&world, NEW, 0) == node);
    EXPECT_EQ(slot_of(&world, NEW).item.kind, VM_ITEM_IO);
    EXPECT_EQ(slot_of(&world, NEW + 2 * PAGE_SIZE).item.kind, VM_ITEM_PAGED);
    EXPECT_EQ(slot_of(&world, NEW + 2 * PAGE_SIZE).item.object_page, 8);
    cr_assert(slot_of(&world, NEW + 2 * PAGE_SIZE).item.object == object);
    world_check(&world);
    /* Entries of the table, one by one. */
    expect_done(move_inside(&world, NEW, THERE, STEP, 256), OK, STEP);
    EXPECT_EQ(slot_of(&world, THERE + 2 * PAGE_SIZE).item.object_page, 8);
    world_end(&world);
}

MODE_TEST(vm_move_tables, a_full_memory_needs_no_more)
{
    struct world world = world_begin(*levels);
    struct result result;
    unsigned fails = 0;

    lay_tables(&world, BASE, 2);
    for (;; fails++) {
        frame_fail_after(fails);
        struct va_range ranges[2] = {va_span(BASE, 2 * STEP), va_span(NEW, 2 * STEP)};
        struct vm_cursor pair[2];
        status_t status = vm_cursor_open_two(pair, world.space, ranges, VM_CURSOR_CHANGE);

        if (status == OK) {
            result = move_result(vm_cursor_move(&pair[0], &pair[1], 2 * STEP, 256), &pair[0], BASE,
                                 &pair[1], NEW);
            vm_cursor_close_two(pair);
            status = result.status;
        }
        frame_fail_after(UINT64_MAX);
        if (status == OK) {
            break;
        }
        EXPECT_STATUS(status, ERR_NOMEM);
        expect_tables(&world, BASE, 2);
        world_check(&world);
    }
    expect_tables(&world, NEW, 2);
    /* What is above the new place is there now: not one frame is wanted. */
    frame_fail_after(0);
    result = move_inside(&world, NEW, BASE, 2 * STEP, 256);
    frame_fail_after(UINT64_MAX);
    expect_done(result, OK, 2 * STEP);
    expect_tables(&world, BASE, 2);
    world_end(&world);
}
