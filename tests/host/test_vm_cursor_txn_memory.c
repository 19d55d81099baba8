/* SPDX-License-Identifier: MIT */
/*
 * Transactions when memory is out: with each allocation failing in turn every address means what it
 * did, no row of an object is held, and in the end every frame is back.
 */
#include "mm/vm_space_priv.h"
#include "support_txn.h"

#define AROUND (2 * MIB + 64 * PAGE_SIZE) /* from BASE on: where all is before */
#define COUNT  (AROUND / PAGE_SIZE)

static struct mem_object *object;

static uint64_t page(unsigned i)
{
    return BASE + i * PAGE_SIZE;
}

/* Splits a large mark at two places, makes tables where nothing is, fills the stock, holds rows. */
static status_t thirsty(struct world *world, uint64_t allowed)
{
    const struct vm_change ops[] = {
        op_unmap(page(0), 2 * PAGE_SIZE),
        op_protect(BASE + 2 * MIB + PAGE_SIZE, PAGE_SIZE, VM_R),
        op_mark(BASE + GIB + PAGE_SIZE, PAGE_SIZE, paged(object, 9, VM_SHARE_ALL, VM_RW),
                VM_MAP_EXCLUSIVE),
        op_mark(BASE + GIB + 4 * MIB, 4 * MIB, GUARD, VM_MAP_EXCLUSIVE),
        op_unmap(BASE + GIB + PAGE_SIZE, PAGE_SIZE),
        op_mark(page(1), 2 * PAGE_SIZE, paged(object, 5, VM_SHARE_NONE, VM_RW), VM_MAP_REPLACE),
        op_mark(BASE + 2 * GIB - PAGE_SIZE, 2 * PAGE_SIZE, RESERVED_RW, VM_MAP_EXCLUSIVE),
    };
    struct vm_cursor cursor = cursor_open(world, 0, 8 * GIB, VM_CURSOR_CHANGE);
    struct vm_removed removed;
    unsigned failed;
    status_t status;

    frame_fail_after(allowed);
    status = vm_cursor_txn(&cursor, ops, ARRAY_LEN(ops), &removed, &failed);
    frame_fail_after(UINT64_MAX);
    vm_cursor_close(&cursor);
    world_check(world);
    return status;
}

/* Puts there what they need, and leaves the split stock empty. */
static void before_thirsty(struct world *world)
{
    object = object_new(OBJECT_PAGES);
    fill_at(world, page(0), 4, VM_RW);
    mark_at(world, BASE + 2 * MIB, 2 * MIB, RESERVED_RW);
    while (vm_space_split_stock(world->space) > 0) {
        pt_node_destroy(vm_space_stock_take(world->space));
    }
}

/* Takes all away. */
static void after_thirsty(struct world *world)
{
    unmap_at(world, 0, 8 * GIB);
    expect_not_named(object);
    mem_object_put(object);
}

/* The world's space ends, with all its frames back; another begins. */
static void space_end(const struct world *world)
{
    vm_space_activate(NULL);
    vm_space_put(world->space);
    reap_all();
    EXPECT_EQ(frame_free_count(), world->free_before);
}

static void space_begin(struct world *world, struct vm_budget *budget)
{
    EXPECT_OK(vm_space_create(budget, &world->space));
    vm_space_activate(world->space);
}

/* One attempt with so many allocations; one that finds no memory leaves all as it was. */
static status_t attempt(struct world *world, uint64_t allowed)
{
    static struct meaning before[COUNT], after[COUNT];
    status_t status;

    meanings_read(world->space, va_span(BASE, AROUND), before);
    status = thirsty(world, allowed);
    if (status == ERR_NOMEM) {
        meanings_read(world->space, va_span(BASE, AROUND), after);
        expect_meanings(after, before, COUNT);
        expect_not_named(object);
        EXPECT_EQ(item_at(world, BASE + GIB + 4 * MIB).kind, VM_ITEM_ABSENT);
        EXPECT_EQ(item_at(world, BASE + 2 * GIB).kind, VM_ITEM_ABSENT);
    }
    return status;
}

MODE_TEST(vm_cursor_txn_memory, each_allocation_may_fail, .timeout = 120)
{
    struct world world = world_begin(*levels);
    status_t status = ERR_NOMEM;
    uint64_t allowed;

    for (allowed = 0; status == ERR_NOMEM; allowed++) {
        space_end(&world);
        space_begin(&world, NULL);
        before_thirsty(&world);
        status = attempt(&world, allowed);
        after_thirsty(&world);
    }
    EXPECT_OK(status);
    cr_assert(allowed > 10, "only %lu allocations", (unsigned long)allowed);
    world_end(&world);
}

MODE_TEST(vm_cursor_txn_memory, each_charge_may_be_refused, .timeout = 120)
{
    struct world world = world_begin(*levels);
    status_t status = ERR_NOMEM;
    uint64_t more;

    for (more = 0; status == ERR_NOMEM; more++) {
        struct vm_budget *budget;

        space_end(&world);
        budget = budget_new(1000);
        space_begin(&world, budget);
        before_thirsty(&world);
        vm_budget_set_limit(budget, used(budget) + more);
        status = attempt(&world, UINT64_MAX);
        vm_budget_set_limit(budget, 1000);
        after_thirsty(&world);
        EXPECT_EQ(used(budget), vm_space_charged(world.space));
        vm_budget_put(budget); /* the space has it, and gives it up with nothing charged */
    }
    EXPECT_OK(status);
    cr_assert(more > 10, "%lu frames were enough", (unsigned long)more);
    world_end(&world);
}
