/* SPDX-License-Identifier: MIT */
/*
 * Memory objects of level 1: their memory comes in blocks of 2 MiB, got whole or as slices of
 * 4 KiB, made by who faults or on the spot, charged to the object's budget.
 */
#include <string.h>

#include "support_block.h"
#include "support_object.h"

#define BLOCK     512U
#define ALL_PAGES MEM_OBJECT_PAGES_MAX

static struct mem_object *object_new_large(struct vm_budget *budget, uint64_t pages)
{
    struct mem_object *object = NULL;

    EXPECT_OK(mem_object_create(budget, pages, 1, &object));
    EXPECT_EQ(mem_object_level(object), 1);
    return object;
}

/* The block of a page, made in pieces as a fault does; ERR_NOMEM: there is none to be had. */
static status_t try_block(struct mem_object *object, uint64_t page, struct frame **block)
{
    struct frame_making making = {0};
    status_t status;

    while ((status = mem_object_block_get(object, page, MEM_OBJECT_MAKE, &making, block)) ==
           ERR_AGAIN) {
        status_t step;

        do {
            step = frame_making_step(&making);
        } while (step == ERR_AGAIN);
        if (step != OK) {
            status = step;
            break;
        }
    }
    frame_making_drop(&making);
    return status;
}

/* The same, without the reference. */
static struct frame *make_block(struct mem_object *object, uint64_t page)
{
    struct frame *block = NULL;

    EXPECT_OK(try_block(object, page, &block));
    cr_assert(!frame_block_has_one_ref(block, 1));
    frame_block_put(block, 1);
    cr_assert(frame_block_has_one_ref(block, 1));
    return block;
}

Test(mem_object_block, sizes_are_of_whole_blocks)
{
    struct world world = world_begin(4);
    struct mem_object *none = NULL;
    struct mem_object *object;

    EXPECT_STATUS(mem_object_create(NULL, BLOCK + 1, 1, &none), ERR_INVAL);
    EXPECT_STATUS(mem_object_create(NULL, BLOCK, MEM_OBJECT_LEVEL_MAX + 1, &none), ERR_INVAL);
    EXPECT_STATUS(mem_object_create(NULL, ALL_PAGES + BLOCK, 1, &none), ERR_RANGE);
    cr_assert(none == NULL);
    object = object_new_large(NULL, 0);
    EXPECT_STATUS(mem_object_resize(object, BLOCK - 1), ERR_INVAL);
    EXPECT_STATUS(mem_object_resize(object, ALL_PAGES + BLOCK), ERR_RANGE);
    EXPECT_EQ(object_resize(object, ALL_PAGES), 1);
    expect_object(object, ALL_PAGES, 0);
    mem_object_put(object);
    world_end(&world);
}

Test(mem_object_block, each_page_is_a_slice_of_its_block)
{
    static const uint64_t pages[] = {0, BLOCK - 1, BLOCK, (1 << 18) + 5, ALL_PAGES - 1};
    static const uint64_t frames[] = {1, 1, 2, 3, 4}; /* in blocks */
    struct world world;
    struct mem_object *object;

    machine_boot_large();
    world = (struct world){.levels = 4, .free_before = frame_free_count()};
    EXPECT_OK(vm_space_create(NULL, &world.space));
    object = object_new_large(NULL, ALL_PAGES);
    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        struct frame *block = make_block(object, pages[i]);
        struct frame *found = NULL;

        EXPECT_EQ(frame_pa(block).raw % (BLOCK * PAGE_SIZE), 0);
        expect_object(object, ALL_PAGES, frames[i] * BLOCK);
        cr_assert(object_look(object, pages[i]) == block + pages[i] % BLOCK);
        cr_assert(object_make(object, pages[i] ^ 1) == block + (pages[i] ^ 1) % BLOCK);
        EXPECT_OK(mem_object_block_get(object, pages[i] ^ 3, MEM_OBJECT_LOOK, NULL, &found));
        cr_assert(found == block);
        frame_block_put(found, 1);
    }
    EXPECT_STATUS(mem_object_block_get(object, 5 * BLOCK, MEM_OBJECT_LOOK, NULL, NULL), ERR_NOENT);
    EXPECT_STATUS(mem_object_block_get(object, ALL_PAGES, MEM_OBJECT_MAKE, NULL, NULL), ERR_RANGE);
    mem_object_put(object);
    vm_space_put(world.space);
    expect_all_back(world.free_before);
}

Test(mem_object_block, of_an_object_of_level_0_a_block_is_a_page)
{
    struct world world = world_begin(4);
    struct mem_object *object = object_new(10);
    struct frame *block = NULL;

    EXPECT_OK(mem_object_block_get(object, 7, MEM_OBJECT_MAKE, NULL, &block));
    cr_assert(object_look(object, 7) == block);
    frame_block_put(block, mem_object_level(object));
    mem_object_put(object);
    world_end(&world);
}

