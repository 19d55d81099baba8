/* SPDX-License-Identifier: MIT */
/*
 * Changing the size of memory objects: what is cut off, what stands in the way, what it costs, and
 * that no piece of it is long.
 */
#include "support_object.h"

#define PIECE 256U /* pages that a piece cuts off at most */

Test(mem_object_resize, growing_costs_nothing)
{
    struct world world = world_begin(4);
    struct vm_budget *budget = budget_new(3);
    struct mem_object *object = object_new_in(budget, 0);
    struct frame *frame = NULL;

    EXPECT_STATUS(mem_object_page_get(object, 0, MEM_OBJECT_MAKE, &frame), ERR_RANGE);
    EXPECT_EQ(object_resize(object, MEM_OBJECT_PAGES_MAX), 1);
    EXPECT_STATUS(mem_object_resize(object, MEM_OBJECT_PAGES_MAX + 1), ERR_RANGE);
    EXPECT_STATUS(mem_object_resize(object, UINT64_MAX), ERR_RANGE);
    expect_object(object, MEM_OBJECT_PAGES_MAX, 0);
    EXPECT_EQ(used(budget), 1);
    (void)object_make(object, 0);
    EXPECT_EQ(object_resize(object, MEM_OBJECT_PAGES_MAX), 1); /* as it is */
    expect_object(object, MEM_OBJECT_PAGES_MAX, 1);
    mem_object_put(object);
    vm_budget_put(budget);
    world_end(&world);
}

Test(mem_object_resize, what_is_cut_off_is_gone_and_reads_as_zeroes_when_it_grows_again)
{
    struct world world = world_begin(4);
    struct vm_budget *budget = budget_new(100);
    struct mem_object *object = object_new_in(budget, 10);
    uint64_t free_before;
    struct frame *frames[10];

    for (uint64_t page = 0; page < 10; page++) {
        frames[page] = object_make(object, page);
        memset(frame_bytes(frames[page]), 0xa5, PAGE_SIZE);
    }
    free_before = frame_free_count();
    EXPECT_EQ(used(budget), 12); /* with the record and a table */
    EXPECT_EQ(object_resize(object, 4), 1);
    expect_object(object, 4, 4);
    EXPECT_EQ(used(budget), 6);
    EXPECT_EQ(frame_free_count(), free_before + 6);
    EXPECT_EQ(object_resize(object, 10), 1);
    for (uint64_t page = 0; page < 10; page++) {
        const unsigned char *bytes = frame_bytes(object_make(object, page));

        EXPECT_EQ(bytes[0], page < 4 ? 0xa5 : 0);
        EXPECT_EQ(bytes[PAGE_SIZE - 1], page < 4 ? 0xa5 : 0);
    }
    mem_object_put(object);
    reap_all();
    vm_budget_put(budget);
    world_end(&world);
}

/* Each end of a tree that has pages at its corners leaves what lies before it. */
Test(mem_object_resize, an_end_anywhere_cuts_exactly_there)
{
    static const uint64_t pages[] = {0,
                                     1,
                                     511,
                                     512,
                                     513,
                                     1023,
                                     (1 << 18) - 1,
                                     1 << 18,
                                     (1 << 18) + 1,
                                     1 << 27,
                                     MEM_OBJECT_PAGES_MAX - 1};
    struct world world = world_begin(4);
    struct vm_budget *budget = budget_new(100);

    for (size_t end = 0; end < 2 * ARRAY_LEN(pages); end++) {
        struct mem_object *object = object_new_in(budget, MEM_OBJECT_PAGES_MAX);
        uint64_t size = pages[end / 2] + end % 2; /* before the page, and after it */
        uint64_t left = end / 2 + end % 2;

        for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
            (void)object_make(object, pages[i]);
        }
        EXPECT_EQ(object_resize(object, size), 1);
        expect_object(object, size, left);
        EXPECT_EQ(object_resize(object, MEM_OBJECT_PAGES_MAX), 1);
        for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
            EXPECT_EQ(object_look(object, pages[i]) != NULL, i < left);
        }
        mem_object_put(object);
        reap_all();
        EXPECT_EQ(used(budget), 0);
    }
    vm_budget_put(budget);
    world_end(&world);
}

Test(mem_object_resize, nothing_is_left_of_an_object_of_no_page)
{
    struct world world = world_begin(4);
    struct vm_budget *budget = budget_new(100);
    struct mem_object *object = object_new_in(budget, MEM_OBJECT_PAGES_MAX);

    (void)object_make(object, MEM_OBJECT_PAGES_MAX - 1);
    EXPECT_EQ(used(budget), 6); /* four tables */
    EXPECT_EQ(object_resize(object, 0), 1);
    EXPECT_EQ(used(budget), 1);
    EXPECT_EQ(object_resize(object, 2), 1);
    (void)object_make(object, 0);
    EXPECT_EQ(used(budget), 2); /* the tree is low again */
    mem_object_put(object);
    reap_all();
    vm_budget_put(budget);
    world_end(&world);
}

