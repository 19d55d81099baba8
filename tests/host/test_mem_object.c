/* SPDX-License-Identifier: MIT */
/*
 * Memory objects: which page has which frame, what that costs the budget of the maker, and what is
 * left when there is no memory.
 */
#include "support_object.h"

#define LAST (MEM_OBJECT_PAGES_MAX - 1)

Test(mem_object, a_new_one_has_a_size_and_no_frame)
{
    struct world world = world_begin(4);
    struct vm_budget *budget = budget_new(10);
    struct mem_object *object = object_new_in(budget, 5);

    expect_object(object, 5, 0);
    EXPECT_EQ(used(budget), 1);
    cr_assert(object_look(object, 4) == NULL);
    expect_object(object, 5, 0);
    mem_object_put(object);
    EXPECT_EQ(used(budget), 1); /* until it is reaped */
    cr_assert(!vm_space_reap_is_done());
    reap_all();
    EXPECT_EQ(used(budget), 0);
    mem_object_put(NULL);
    vm_budget_put(budget);
    world_end(&world);
}

Test(mem_object, the_largest_is_made_and_a_larger_one_is_refused)
{
    struct world world = world_begin(4);
    struct mem_object *object = object_new(MEM_OBJECT_PAGES_MAX);
    struct mem_object *none = NULL;

    EXPECT_STATUS(mem_object_create(NULL, MEM_OBJECT_PAGES_MAX + 1, 0, &none), ERR_RANGE);
    EXPECT_STATUS(mem_object_create(NULL, UINT64_MAX, 0, &none), ERR_RANGE);
    cr_assert(none == NULL);
    expect_object(object, MEM_OBJECT_PAGES_MAX, 0);
    mem_object_put(object);
    world_end(&world);
}

Test(mem_object, a_page_gets_a_frame_of_zeroes_once_and_keeps_it)
{
    struct world world = world_begin(4);
    struct mem_object *object = object_new(2);
    struct frame *frame = object_make(object, 1);

    for (size_t i = 0; i < PAGE_SIZE; i++) {
        EXPECT_EQ(((unsigned char *)frame_bytes(frame))[i], 0);
    }
    EXPECT_EQ(frame_refs(frame), 1); /* the object's */
    EXPECT_EQ(frame->type, FRAME_USER);
    cr_assert(object_make(object, 1) == frame);
    cr_assert(object_look(object, 1) == frame);
    cr_assert(object_look(object, 0) == NULL);
    cr_assert(object_make(object, 0) != frame);
    cr_assert(object_look(object, 1) == frame, "the tree grew by the page 0");
    expect_object(object, 2, 2);
    mem_object_put(object);
    world_end(&world);
}

Test(mem_object, past_the_size_there_is_nothing)
{
    static const uint64_t pages[] = {3, 4, 512, LAST, LAST + 1, UINT64_MAX};
    struct world world = world_begin(4);
    struct mem_object *object = object_new(3);
    struct frame *frame = NULL;

    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        EXPECT_STATUS(mem_object_page_get(object, pages[i], MEM_OBJECT_LOOK, &frame), ERR_RANGE);
        EXPECT_STATUS(mem_object_page_get(object, pages[i], MEM_OBJECT_MAKE, &frame), ERR_RANGE);
    }
    cr_assert(frame == NULL);
    expect_object(object, 3, 0);
    mem_object_put(object);
    world_end(&world);
}

/* Pages at each boundary of the tree, in an order that lets it grow upwards and downwards. */
static const uint64_t CORNERS[] = {1,
                                   0,
                                   LAST,
                                   511,
                                   512,
                                   513,
                                   1 << 18,
                                   (1 << 18) - 1,
                                   1 << 27,
                                   (1 << 27) - 1,
                                   LAST - 511,
                                   LAST - 512,
                                   UINT64_C(1) << 35};

