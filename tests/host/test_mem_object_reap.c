/* SPDX-License-Identifier: MIT */
/*
 * The end of memory objects: the reaper gives back all that they have, in bounded pieces.
 */
#include "support_object.h"

Test(mem_object_reap, a_frame_outlives_the_object_where_somebody_has_a_reference)
{
    struct world world = world_begin(4);
    struct vm_budget *budget = budget_new(10);
    struct mem_object *object = object_new_in(budget, 1);
    struct frame *frame = object_make(object, 0);

    frame_get(frame);
    mem_object_put(object);
    reap_all();
    EXPECT_EQ(used(budget), 0); /* who has the reference pays */
    EXPECT_EQ(frame_refs(frame), 1);
    frame_put(frame);
    vm_budget_put(budget);
    world_end(&world);
}

Test(mem_object_reap, the_last_reference_ends_it)
{
    struct world world = world_begin(4);
    struct mem_object *object = object_new(1);

    (void)object_make(object, 0);
    mem_object_get(object);
    mem_object_put(object);
    cr_assert(vm_space_reap_is_done());
    expect_object(object, 1, 1);
    mem_object_put(object);
    cr_assert(!vm_space_reap_is_done());
    cr_assert(vm_space_reap());
    cr_assert(vm_space_reap_is_done());
    world_end(&world);
}

/* Reaps in single pieces.  Returns how many gave something back. */
static unsigned reap_counting(uint64_t most)
{
    unsigned pieces = 0;
    uint64_t free_before = frame_free_count();

    while (vm_space_reap()) {
        uint64_t freed = frame_free_count() - free_before;

        cr_assert(freed <= most, "%lu frames in one piece", (unsigned long)freed);
        free_before += freed;
        pieces++;
    }
    return pieces;
}

Test(mem_object_reap, a_large_one_is_taken_apart_in_bounded_pieces)
{
    struct world world = world_begin(4);
    struct mem_object *object = object_new(2000);

    for (uint64_t page = 0; page < 2000; page++) {
        (void)object_make(object, page);
    }
    mem_object_put(object);
    EXPECT_EQ(reap_counting(256 + 64), 8); /* 2000 / 256 */
    world_end(&world);
}

/* One page in each table: what bounds a piece is the tables. */
Test(mem_object_reap, a_sparse_one_is_taken_apart_in_bounded_pieces)
{
    struct world world = world_begin(4);
    struct mem_object *object = object_new(MEM_OBJECT_PAGES_MAX);

    for (uint64_t i = 0; i < 200; i++) {
        (void)object_make(object, i * 512);
    }
    mem_object_put(object);
    EXPECT_EQ(reap_counting(2 * 64), 4); /* 201 tables and the record in pieces of 64 */
    world_end(&world);
}

Test(mem_object_reap, many_small_ones_are_reaped_in_bounded_pieces)
{
    struct world world = world_begin(4);

    for (unsigned i = 0; i < 300; i++) {
        struct mem_object *object = object_new(1);

        (void)object_make(object, 0);
        mem_object_put(object);
    }
    EXPECT_EQ(reap_counting(2 * 64), 5);
    world_end(&world);
}

Test(mem_object_reap, many_that_have_some_pages_are_reaped_in_bounded_pieces)
{
    struct world world = world_begin(4);

    for (unsigned i = 0; i < 60; i++) {
        struct mem_object *object = object_new(20);

        for (uint64_t page = 0; page < 20; page++) {
            (void)object_make(object, page);
        }
        mem_object_put(object);
    }
    EXPECT_EQ(reap_counting(256 + 2 * 64), 5); /* 1200 pages in pieces of 256 */
    world_end(&world);
}