Test(mem_object_resize, a_page_that_somebody_has_stands_in_the_way)
{
    struct world world = world_begin(4);
    struct mem_object *object = object_new(10);
    struct frame *frame = NULL;

    (void)object_make(object, 2);
    EXPECT_OK(mem_object_page_get(object, 5, MEM_OBJECT_MAKE, &frame));
    (void)object_make(object, 8);
    EXPECT_STATUS(mem_object_resize(object, 1), ERR_BUSY);
    expect_object(object, 8, 2); /* the page 8 was cut off before */
    cr_assert(object_look(object, 5) == frame);
    EXPECT_STATUS(mem_object_resize(object, 1), ERR_BUSY);
    expect_object(object, 8, 2);
    EXPECT_EQ(object_resize(object, 6), 1); /* not in its way */
    frame_put(frame);
    EXPECT_EQ(object_resize(object, 1), 1);
    expect_object(object, 1, 0);
    mem_object_put(object);
    world_end(&world);
}

Test(mem_object_resize, a_page_that_a_mark_may_name_stands_in_the_way_until_no_space_has_any)
{
    struct world world = world_begin(4);
    struct mem_object *object = object_new(10);

    (void)object_make(object, 9);
    EXPECT_OK(mem_object_marked(object, 8, 1));
    EXPECT_OK(mem_object_marked(object, 3, 0));
    EXPECT_STATUS(mem_object_resize(object, 7), ERR_BUSY);
    expect_object(object, 10, 1); /* nothing was cut off */
    EXPECT_EQ(object_resize(object, 8), 1);
    EXPECT_EQ(object_resize(object, 20), 1);
    mem_object_unmarked(object);
    EXPECT_EQ(object_resize(object, 3), 1);
    EXPECT_STATUS(mem_object_marked(object, 4, 1), ERR_RANGE);
    EXPECT_OK(mem_object_marked(object, 3, 1));
    mem_object_unmarked(object);
    mem_object_put(object);
    world_end(&world);
}

Test(mem_object_resize, a_large_one_shrinks_in_bounded_pieces)
{
    struct world world = world_begin(4);
    struct mem_object *object = object_new(4 * PIECE + 10);

    for (uint64_t page = 0; page < 4 * PIECE + 10; page++) {
        (void)object_make(object, page);
    }
    for (uint64_t left = 4 * PIECE + 10; left > 10 + PIECE; left -= PIECE) {
        expect_object(object, left, left);
        EXPECT_STATUS(mem_object_resize(object, 10), ERR_AGAIN);
    }
    expect_object(object, 10 + PIECE, 10 + PIECE);
    EXPECT_EQ(object_resize(object, 10), 1);
    expect_object(object, 10, 10);
    mem_object_put(object);
    world_end(&world);
}

Test(mem_object_resize, a_sparse_one_shrinks_in_bounded_pieces)
{
    struct world world = world_begin(4);
    struct vm_budget *budget = budget_new(1000);
    struct mem_object *object = object_new_in(budget, MEM_OBJECT_PAGES_MAX);
    unsigned pieces = 0;
    status_t status = ERR_AGAIN;

    for (uint64_t i = 0; i < 200; i++) {
        (void)object_make(object, i * 512);
    }
    for (; status == ERR_AGAIN; pieces++) {
        uint64_t before = used(budget);

        status = mem_object_resize(object, 1);
        cr_assert(before - used(budget) <= 64 + 64 + 1, "a page more than tables");
    }
    EXPECT_OK(status);
    EXPECT_EQ(pieces, 4); /* 199 tables in pieces of 64 */
    expect_object(object, 1, 1);
    EXPECT_EQ(used(budget), 4); /* record, page, two tables */
    mem_object_put(object);
    reap_all();
    vm_budget_put(budget);
    world_end(&world);
}

/* A size between pieces is that of what is left: whoever asks for a page meanwhile gets one that
 * stays, or none. */
Test(mem_object_resize, pages_may_be_made_between_the_pieces)
{
    struct world world = world_begin(4);
    struct mem_object *object = object_new(3 * PIECE);
    struct frame *frame = NULL;

    for (uint64_t page = 0; page < 3 * PIECE; page++) {
        (void)object_make(object, page);
    }
    EXPECT_STATUS(mem_object_resize(object, 0), ERR_AGAIN);
    EXPECT_STATUS(mem_object_page_get(object, 2 * PIECE, MEM_OBJECT_MAKE, &frame), ERR_RANGE);
    EXPECT_OK(mem_object_page_get(object, 2 * PIECE - 1, MEM_OBJECT_MAKE, &frame));
    EXPECT_STATUS(mem_object_resize(object, 0), ERR_BUSY);
    expect_object(object, 2 * PIECE, 2 * PIECE);
    EXPECT_OK(mem_object_marked(object, 2 * PIECE, 1));
    frame_put(frame);
    EXPECT_STATUS(mem_object_resize(object, 0), ERR_BUSY);
    mem_object_unmarked(object);
    EXPECT_EQ(object_resize(object, 0), 2);
    mem_object_put(object);
    world_end(&world);
}