Test(mem_object_block, a_page_that_is_asked_for_makes_its_block_on_the_spot)
{
    struct world world = world_begin(4);
    struct vm_budget *budget = budget_new(1000);
    struct mem_object *object = object_new_large(budget, 2 * BLOCK);
    struct frame *dirt = block_new(1);
    struct frame *frame;

    memset(frame_bytes(dirt), 0xa5, BLOCK * PAGE_SIZE);
    frame_block_put(dirt, 1);
    reap_all();
    frame = object_make(object, 3);
    EXPECT_EQ(used(budget), 1 + BLOCK); /* the first block needs no table */
    expect_object(object, 2 * BLOCK, BLOCK);
    for (unsigned i = 0; i < BLOCK; i++) {
        const unsigned char *bytes = frame_bytes(frame - 3 + i);

        cr_assert(bytes[0] == 0 && memcmp(bytes, bytes + 1, PAGE_SIZE - 1) == 0);
    }
    mem_object_put(object);
    reap_all();
    EXPECT_EQ(used(budget), 0);
    vm_budget_put(budget);
    world_end(&world);
}

Test(mem_object_block, the_block_keeps_its_charge_and_who_comes_second_keeps_his)
{
    struct world world = world_begin(4);
    struct vm_budget *budget = budget_new(1 + 2 * BLOCK);
    struct mem_object *object = object_new_large(budget, BLOCK);
    struct frame_making makings[2] = {{0}, {0}};
    struct frame *blocks[2] = {NULL, NULL};

    for (unsigned i = 0; i < 2; i++) {
        EXPECT_STATUS(mem_object_block_get(object, 0, MEM_OBJECT_MAKE, &makings[i], &blocks[i]),
                      ERR_AGAIN);
        while (frame_making_step(&makings[i]) == ERR_AGAIN) {
            EXPECT_STATUS(mem_object_block_get(object, 0, MEM_OBJECT_MAKE, &makings[i], &blocks[i]),
                          ERR_AGAIN); /* goes on with the same */
        }
    }
    EXPECT_EQ(used(budget), 1 + 2 * BLOCK); /* all it has: nothing is charged twice below */
    for (unsigned i = 0; i < 2; i++) {
        EXPECT_OK(mem_object_block_get(object, 5, MEM_OBJECT_MAKE, &makings[i], &blocks[i]));
    }
    cr_assert(blocks[0] == blocks[1]);
    EXPECT_EQ(refs_of(blocks[0], 1), 3);
    cr_assert(makings[0].wanted == 0 && frame_making_is_ready(&makings[1], 1, budget));
    EXPECT_EQ(used(budget), 1 + 2 * BLOCK);
    frame_making_drop(&makings[1]);
    EXPECT_EQ(used(budget), 1 + BLOCK);
    frame_block_put(blocks[0], 1);
    frame_block_put(blocks[1], 1);
    mem_object_put(object);
    reap_all();
    vm_budget_put(budget);
    world_end(&world);
}

/* A block made for somebody else's budget is not the object's. */
Test(mem_object_block, a_block_of_another_payer_is_not_taken)
{
    struct world world = world_begin(4);
    struct vm_budget *budget = budget_new(1000);
    struct mem_object *object = object_new_large(budget, BLOCK);
    struct frame_making making = {0};
    struct frame *block = NULL;

    frame_making_want(&making, 1, NULL);
    while (frame_making_step(&making) == ERR_AGAIN) {
        continue;
    }
    EXPECT_STATUS(mem_object_block_get(object, 0, MEM_OBJECT_MAKE, &making, &block), ERR_AGAIN);
    cr_assert(making.payer == budget && making.done == 0);
    frame_making_drop(&making);
    mem_object_put(object);
    reap_all();
    vm_budget_put(budget);
    world_end(&world);
}

/* Gets the page in one of the two ways, with each allocation failing in turn. */
static void fail_each(struct mem_object *object, struct vm_budget *budget, uint64_t page,
                      bool whole)
{
    uint64_t free_before = frame_free_count();
    uint64_t used_before = used(budget);
    struct mem_object_state before = mem_object_state(object);
    struct frame *frame = NULL;
    uint64_t allowed = 0;

    for (;; allowed++) {
        status_t status;

        frame_fail_after(allowed);
        status = whole ? try_block(object, page, &frame)
                       : mem_object_page_get(object, page, MEM_OBJECT_MAKE, &frame);
        frame_fail_after(UINT64_MAX);
        if (status == OK) {
            break;
        }
        EXPECT_STATUS(status, ERR_NOMEM);
        cr_assert(frame == NULL);
        expect_all_back(free_before);
        EXPECT_EQ(used(budget), used_before);
        expect_object(object, before.pages, before.frames);
    }
    cr_assert(allowed > 0);
    EXPECT_EQ(used(budget) - used_before, BLOCK + allowed - 1); /* a block, and tables */
    frame_block_put(frame, whole ? 1 : 0);
}

