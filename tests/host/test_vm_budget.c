/* SPDX-License-Identifier: MIT */
/*
 * Budgets: what is charged, when it is refused, and that it is all given back: exactly what the
 * tables and entries of the spaces say.
 */
#include "mm/vm_budget.h"

#include "support.h"

#define AT (5 * GIB)

static struct vm_budget *budget_new(struct vm_budget *parent, uint64_t frames)
{
    struct vm_budget *budget = NULL;

    EXPECT_OK(vm_budget_create(parent, frames, &budget));
    return budget;
}

static uint64_t used(const struct vm_budget *budget)
{
    return vm_budget_state(budget).used;
}

/* ---- the number ---- */

Test(vm_budget, a_charge_is_taken_from_all_budgets_or_from_none)
{
    struct world world = world_begin(4);
    struct vm_budget *outer = budget_new(NULL, 10);
    struct vm_budget *left = budget_new(outer, 8);
    struct vm_budget *right = budget_new(outer, 8);

    EXPECT_OK(vm_budget_charge(left, 8));
    EXPECT_EQ(used(outer), 8);
    EXPECT_STATUS(vm_budget_charge(left, 1), ERR_NOMEM);  /* its own limit */
    EXPECT_STATUS(vm_budget_charge(right, 3), ERR_NOMEM); /* the outer one's */
    EXPECT_EQ(used(left), 8);
    EXPECT_EQ(used(right), 0);
    EXPECT_EQ(used(outer), 8);
    EXPECT_OK(vm_budget_charge(right, 2));
    EXPECT_STATUS(vm_budget_charge(outer, 1), ERR_NOMEM);
    vm_budget_release(left, 8);
    EXPECT_EQ(used(outer), 2);
    vm_budget_release(right, 2);
    EXPECT_EQ(used(outer), 0);
    vm_budget_put(left);
    vm_budget_put(right);
    vm_budget_put(outer);
    world_end(&world);
}

Test(vm_budget, no_number_is_too_large_to_be_refused)
{
    struct world world = world_begin(4);
    struct vm_budget *budget = budget_new(NULL, 10);
    struct vm_budget *all = budget_new(NULL, UINT64_MAX);

    EXPECT_OK(vm_budget_charge(budget, 3));
    EXPECT_STATUS(vm_budget_charge(budget, UINT64_MAX), ERR_NOMEM);
    EXPECT_STATUS(vm_budget_charge(budget, UINT64_MAX - 2), ERR_NOMEM);
    EXPECT_EQ(used(budget), 3);
    vm_budget_release(budget, 3);
    EXPECT_OK(vm_budget_charge(all, UINT64_MAX));
    EXPECT_STATUS(vm_budget_charge(all, 1), ERR_NOMEM);
    vm_budget_release(all, UINT64_MAX);
    EXPECT_OK(vm_budget_charge(NULL, UINT64_MAX)); /* none: no limit */
    vm_budget_release(NULL, UINT64_MAX);
    vm_budget_put(budget);
    vm_budget_put(all);
    world_end(&world);
}

Test(vm_budget, a_limit_below_what_is_used_refuses_until_enough_is_back)
{
    struct world world = world_begin(4);
    struct vm_budget *budget = budget_new(NULL, 10);

    EXPECT_OK(vm_budget_charge(budget, 9));
    vm_budget_set_limit(budget, 4);
    EXPECT_EQ(vm_budget_state(budget).limit, 4);
    EXPECT_STATUS(vm_budget_charge(budget, 1), ERR_NOMEM);
    vm_budget_release(budget, 6);
    EXPECT_OK(vm_budget_charge(budget, 1));
    EXPECT_STATUS(vm_budget_charge(budget, 1), ERR_NOMEM);
    vm_budget_release(budget, 4);
    vm_budget_put(budget);
    world_end(&world);
}

Test(vm_budget, they_are_nested_four_deep_and_kept_by_what_lies_inside)
{
    struct world world = world_begin(4);
    struct vm_budget *at = NULL;
    struct vm_budget *deeper;

    for (unsigned i = 0; i < 4; i++) {
        struct vm_budget *inner = budget_new(at, 100);

        vm_budget_put(at); /* the inner one keeps it */
        at = inner;
    }
    EXPECT_STATUS(vm_budget_create(at, 1, &deeper), ERR_RANGE);
    EXPECT_OK(vm_budget_charge(at, 100));
    vm_budget_release(at, 100);
    vm_budget_put(at);
    world_end(&world); /* all four are freed */
}

/* ---- what is charged ---- */

/* A world whose space has a budget. */
static struct world budget_world(unsigned levels, uint64_t frames, struct vm_budget **budget)
{
    struct world world = world_begin(levels);
    struct vm_space *without = world.space;

    *budget = budget_new(NULL, frames);
    EXPECT_OK(vm_space_create(*budget, &world.space));
    vm_space_activate(world.space);
    vm_space_put(without);
    reap_all();
    return world;
}

