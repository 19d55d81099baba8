/* SPDX-License-Identifier: MIT */
/*
 * A space's table of objects: rows are found, counted and given up, as many as slots can name; what
 * cannot be had changes nothing; and the end of a space gives up all of them in pieces.
 */
#include "mm/vm_backing.h"

#include "mm/vm_budget.h"
#include "support_paged.h"

#define ROWS      16384U /* 14 bits */
#define PAGE_ROWS 256U

static uint32_t hold(struct world *world, struct mem_object *object, uint64_t end)
{
    uint32_t slot = UINT32_MAX;

    EXPECT_OK(vm_backing_hold(world->space, object, end, &slot));
    cr_assert(vm_backing_object(world->space, slot) == object);
    return slot;
}

Test(vm_backing, a_row_goes_with_the_last_that_it_counts)
{
    struct world world = world_begin(5);
    struct mem_object *object = object_new(8);
    uint32_t slot = hold(&world, object, 3);

    expect_named(object, 3);
    EXPECT_EQ(hold(&world, object, 8), slot);
    expect_named(object, 8);
    vm_backing_add(world.space, slot, 512);
    vm_backing_drop(world.space, slot, 1);
    vm_backing_drop(world.space, slot, 512);
    expect_named(object, 8);
    vm_backing_drop(world.space, slot, 1);
    expect_not_named(object);
    EXPECT_EQ(hold(&world, object, 1), slot); /* the row is free again */
    vm_backing_drop(world.space, slot, 1);
    mem_object_put(object);
    world_end(&world);
}

/* The space has a reference of its own. */
Test(vm_backing, a_row_keeps_its_object)
{
    struct world world = world_begin(5);
    struct mem_object *object = object_new(8);
    struct frame *frame;
    uint32_t slot = hold(&world, object, 1);

    mem_object_put(object);
    reap_all();
    EXPECT_OK(mem_object_page_get(object, 7, MEM_OBJECT_MAKE, &frame));
    frame_put(frame);
    vm_backing_drop(world.space, slot, 1);
    world_end(&world);
}

Test(vm_backing, an_object_that_ends_before_is_refused)
{
    struct world world = world_begin(5);
    struct mem_object *object = object_new(8);
    uint32_t slot = 77;

    EXPECT_STATUS(vm_backing_hold(world.space, object, 9, &slot), ERR_RANGE);
    EXPECT_EQ(slot, 77);
    expect_not_named(object);
    hold(&world, object, 8);
    EXPECT_STATUS(vm_backing_hold(world.space, object, 9, &slot), ERR_RANGE);
    EXPECT_EQ(vm_backing_sum(world.space).marks, 1);
    vm_backing_drop(world.space, hold(&world, object, 8), 2);
    mem_object_put(object);
    world_end(&world);
}

/* Every slot there is; each object is found again; those given up in the middle leave the others of
 * their bucket in place. */
Test(vm_backing, as_many_rows_as_slots_can_name)
{
    static struct mem_object *objects[ROWS + 1];
    static uint32_t slots[ROWS];
    static bool is_taken[ROWS];
    struct world world = world_begin(5);
    uint64_t charged = vm_space_charged(world.space);

    for (unsigned i = 0; i <= ROWS; i++) {
        objects[i] = object_new(1);
    }
    for (unsigned i = 0; i < ROWS; i++) {
        slots[i] = hold(&world, objects[i], 1);
        cr_assert(slots[i] < ROWS && !is_taken[slots[i]]);
        is_taken[slots[i]] = true;
        EXPECT_EQ(vm_space_charged(world.space), charged + 2 + i / PAGE_ROWS);
    }
    EXPECT_EQ(vm_backing_frames(world.space), 1 + ROWS / PAGE_ROWS);
    EXPECT_STATUS(vm_backing_hold(world.space, objects[ROWS], 1, &slots[0]), ERR_NOMEM);
    for (unsigned i = 0; i < ROWS; i += 2) {
        vm_backing_drop(world.space, slots[i], 1);
    }
    for (unsigned i = 1; i < ROWS; i += 2) {
        EXPECT_EQ(hold(&world, objects[i], 1), slots[i]);
    }
    hold(&world, objects[ROWS], 1);
    EXPECT_EQ(vm_backing_frames(world.space), 1 + ROWS / PAGE_ROWS);
    for (unsigned i = 1; i < ROWS; i += 2) {
        vm_backing_drop(world.space, slots[i], 2);
    }
    vm_backing_drop(world.space, hold(&world, objects[ROWS], 1), 2);
    EXPECT_EQ(vm_backing_sum(world.space).marks, 0);
    for (unsigned i = 0; i <= ROWS; i++) {
        expect_not_named(objects[i]);
        mem_object_put(objects[i]);
    }
    world_end(&world);
}