Test(mem_object, pages_far_apart_do_not_meet)
{
    struct world world = world_begin(4);
    struct mem_object *object = object_new(MEM_OBJECT_PAGES_MAX);
    struct frame *frames[ARRAY_LEN(CORNERS)];

    for (size_t i = 0; i < ARRAY_LEN(CORNERS); i++) {
        cr_assert(object_look(object, CORNERS[i]) == NULL);
        frames[i] = object_make(object, CORNERS[i]);
        for (size_t j = 0; j <= i; j++) {
            cr_assert(object_look(object, CORNERS[j]) == frames[j]);
            cr_assert(i == j || frames[i] != frames[j]);
        }
    }
    expect_object(object, MEM_OBJECT_PAGES_MAX, ARRAY_LEN(CORNERS));
    mem_object_put(object);
    world_end(&world);
}

Test(mem_object, the_budget_pays_for_the_record_the_tables_and_the_frames)
{
    static const struct {
        uint64_t page, used;
    } steps[] = {
        {0, 2},        /* the record and the frame         */
        {1, 4},        /* one table above both             */
        {511, 5},      /* in it                            */
        {512, 8},      /* one above that, and one below it */
        {1 << 18, 12}, /* one more level: above, two below */
        {0, 12},
    };
    struct world world = world_begin(4);
    struct vm_budget *budget = budget_new(12);
    struct mem_object *object = object_new_in(budget, MEM_OBJECT_PAGES_MAX);
    struct frame *frame = NULL;

    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        (void)object_make(object, steps[i].page);
        EXPECT_EQ(used(budget), steps[i].used);
    }
    EXPECT_STATUS(mem_object_page_get(object, 2, MEM_OBJECT_MAKE, &frame), ERR_NOMEM);
    EXPECT_EQ(used(budget), 12);
    cr_assert(frame == NULL);
    vm_budget_set_limit(budget, 14); /* not for the tables that the page needs */
    EXPECT_STATUS(mem_object_page_get(object, LAST, MEM_OBJECT_MAKE, &frame), ERR_NOMEM);
    EXPECT_EQ(used(budget), 12);
    cr_assert(object_look(object, LAST) == NULL);
    vm_budget_put(budget); /* the object keeps it */
    mem_object_put(object);
    world_end(&world);
}

Test(mem_object, what_cannot_be_had_leaves_the_object_as_it_was)
{
    static const uint64_t pages[] = {0, 1, 513, 1 << 18, LAST};
    struct world world = world_begin(4);
    struct vm_budget *budget = budget_new(100);
    struct mem_object *object = NULL;

    frame_fail_after(0);
    EXPECT_STATUS(mem_object_create(budget, 1, 0, &object), ERR_NOMEM);
    EXPECT_EQ(used(budget), 0);
    object = object_new_in(budget, MEM_OBJECT_PAGES_MAX);
    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        uint64_t free_before = frame_free_count();
        uint64_t used_before = used(budget);
        struct frame *frame = NULL;
        uint64_t allowed = 0;

        for (;; allowed++) {
            status_t status;

            frame_fail_after(allowed);
            status = mem_object_page_get(object, pages[i], MEM_OBJECT_MAKE, &frame);
            frame_fail_after(UINT64_MAX);
            if (status == OK) {
                break;
            }
            EXPECT_STATUS(status, ERR_NOMEM);
            cr_assert(frame == NULL);
            EXPECT_EQ(frame_free_count(), free_before);
            EXPECT_EQ(used(budget), used_before);
            expect_object(object, MEM_OBJECT_PAGES_MAX, i);
        }
        EXPECT_EQ(used(budget) - used_before, allowed);
        frame_put(frame);
    }
    mem_object_put(object);
    reap_all();
    vm_budget_put(budget);
    world_end(&world);
}

Test(mem_object, names_are_counted_and_stay_inside_the_size)
{
    struct world world = world_begin(4);
    struct mem_object *object = object_new(10);

    EXPECT_STATUS(mem_object_marked(object, 11, 1), ERR_RANGE);
    EXPECT_OK(mem_object_marked(object, 10, 1));
    EXPECT_OK(mem_object_marked(object, 3, 0));
    EXPECT_OK(mem_object_marked(object, 4, 1)); /* another space */
    mem_object_unmarked(object);
    EXPECT_STATUS(mem_object_resize(object, 9), ERR_BUSY);
    mem_object_unmarked(object);
    EXPECT_EQ(object_resize(object, 0), 1);
    mem_object_put(object);
    world_end(&world);
}