static void budget_world_end(struct world *world, struct vm_budget *budget)
{
    EXPECT_EQ(used(budget), vm_space_charged(world->space));
    vm_budget_put(budget); /* the space keeps it, and gives it up with nothing charged */
    world_end(world);
}

MODE_TEST(vm_budget, tables_and_pages_are_charged_and_device_pages_are_not)
{
    struct vm_budget *budget;
    struct world world = budget_world(*levels, 100, &budget);
    struct io_mem *io = NULL;
    struct vm_cursor cursor;
    uint64_t mapped;

    EXPECT_EQ(used(budget), 1); /* the root */
    map_at(&world, AT, frame_new(), VM_RW);
    EXPECT_EQ(used(budget), *levels + 1U);
    map_at(&world, AT, frame_new(), VM_RW); /* replaced */
    EXPECT_EQ(used(budget), *levels + 1U);
    EXPECT_OK(io_mem_create(pa_span(DEVICE_BASE, 8 * PAGE_SIZE), "x", &io));
    cursor = cursor_open(&world, AT, 8 * PAGE_SIZE, VM_CURSOR_CHANGE);
    EXPECT_OK(
        vm_cursor_map_iomem(&cursor, io, prop(VM_RW), 8 * PAGE_SIZE, 0, VM_MAP_REPLACE, &mapped));
    vm_cursor_close(&cursor);
    EXPECT_EQ(used(budget), *levels); /* the page is gone */
    world_check(&world);
    EXPECT_EQ(unmap_at(&world, AT, PAGE_SIZE).io_pages, 1);
    EXPECT_EQ(used(budget), *levels);
    EXPECT_EQ(unmap_at(&world, 4 * GIB, 2 * GIB).io_pages, 7); /* with their tables */
    world_check(&world);
    budget_world_end(&world, budget);
}

MODE_TEST(vm_budget, filling_stops_exactly_at_the_limit)
{
    struct vm_budget *budget;
    struct world world = budget_world(*levels, 300, &budget);
    uint64_t pages = 300 - *levels;
    struct vm_cursor cursor = cursor_open(&world, AT, 2 * MIB, VM_CURSOR_CHANGE);

    EXPECT_STATUS(vm_cursor_fill(&cursor, 2 * MIB, prop(VM_RW)), ERR_NOMEM);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, AT + pages * PAGE_SIZE);
    vm_cursor_close(&cursor);
    EXPECT_EQ(used(budget), 300);
    world_check(&world);
    EXPECT_EQ(unmap_at(&world, AT, 10 * PAGE_SIZE).ram_pages, 10);
    cursor = cursor_open(&world, AT, 10 * PAGE_SIZE, VM_CURSOR_CHANGE);
    EXPECT_OK(vm_cursor_fill(&cursor, 10 * PAGE_SIZE, prop(VM_RW)));
    vm_cursor_close(&cursor);
    EXPECT_EQ(used(budget), 300);
    budget_world_end(&world, budget);
}

MODE_TEST(vm_budget, what_is_refused_changes_nothing)
{
    struct vm_budget *budget;
    struct world world = budget_world(*levels, *levels + 2U, &budget);
    struct frame *frames[3] = {frame_new(), frame_new(), frame_new()};
    struct vm_cursor cursor;
    uint64_t charged;

    map_at(&world, AT, frames[0], VM_RW);
    charged = used(budget); /* one frame is left */
    cursor = cursor_open(&world, AT, 2 * MIB, VM_CURSOR_CHANGE);
    EXPECT_STATUS(vm_cursor_map_frames(&cursor, &frames[1], 2, prop(VM_RW), VM_MAP_REPLACE),
                  ERR_NOMEM);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, AT);
    vm_cursor_close(&cursor);
    EXPECT_EQ(used(budget), charged);
    expect_mapped(&world, AT, frames[0], VM_RW);
    cursor =
        cursor_open(&world, AT - MIB, 2 * MIB, VM_CURSOR_CHANGE); /* wants a table and a page */
    EXPECT_STATUS(vm_cursor_map(&cursor, frames[1], prop(VM_RW), VM_MAP_REPLACE), ERR_NOMEM);
    vm_cursor_close(&cursor);
    EXPECT_EQ(used(budget), charged);
    world_check(&world);
    frame_put(frames[1]);
    frame_put(frames[2]);
    budget_world_end(&world, budget);
}

/* A space that cannot even have its root, and tables that a descent may not link. */
MODE_TEST(vm_budget, a_refused_table_is_not_made)
{
    struct vm_budget *budget;
    struct world world = budget_world(*levels, 2, &budget);
    uint64_t free_before = frame_free_count();
    struct vm_cursor cursor;
    struct vm_space *second;

    EXPECT_STATUS(vm_cursor_open(&cursor, world.space, va_span(AT, PAGE_SIZE), VM_CURSOR_CHANGE),
                  ERR_NOMEM);
    EXPECT_EQ(used(budget), 2); /* what was linked stays */
    EXPECT_STATUS(vm_space_create(budget, &second), ERR_NOMEM);
    EXPECT_EQ(frame_free_count(), free_before - 1);
    world_check(&world);
    EXPECT_EQ(vm_space_sweep(world.space, &(vaddr_t){0}), 1);
    EXPECT_EQ(used(budget), 1);
    EXPECT_OK(vm_space_create(budget, &second));
    EXPECT_EQ(used(budget), 2);
    vm_space_put(second);
    reap_all();
    budget_world_end(&world, budget);
}