/* The directory and the first page of rows, in turn. */
Test(vm_backing, memory_or_budget_is_out)
{
    struct world world = world_begin(5);
    struct mem_object *object = object_new(8);
    struct vm_budget *budget;
    struct vm_space *poor;
    uint32_t slot = 77;

    for (unsigned i = 0; i < 2; i++) {
        uint64_t charged = vm_space_charged(world.space);

        frame_fail_after(0);
        EXPECT_STATUS(vm_backing_hold(world.space, object, 8, &slot), ERR_NOMEM);
        EXPECT_EQ(vm_space_charged(world.space), charged);
        frame_fail_after(1);
        EXPECT_EQ(vm_backing_hold(world.space, object, 8, &slot), i == 0 ? ERR_NOMEM : OK);
        frame_fail_after(UINT64_MAX);
    }
    vm_backing_drop(world.space, slot, 1);
    EXPECT_OK(vm_budget_create(NULL, 2, &budget));
    EXPECT_OK(vm_space_create(budget, &poor));
    for (uint64_t limit = 1; limit < 3; limit++) {
        vm_budget_set_limit(budget, limit);
        EXPECT_STATUS(vm_backing_hold(poor, object, 8, &slot), ERR_NOMEM);
        expect_not_named(object);
        EXPECT_EQ(vm_budget_state(budget).used, limit);
    }
    vm_budget_set_limit(budget, 3);
    EXPECT_OK(vm_backing_hold(poor, object, 8, &slot));
    vm_space_put(poor); /* with a row in use */
    reap_all();
    EXPECT_EQ(vm_budget_state(budget).used, 0);
    vm_budget_put(budget);
    expect_not_named(object);
    mem_object_put(object);
    world_end(&world);
}

/* A piece gives up no more than one page of rows. */
Test(vm_backing, the_end_of_a_space_gives_up_its_rows_in_pieces)
{
    static struct mem_object *objects[3 * PAGE_ROWS];
    struct world world = world_begin(5);
    struct vm_space *space;
    unsigned pieces = 0;
    uint32_t slot;

    EXPECT_OK(vm_space_create(NULL, &space));
    for (unsigned i = 0; i < ARRAY_LEN(objects); i++) {
        objects[i] = object_new(1);
        EXPECT_OK(vm_backing_hold(space, objects[i], 1, &slot));
        vm_backing_add(space, slot, i);
    }
    vm_space_put(space);
    for (; !vm_space_reap_is_done(); pieces++) {
        unsigned named = 0;

        for (unsigned i = 0; i < ARRAY_LEN(objects); i++) {
            named += mem_object_resize(objects[i], 0) == ERR_BUSY ? 1 : 0;
            EXPECT_OK(mem_object_resize(objects[i], 1));
        }
        cr_assert(named + pieces * PAGE_ROWS >= ARRAY_LEN(objects), "%u after %u", named, pieces);
        cr_assert(vm_space_reap());
    }
    for (unsigned i = 0; i < ARRAY_LEN(objects); i++) {
        expect_not_named(objects[i]);
        mem_object_put(objects[i]);
    }
    world_end(&world);
}
