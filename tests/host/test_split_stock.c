/* SPDX-License-Identifier: MIT */
/*
 * The split stock: unmapping inside large marks goes on when memory, or the budget, is out, as far
 * as the tables go that the space has put by; past that it is refused, and nothing changes.
 */
#include "mm/vm_budget.h"
#include "support_held.h"
#include "support_mark.h"

static struct held held;

/* Unmaps by a cursor that covers more. */
static status_t unmap_part(struct world *world, uint64_t at, uint64_t bytes)
{
    struct vm_cursor cursor = cursor_open(world, 0, 3 * top_bytes(world->levels), VM_CURSOR_EDIT);
    struct vm_removed removed;
    status_t status;

    EXPECT_OK(vm_cursor_jump(&cursor, va(at)));
    status = vm_cursor_unmap(&cursor, bytes, &removed);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, status == OK ? at + bytes : at);
    vm_cursor_close(&cursor);
    return status;
}

/* The tables put by are enough for both ends at all levels.  When they are gone too, nothing
 * changes; the next large mark puts new ones by. */
MODE_TEST(split_stock, the_stock_splits_when_memory_is_out)
{
    struct world world = world_with_mark(*levels);
    uint64_t top = top_bytes(*levels);
    uint64_t charged = vm_space_charged(world.space);

    mark_at(&world, 0, top, RESERVED_RW);
    mark_at(&world, 2 * top, top, GUARD);
    hold_all(&held);
    EXPECT_OK(unmap_part(&world, PAGE_SIZE, 2 * top - 2 * PAGE_SIZE)); /* both ends, all levels */
    EXPECT_EQ(vm_space_split_stock(world.space), 0);
    EXPECT_EQ(vm_space_charged(world.space), charged); /* it went with the tables */
    let_go_of(&held, 1);                               /* not enough, and not kept either */
    EXPECT_STATUS(unmap_part(&world, 2 * top + PAGE_SIZE, PAGE_SIZE), ERR_NOMEM);
    EXPECT_EQ(vm_space_split_stock(world.space), 0);
    EXPECT_EQ(vm_space_charged(world.space), charged);
    EXPECT_EQ(frame_free_count(), 1);
    expect_slot(&world, 2 * top + PAGE_SIZE, VM_ITEM_GUARD, 2 * top, top);
    let_go(&held);
    expect_slot(&world, 0, VM_ITEM_RESERVED, 0, PAGE_SIZE);
    expect_slot(&world, 2 * top - 1, VM_ITEM_RESERVED, 2 * top - PAGE_SIZE, PAGE_SIZE);
    EXPECT_EQ(slot_at(&world, PAGE_SIZE).item.kind, VM_ITEM_ABSENT);
    world_check(&world);
    mark_at(&world, 0, top, GUARD);
    EXPECT_EQ(vm_space_split_stock(world.space), 2 * (*levels - 1));
    world_end(&world);
}

/* Each of the tables may be the one that the allocator does not have. */
MODE_TEST(split_stock, one_refusal_takes_one_from_the_stock)
{
    struct world world = world_with_mark(*levels);
    uint64_t top = top_bytes(*levels);
    unsigned stock = 2 * (*levels - 1);
    unsigned refused = 0;

    for (uint64_t allowed = 0; allowed <= stock; allowed++) {
        frame_fail_after(allowed);
        EXPECT_OK(unmap_part(&world, top + PAGE_SIZE, top - 2 * PAGE_SIZE));
        frame_fail_after(UINT64_MAX);
        refused += vm_space_split_stock(world.space) == stock - 1 ? 1 : 0;
        cr_assert(vm_space_split_stock(world.space) + 1 >= stock);
        EXPECT_EQ(slot_at(&world, top + PAGE_SIZE).item.kind, VM_ITEM_ABSENT);
        world_check(&world);
        mark_at(&world, top, top, RESERVED_RW); /* whole again, and the stock full */
    }
    cr_assert(refused >= stock - 1); /* so many tables does it take, and room for their records */
    world_end(&world);
}

MODE_TEST(split_stock, what_the_stock_cannot_split_stays)
{
    struct world world = world_with_mark(*levels);
    uint64_t top = top_bytes(*levels);
    uint64_t charged;
    struct vm_cursor cursor;
    struct vm_removed removed;

    mark_at(&world, 0, top, RESERVED_RW);
    charged = vm_space_charged(world.space);
    hold_all(&held);
    EXPECT_OK(unmap_part(&world, top + PAGE_SIZE, top - 2 * PAGE_SIZE));
    EXPECT_EQ(vm_space_split_stock(world.space), 1); /* one table serves both ends */
    EXPECT_STATUS(unmap_part(&world, PAGE_SIZE, PAGE_SIZE), ERR_NOMEM);
    EXPECT_EQ(vm_space_split_stock(world.space), 1);
    EXPECT_EQ(vm_space_charged(world.space), charged);
    expect_slot(&world, PAGE_SIZE, VM_ITEM_RESERVED, 0, top);
    world_check(&world);

    cursor = cursor_open(&world, 0, 2 * top, VM_CURSOR_CHANGE);
    EXPECT_STATUS(vm_cursor_mark(&cursor, top, GUARD, VM_MAP_REPLACE, 9, &removed), ERR_NOMEM);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, 0);
    vm_cursor_close(&cursor);
    EXPECT_EQ(vm_space_split_stock(world.space), 1);
    expect_slot(&world, PAGE_SIZE, VM_ITEM_RESERVED, 0, top);
    EXPECT_OK(unmap_part(&world, 0, top)); /* splits nothing */
    EXPECT_EQ(slot_at(&world, 0).item.kind, VM_ITEM_ABSENT);
    let_go(&held);
    world_end(&world);
}

MODE_TEST(split_stock, a_spent_budget_is_memory_that_is_out)
{
    struct world world = world_begin(*levels);
    struct world other = {.levels = *levels};
    uint64_t top = top_bytes(*levels);
    struct vm_budget *budget;
    uint64_t used;

    EXPECT_OK(vm_budget_create(NULL, 100, &budget));
    EXPECT_OK(vm_space_create(budget, &other.space));
    mark_at(&other, 0, 2 * top, RESERVED_RW);
    used = vm_budget_state(budget).used;
    EXPECT_EQ(used, 1 + 2 * (*levels - 1));
    vm_budget_set_limit(budget, used);
    EXPECT_OK(unmap_part(&other, PAGE_SIZE, 2 * top - 2 * PAGE_SIZE));
    EXPECT_EQ(vm_space_split_stock(other.space), 0);
    EXPECT_EQ(vm_budget_state(budget).used, used);
    EXPECT_STATUS(unmap_part(&other, 0, PAGE_SIZE), OK); /* an entry of its own by now */
    EXPECT_OK(vm_space_check(other.space));
    vm_space_put(other.space);
    reap_all();
    EXPECT_EQ(vm_budget_state(budget).used, 0);
    vm_budget_put(budget);
    world_end(&world);
}
