/* SPDX-License-Identifier: MIT */
/*
 * Moving between spaces: who is charged, and what is left when a budget is spent or memory is out,
 * with each allocation failing in turn.
 */
#include "support_move_spaces.h"

/* A space for the other side, whose budget has room for so many frames more. */
static struct vm_budget *limit_other(struct sides *sides, uint64_t there, uint64_t frames)
{
    struct vm_budget *budget;

    vm_space_put(sides->other.space);
    reap_all();
    EXPECT_OK(vm_budget_create(NULL, 64, &budget));
    EXPECT_OK(vm_space_create(budget, &sides->other.space));
    map_at(&sides->other, there + 100 * PAGE_SIZE, frame_new(), VM_R); /* its tables */
    vm_budget_set_limit(budget, vm_budget_state(budget).used + frames);
    return budget;
}

MODE_TEST(vm_move_charge, who_gets_it_pays)
{
    struct sides sides = sides_begin(*levels);
    struct vm_budget *budget = limit_other(&sides, THERE, 1);

    (void)page_with(&sides.world, BASE, 1);
    (void)page_with(&sides.world, BASE + PAGE_SIZE, 2);
    expect_done(move_all(&sides, THERE, 2 * PAGE_SIZE), ERR_NOMEM, 0);
    cr_assert(holds(frame_at(&sides.world, BASE), 1), "all of a run or none");
    expect_done(move_all(&sides, THERE, PAGE_SIZE), OK, PAGE_SIZE);
    expect_done(move_between(&sides.world, BASE + PAGE_SIZE, &sides.other, THERE + PAGE_SIZE,
                             PAGE_SIZE, 256),
                ERR_NOMEM, 0);
    /* A reserved page costs nothing yet. */
    reserve(&sides.world, BASE + 2 * PAGE_SIZE, VM_RW);
    expect_done(move_between(&sides.world, BASE + 2 * PAGE_SIZE, &sides.other,
                             THERE + 2 * PAGE_SIZE, PAGE_SIZE, 256),
                OK, PAGE_SIZE);
    vm_budget_put(budget);
    sides_end(&sides);
}

MODE_TEST(vm_move_charge, who_gets_a_table_pays_for_all_in_it)
{
    struct sides sides = sides_begin(*levels);
    struct vm_budget *budget = limit_other(&sides, NEW + STEP, 2);

    (void)page_with(&sides.world, BASE, 1);
    (void)page_with(&sides.world, BASE + PAGE_SIZE, 2);
    expect_done(move_all(&sides, NEW, STEP), ERR_NOMEM, 0);
    world_check(&sides.world);
    vm_budget_set_limit(budget, vm_budget_state(budget).used + 3);
    expect_done(move_all(&sides, NEW, STEP), OK, STEP);
    EXPECT_EQ(vm_budget_state(budget).used, vm_budget_state(budget).limit);
    vm_budget_put(budget);
    sides_end(&sides);
}

/* Moves `bytes` to `there` with each allocation failing in turn; what it says of the source must
 * not change before it is through. */
static void fail_each(struct sides *sides, uint64_t there, uint64_t bytes)
{
    struct vm_slot before[PAGES];
    uint64_t done = 0;

    for (unsigned i = 0; i < PAGES; i++) {
        before[i] = slot_of(&sides->world, BASE + i * PAGE_SIZE);
    }
    for (unsigned fails = 0; done < bytes; fails++) {
        struct result result;

        frame_fail_after(fails);
        result = move_between(&sides->world, BASE + done, &sides->other, there + done, bytes - done,
                              256);
        frame_fail_after(UINT64_MAX);
        EXPECT_EQ(result.from_done, result.to_done);
        cr_assert(result.status == OK || result.status == ERR_NOMEM);
        done += result.from_done;
        fails = result.from_done > 0 ? 0 : fails;
        world_check(&sides->world);
        EXPECT_OK(vm_space_check(sides->other.space));
        for (unsigned i = 0; i < PAGES; i++) {
            const struct world *world = i * PAGE_SIZE < done ? &sides->other : &sides->world;
            uint64_t at = i * PAGE_SIZE < done ? there : BASE;

            EXPECT_EQ(slot_of(world, at + i * PAGE_SIZE).item.kind, before[i].item.kind);
            EXPECT_EQ(slot_of(world, at + i * PAGE_SIZE).item.object_page,
                      before[i].item.object_page);
        }
    }
}

static void fail_each_to(unsigned levels, uint64_t there)
{
    struct sides sides = sides_begin(levels);
    struct mem_object *object = object_new(16);
    struct vm_cursor way;
    struct frame *shared;

    lay_out(&sides.world, &shared, object);
    way = cursor_open(&sides.other, there, STEP, VM_CURSOR_CHANGE); /* links its way */
    vm_cursor_close(&way);
    fail_each(&sides, there, STEP);
    expect_laid_out(&sides.other, there, object);
    mem_object_put(object);
    frame_put(shared);
    sides_end(&sides);
}

MODE_TEST(vm_move_charge, without_memory_entries_stop_and_nothing_is_lost)
{
    fail_each_to(*levels, THERE);
}

MODE_TEST(vm_move_charge, without_memory_tables_stop_and_nothing_is_lost)
{
    fail_each_to(*levels, NEW);
}

/* Takes the tables away that the space has put by. */
static void drain_stock(struct vm_space *space)
{
    for (struct pt_node *node; (node = vm_space_stock_take(space)) != NULL;) {
        pt_node_destroy(node);
    }
}

MODE_TEST(vm_move_charge, without_memory_a_large_mark_stays_whole_somewhere)
{
    struct sides sides = sides_begin(*levels);
    struct mem_object *object = object_new(1024);
    struct vm_mark mark = {.kind = VM_ITEM_PAGED, .prot = VM_RW, .object = object};

    mark_range(&sides.world, BASE, STEP, mark);
    /* Beside both ends of the new place, so that nothing is wanted there. */
    mark_range(&sides.other, THERE - PAGE_SIZE, PAGE_SIZE, mark);
    mark_range(&sides.other, THERE + STEP, PAGE_SIZE, mark);
    mem_object_put(object);
    drain_stock(sides.world.space);
    frame_fail_after(0);
    expect_done(move_between(&sides.world, BASE, &sides.other, THERE, STEP, 100), ERR_NOMEM, 0);
    frame_fail_after(UINT64_MAX);
    EXPECT_EQ(slot_of(&sides.world, BASE).range.end.raw, BASE + STEP);
    EXPECT_EQ(slot_of(&sides.other, THERE).item.kind, VM_ITEM_ABSENT);
    /* Where it is split depends on the step; so only what each page means is looked at. */
    for (uint64_t done = 0, fails = 0; done < STEP; fails++) {
        struct result result;

        frame_fail_after(fails);
        result =
            move_between(&sides.world, BASE + done, &sides.other, THERE + done, STEP - done, 100);
        frame_fail_after(UINT64_MAX);
        done += result.from_done;
        fails = result.from_done > 0 ? 0 : fails;
        world_check(&sides.world);
        EXPECT_OK(vm_space_check(sides.other.space));
        for (uint64_t at = 0; at < STEP; at += 16 * PAGE_SIZE) {
            struct vm_slot here = slot_of(&sides.world, BASE + at);
            struct vm_slot there = slot_of(&sides.other, THERE + at);

            EXPECT_EQ(here.item.kind, at < done ? VM_ITEM_ABSENT : VM_ITEM_PAGED);
            EXPECT_EQ(there.item.kind, at < done ? VM_ITEM_PAGED : VM_ITEM_ABSENT);
        }
    }
    sides_end(&sides);
}