MODE_TEST(vm_budget, spaces_share_one_and_a_dead_one_gives_back_what_it_held)
{
    struct vm_budget *budget;
    struct world world = budget_world(*levels, 2000, &budget);
    struct world second = {.levels = *levels};
    struct vm_cursor cursor;
    uint64_t before;

    map_at(&world, AT, frame_new(), VM_RW);
    before = used(budget);
    EXPECT_OK(vm_space_create(budget, &second.space));
    cursor = cursor_open(&second, AT, 4 * MIB, VM_CURSOR_CHANGE);
    EXPECT_OK(vm_cursor_fill(&cursor, 4 * MIB, prop(VM_RW)));
    vm_cursor_close(&cursor);
    EXPECT_EQ(vm_space_charged(second.space), *levels + 1U + 1024);
    EXPECT_EQ(used(budget), before + *levels + 1U + 1024);
    vm_space_put(second.space);
    EXPECT_EQ(used(budget), before + *levels + 1U + 1024); /* until it is taken apart */
    cr_assert(vm_space_reap());
    cr_assert(used(budget) > before && used(budget) < before + 1024); /* piece by piece */
    reap_all();
    EXPECT_EQ(used(budget), before);
    budget_world_end(&world, budget);
}

MODE_TEST(vm_budget, marks_cost_their_tables_and_what_is_put_by_and_hidden_pages_their_frame)
{
    struct vm_mark mark = {.kind = VM_ITEM_RESERVED, .prot = VM_RW};
    uint64_t stock = 2 * (*levels - 1U);
    struct vm_budget *budget;
    struct world world = budget_world(*levels, 2000, &budget);
    struct vm_cursor cursor = cursor_open(&world, 64 * GIB, 16 * GIB, VM_CURSOR_CHANGE);
    struct vm_removed removed;
    uint64_t before;
    uint64_t pages;

    EXPECT_OK(vm_cursor_mark(&cursor, 16 * GIB, mark, VM_MAP_EXCLUSIVE, 1000, &removed));
    EXPECT_OK(vm_cursor_jump(&cursor, va(64 * GIB)));
    EXPECT_EQ(vm_space_split_stock(world.space), stock);
    EXPECT_EQ(used(budget), *levels - 2U + stock); /* tables down to level 2 */
    EXPECT_OK(vm_cursor_touch(&cursor, VM_ACCESS_READ));
    EXPECT_EQ(used(budget), *levels + stock + 1); /* the frame of zeroes, too */
    EXPECT_OK(vm_cursor_touch(&cursor, VM_ACCESS_WRITE));
    vm_cursor_close(&cursor);
    before = used(budget);
    EXPECT_EQ(before, *levels + stock + 1);
    cursor = cursor_open(&world, 64 * GIB, PAGE_SIZE, VM_CURSOR_EDIT);
    EXPECT_OK(vm_cursor_protect(&cursor, PAGE_SIZE, VM_PROT_NONE, 1, &pages));
    vm_cursor_close(&cursor);
    EXPECT_EQ(used(budget), before);
    world_check(&world);
    EXPECT_EQ(unmap_at(&world, 64 * GIB, PAGE_SIZE).ram_pages, 1);
    EXPECT_EQ(used(budget), before - 1);
    budget_world_end(&world, budget);
}

/* Detached tables are nobody's from the unmap on, though the reaper has them still; the space may
 * even be gone before they are. */
MODE_TEST(vm_budget, detached_tables_are_given_up_at_once)
{
    struct vm_budget *budget;
    struct world world = budget_world(*levels, 2000, &budget);
    struct vm_space *space = world.space;
    struct vm_cursor cursor = cursor_open(&world, AT, 4 * MIB, VM_CURSOR_CHANGE);

    EXPECT_OK(vm_cursor_fill(&cursor, 4 * MIB, prop(VM_RW)));
    vm_cursor_close(&cursor);
    EXPECT_EQ(used(budget), *levels + 1U + 1024);
    EXPECT_EQ(unmap_at(&world, AT, 4 * MIB).ram_pages, 1024);
    EXPECT_EQ(used(budget), *levels - 1U);
    cr_assert(!vm_space_reap_is_done());
    world_check(&world);
    EXPECT_OK(vm_space_create(NULL, &world.space));
    vm_space_activate(world.space);
    vm_space_put(space);
    reap_all();
    EXPECT_EQ(used(budget), 0);
    vm_budget_put(budget);
    world_end(&world);
}