Test(mem_object_block, what_cannot_be_had_leaves_the_object_as_it_was)
{
    static const uint64_t pages[] = {0, BLOCK, 1 << 18, ALL_PAGES - 1};
    struct vm_budget *budget;
    uint64_t free_before;

    machine_boot_large();
    budget = budget_new(100000);
    free_before = frame_free_count();
    for (unsigned whole = 0; whole < 2; whole++) {
        struct mem_object *object = object_new_large(budget, ALL_PAGES);

        for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
            fail_each(object, budget, pages[i], whole == 1);
        }
        mem_object_put(object);
        reap_all();
        EXPECT_EQ(used(budget), 0);
        expect_all_back(free_before);
    }
}

Test(mem_object_block, a_budget_that_is_spent_makes_no_block)
{
    struct world world = world_begin(4);
    struct vm_budget *budget = budget_new(BLOCK);
    struct mem_object *object = object_new_large(budget, BLOCK);
    struct frame *frame = NULL;

    EXPECT_STATUS(mem_object_page_get(object, 0, MEM_OBJECT_MAKE, &frame), ERR_NOMEM);
    EXPECT_STATUS(try_block(object, 0, &frame), ERR_NOMEM);
    EXPECT_EQ(used(budget), 1);
    expect_object(object, BLOCK, 0);
    mem_object_put(object);
    vm_budget_put(budget);
    world_end(&world);
}

Test(mem_object_block, shrinks_by_a_block_a_piece)
{
    struct vm_budget *budget;
    uint64_t free_before;
    struct mem_object *object;
    struct frame *first;

    machine_boot_large();
    budget = budget_new(100000);
    free_before = frame_free_count();
    object = object_new_large(budget, 4 * BLOCK);
    first = make_block(object, 0);
    for (unsigned i = 1; i < 4; i++) {
        memset(frame_bytes(make_block(object, i * BLOCK)), 0xa5, PAGE_SIZE);
    }
    EXPECT_EQ(used(budget), 2 + 4 * BLOCK);
    EXPECT_STATUS(mem_object_resize(object, 0), ERR_AGAIN);
    expect_object(object, 3 * BLOCK, 3 * BLOCK);
    EXPECT_EQ(object_resize(object, BLOCK), 2);
    expect_object(object, BLOCK, BLOCK);
    EXPECT_EQ(used(budget), 2 + BLOCK);
    EXPECT_EQ(object_resize(object, 4 * BLOCK), 1);
    cr_assert(object_look(object, 0) == first && object_look(object, BLOCK) == NULL);
    EXPECT_EQ(*(unsigned char *)frame_bytes(object_make(object, 3 * BLOCK)), 0);
    mem_object_put(object);
    expect_all_back(free_before);
    EXPECT_EQ(used(budget), 0);
}

Test(mem_object_block, a_block_of_which_somebody_has_any_part_is_not_cut_off)
{
    struct world world = world_begin(4);
    struct mem_object *object = object_new_large(NULL, 2 * BLOCK);
    struct frame *block = make_block(object, BLOCK);
    struct frame *frame = NULL;

    EXPECT_OK(mem_object_page_get(object, 2 * BLOCK - 1, MEM_OBJECT_LOOK, &frame));
    EXPECT_STATUS(mem_object_resize(object, BLOCK), ERR_BUSY);
    frame_put(frame);
    EXPECT_OK(mem_object_block_get(object, BLOCK, MEM_OBJECT_LOOK, NULL, &block));
    EXPECT_STATUS(mem_object_resize(object, BLOCK), ERR_BUSY);
    expect_object(object, 2 * BLOCK, BLOCK);
    frame_block_put(block, 1);
    EXPECT_EQ(object_resize(object, BLOCK), 1);
    mem_object_put(object);
    world_end(&world);
}

Test(mem_object_block, slices_and_blocks_outlive_the_object)
{
    struct world world = world_begin(4);
    struct mem_object *object = object_new_large(NULL, 2 * BLOCK);
    struct frame *block = NULL;
    struct frame *frame = NULL;

    EXPECT_OK(try_block(object, 0, &block));
    EXPECT_OK(mem_object_page_get(object, BLOCK + 9, MEM_OBJECT_MAKE, &frame));
    mem_object_put(object);
    reap_all();
    cr_assert(frame_block_has_one_ref(block, 1) && frame_has_one_ref(frame));
    frame_block_put(block, 1);
    frame_put(frame);
    world_end(&world);
}
