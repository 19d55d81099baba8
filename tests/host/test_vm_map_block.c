/* SPDX-License-Identifier: MIT */
/*
 * Mapping blocks: one entry maps 2 MiB or 1 GiB, what is there leaves first and is flushed before
 * the new entry is stored, and what is refused or finds no memory changes nothing.
 */
#include "mm/vm_budget.h"
#include "support_map_block.h"

MODE_TEST(vm_map_block, one_entry_maps_all_of_it)
{
    struct world world = world_large(*levels);

    for (unsigned level = 1; level <= FRAME_LEVEL_MAX; level++) {
        uint64_t pages = frame_block_frames(level);
        uint64_t blocks = counter_read(COUNTER_blocks_mapped);
        uint64_t mapped = counter_read(COUNTER_pages_mapped);
        struct frame *block = map_new_at(&world, BASE, level, VM_RW);

        expect_block(&world, BASE, block, level, VM_RW);
        EXPECT_EQ(counter_read(COUNTER_blocks_mapped), blocks + 1);
        EXPECT_EQ(counter_read(COUNTER_pages_mapped), mapped + pages);
        EXPECT_EQ(vm_space_split_stock(world.space), 2 * (*levels - 1));
        world_check(&world);
        EXPECT_EQ(unmap_at(&world, BASE, pages * PAGE_SIZE).ram_pages, pages);
        reap_all();
    }
    world_end(&world);
}

MODE_TEST(vm_map_block, it_is_private_if_nobody_has_another_reference)
{
    struct world world = world_large(*levels);
    struct frame *alone = map_new_at(&world, BASE, 1, VM_RW);
    struct frame *shared = block_new(1);
    struct frame *sliced = block_new(1);
    struct frame *huge = block_new(2);
    struct vm_cursor cursor;

    frame_block_get(shared, 1);
    frame_get(sliced + 511);
    map_block_at(&world, BASE + 2 * MIB, shared, 1, VM_RW);
    map_block_at(&world, BASE + 4 * MIB, sliced, 1, VM_RW);
    EXPECT_EQ(item_at(&world, BASE).share, VM_SHARE_NONE);
    EXPECT_EQ(item_at(&world, BASE + 2 * MIB).share, VM_SHARE_ALL);
    EXPECT_EQ(item_at(&world, BASE + 4 * MIB).share, VM_SHARE_ALL);
    EXPECT_EQ(refs_of(alone, 1), 1);
    EXPECT_EQ(refs_of(shared, 1), 2);
    frame_block_put(shared, 1);
    frame_put(sliced + 511);
    /* Nobody can look at all parts of a larger one: whoever made it says it. */
    map_block_at(&world, BASE + GIB, huge, 2, VM_RW);
    EXPECT_EQ(item_at(&world, BASE + GIB).share, VM_SHARE_ALL);
    (void)unmap_at(&world, BASE + GIB, GIB);
    reap_all();
    huge = block_new(2);
    cursor = cursor_open(&world, BASE + GIB, GIB, VM_CURSOR_CHANGE);
    EXPECT_OK(vm_cursor_map_made(&cursor, huge, 2, prop(VM_RW), VM_MAP_EXCLUSIVE));
    vm_cursor_close(&cursor);
    EXPECT_EQ(item_at(&world, BASE + GIB).share, VM_SHARE_NONE);
    world_end(&world);
}

MODE_TEST(vm_map_block, a_cursor_on_more_than_the_page_moves_past_it)
{
    struct world world = world_large(*levels);
    struct vm_cursor cursor = cursor_open(&world, BASE - PAGE_SIZE, GIB, VM_CURSOR_CHANGE);
    struct frame *block = block_new(1);

    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE)));
    EXPECT_OK(vm_cursor_map_block(&cursor, block, 1, prop(VM_RW), VM_MAP_EXCLUSIVE));
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE + 2 * MIB);
    EXPECT_OK(vm_cursor_map(&cursor, frame_new(), prop(VM_R), VM_MAP_EXCLUSIVE));
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE + 2 * MIB + PAGE_SIZE);
    vm_cursor_close(&cursor);
    expect_block(&world, BASE, block, 1, VM_RW);
    world_end(&world);
}

MODE_TEST(vm_map_block, level_0_is_a_small_page)
{
    struct world world = world_large(*levels);
    struct frame *frame = frame_new();

    EXPECT_OK(try_map_block(&world, BASE + PAGE_SIZE, frame, 0, VM_MAP_EXCLUSIVE));
    expect_mapped(&world, BASE + PAGE_SIZE, frame, VM_RW);
    EXPECT_EQ(slot_at(&world, BASE + PAGE_SIZE).item.level, 0);
    world_end(&world);
}

MODE_TEST(vm_map_block, what_is_executed_is_so_in_fact)
{
    struct world world = world_large(*levels);

    host_events_start();
    (void)map_new_at(&world, BASE, 1, VM_RX);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_CODE_LOCAL), 1);
    world_end(&world);
}

/* ---- refused ---- */

struct refusal {
    uint64_t start, bytes, at;
    enum vm_cursor_mode mode;
    unsigned level;
    struct vm_prop prop;
    status_t status;
};

MODE_TEST(vm_map_block, what_is_refused_changes_nothing)
{
    static const struct vm_prop rw = {VM_RW, VM_MEM_PMA};
    static const struct refusal rows[] = {
        {BASE, GIB, BASE, VM_CURSOR_CHANGE, FRAME_LEVEL_MAX + 1, rw, ERR_INVAL},
        {BASE, GIB, BASE, VM_CURSOR_CHANGE, UINT32_MAX, rw, ERR_INVAL},
        {BASE, GIB, BASE + MIB, VM_CURSOR_CHANGE, 1, rw, ERR_INVAL},
        {BASE, 4 * GIB, BASE + 2 * MIB, VM_CURSOR_CHANGE, 2, rw, ERR_INVAL},
        {BASE, MIB, BASE, VM_CURSOR_CHANGE, 1, rw, ERR_RANGE},
        {BASE, 3 * MIB, BASE + 2 * MIB, VM_CURSOR_CHANGE, 1, rw, ERR_RANGE},
        {BASE, 2 * MIB, BASE + 2 * MIB, VM_CURSOR_CHANGE, 1, rw, ERR_RANGE}, /* at the end */
        {BASE, 2 * MIB, BASE, VM_CURSOR_CHANGE, 2, rw, ERR_RANGE},
        {BASE, 2 * MIB, BASE, VM_CURSOR_EDIT, 1, rw, ERR_ACCES},
        {BASE, 2 * MIB, BASE, VM_CURSOR_QUERY, 1, rw, ERR_ACCES},
        {BASE, 2 * MIB, BASE, VM_CURSOR_CHANGE, 1, {VM_W, VM_MEM_PMA}, ERR_INVAL},
        {BASE, 2 * MIB, BASE, VM_CURSOR_CHANGE, 1, {VM_PROT_NONE, VM_MEM_PMA}, ERR_INVAL},
        {BASE, 2 * MIB, BASE, VM_CURSOR_CHANGE, 1, {VM_RW, VM_MEM_IO}, ERR_NOTSUP},
    };
    struct world world = world_large(*levels);
    struct frame *block = block_new(2);
    struct meaning before;

    map_at(&world, BASE + 2 * GIB, frame_new(), VM_R);
    before = meaning_of(&world);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct refusal *row = &rows[i];
        struct vm_cursor cursor = cursor_open(&world, row->start, row->bytes, row->mode);
        struct vm_removed removed;

        if (row->at == row->start + row->bytes) {
            EXPECT_OK(vm_cursor_unmap(&cursor, row->bytes, &removed));
        } else {
            EXPECT_OK(vm_cursor_jump(&cursor, va(row->at)));
        }
        EXPECT_STATUS(vm_cursor_map_block(&cursor, block, row->level, row->prop, VM_MAP_REPLACE),
                      row->status);
        EXPECT_STATUS(vm_cursor_map_made(&cursor, block, row->level, row->prop, VM_MAP_REPLACE),
                      row->status);
        EXPECT_EQ(vm_cursor_va(&cursor).raw, row->at);
        vm_cursor_close(&cursor);
        expect_meaning(&world, before);
        EXPECT_EQ(refs_of(block, 2), 1);
    }
    frame_block_put(block, 2);
    reap_all();
    world_end(&world);
}

/* What can be in the way of a block; each fills some of [BASE, BASE + 2 MiB). */
static void put_page(struct world *world)
{
    map_at(world, BASE + 300 * PAGE_SIZE, frame_new(), VM_RW);
}

static void put_hidden(struct world *world)
{
    put_page(world);
    EXPECT_EQ(protect_at(world, BASE + 300 * PAGE_SIZE, 1, VM_PROT_NONE), 1);
}

static void put_mark(struct world *world)
{
    (void)mark_at(world, BASE + 511 * PAGE_SIZE, PAGE_SIZE, GUARD);
}

static void put_large_mark(struct world *world)
{
    (void)mark_at(world, BASE, GIB, RESERVED_RW);
}

static void put_block(struct world *world)
{
    (void)map_new_at(world, BASE, 1, VM_RW);
}

static void put_hidden_block(struct world *world)
{
    put_block(world);
    EXPECT_EQ(protect_at(world, BASE, PAGES, VM_PROT_NONE), PAGES);
}

static void put_huge(struct world *world)
{
    (void)map_new_at(world, BASE, 2, VM_RW);
}

static void put_empty_table(struct world *world)
{
    put_page(world);
    (void)unmap_at(world, BASE + 300 * PAGE_SIZE, PAGE_SIZE);
}

static void put_much(struct world *world)
{
    fill_at(world, BASE, 3, VM_RW);
    map_at(world, BASE + GIB - PAGE_SIZE, frame_new(), VM_RW);
    put_block(world);
    (void)mark_at(world, BASE + 100 * 2 * MIB + PAGE_SIZE, 3 * MIB, RESERVED_RW);
}

static void put_nothing(struct world *world)
{
    (void)world;
}

static void (*const obstacles[])(struct world *world) = {
    put_page, put_hidden,       put_mark, put_large_mark, put_block,
    put_huge, put_hidden_block, put_much, put_nothing,    put_empty_table,
};
#define EXIST_COUNT 8U /* of them are in the way of an exclusive one */

MODE_TEST(vm_map_block, an_exclusive_one_finds_whatever_is_there)
{
    struct world world = world_large(*levels);
    struct frame *block = block_new(1);

    for (size_t i = 0; i < EXIST_COUNT; i++) {
        struct meaning before;

        obstacles[i](&world);
        before = meaning_of(&world);
        EXPECT_STATUS(try_map_block(&world, BASE, block, 1, VM_MAP_EXCLUSIVE), ERR_EXIST);
        expect_meaning(&world, before);
        EXPECT_EQ(refs_of(block, 1), 1);
        (void)unmap_at(&world, BASE, GIB);
        reap_all();
    }
    frame_block_put(block, 1);
    world_end(&world);
}

MODE_TEST(vm_map_block, one_that_replaces_takes_the_place_of_anything)
{
    struct world world = world_large(*levels);

    for (unsigned level = 1; level <= FRAME_LEVEL_MAX; level++) {
        for (size_t i = 0; i < ARRAY_LEN(obstacles); i++) {
            /* Marks and hidden pages alone are in no TLB; a table may be. */
            bool is_flushed = obstacles[i] != put_nothing && obstacles[i] != put_large_mark &&
                              (obstacles[i] != put_hidden_block || level == 2);
            struct frame *block;

            if (obstacles[i] == put_huge && level == 2) {
                continue; /* there is one block of that size */
            }
            obstacles[i](&world);
            block = block_new(level);
            cr_assert(block != NULL);
            host_events_start();
            map_block_at(&world, BASE, block, level, VM_RX);
            EXPECT_EQ(flushes(), is_flushed ? 1 : 0);
            expect_block(&world, BASE, block, level, VM_RX);
            world_check(&world);
            (void)unmap_at(&world, BASE, GIB);
            reap_all();
        }
    }
    world_end(&world);
}

MODE_TEST(vm_map_block, an_empty_table_goes_and_is_flushed_before_the_page_is_stored)
{
    struct world world = world_large(*levels);
    struct frame *block;
    const struct host_event *stored;

    put_empty_table(&world);
    block = block_new(1);
    host_events_start();
    EXPECT_OK(try_map_block(&world, BASE, block, 1, VM_MAP_EXCLUSIVE));
    EXPECT_EQ(flushes(), 1);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_SLOT), 2);
    stored = host_event_at(host_event_count() - 1);
    EXPECT_EQ(stored->kind, HOST_EVENT_SLOT);
    EXPECT_EQ(stored->before, 0);
    cr_assert(first_event_of(HOST_EVENT_FLUSH_LOCAL) < host_event_count() - 1);
    expect_block(&world, BASE, block, 1, VM_RW);
    world_end(&world);
}

MODE_TEST(vm_map_block, what_lies_beside_it_in_a_larger_page_stays)
{
    struct world world = world_large(*levels);
    struct frame *huge = map_new_at(&world, BASE, 2, VM_RW);
    struct frame *block = block_new(1);
    uint64_t at = BASE + 7 * 2 * MIB;

    map_block_at(&world, at, block, 1, VM_R);
    expect_block(&world, at, block, 1, VM_R);
    expect_block(&world, at - 2 * MIB, huge + 6 * PAGES, 1, VM_RW);
    expect_block(&world, at + 2 * MIB, huge + 8 * PAGES, 1, VM_RW);
    expect_block(&world, BASE + GIB - 2 * MIB, huge + 511 * PAGES, 1, VM_RW);
    world_end(&world);
}

/* ---- what the same cursor removed before ---- */

MODE_TEST(vm_map_block, what_the_cursor_removed_is_flushed_first)
{
    struct world world = world_large(*levels);

    for (size_t i = 0; i < ARRAY_LEN(obstacles); i++) {
        struct frame *block;
        struct vm_cursor cursor;
        struct vm_removed removed;

        obstacles[i](&world);
        block = block_new(1);
        cursor = cursor_open(&world, BASE, GIB, VM_CURSOR_CHANGE);
        EXPECT_OK(vm_cursor_unmap(&cursor, GIB, &removed));
        EXPECT_OK(vm_cursor_jump(&cursor, va(BASE)));
        EXPECT_OK(vm_cursor_map_block(&cursor, block, 1, prop(VM_RW), VM_MAP_EXCLUSIVE));
        vm_cursor_close(&cursor);
        expect_block(&world, BASE, block, 1, VM_RW);
        world_check(&world);
        (void)unmap_at(&world, BASE, GIB);
        reap_all();
    }
    world_end(&world);
}

/* ---- no memory ---- */

static struct frame *kept; /* what is mapped; each failure leaves its reference with the caller */

static status_t map_kept(struct world *world)
{
    struct vm_cursor cursor;
    status_t status =
        vm_cursor_open(&cursor, world->space, va_span(BEFORE, AROUND), VM_CURSOR_CHANGE);

    EXPECT_OK(status);
    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE)));
    status = vm_cursor_map_block(&cursor, kept, 1, prop(VM_RX), VM_MAP_REPLACE);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE + (status == OK ? 2 * MIB : 0));
    vm_cursor_close(&cursor);
    EXPECT_EQ(refs_of(kept, 1), 1);
    return status;
}

MODE_TEST(vm_map_block, each_allocation_that_fails_leaves_all_as_it_was)
{
    struct world world = world_large(*levels);

    for (size_t i = 0; i < ARRAY_LEN(obstacles); i++) {
        obstacles[i](&world);
        kept = block_new(1);
        map_at(&world, BEFORE, frame_new(), VM_R); /* the way to the covering node is there */
        (void)fail_each(&world, map_kept);
        expect_block(&world, BASE, kept, 1, VM_RX);
        (void)unmap_at(&world, BEFORE, AROUND);
        reap_all();
    }
    world_end(&world);
}

MODE_TEST(vm_map_block, a_budget_that_is_too_small_refuses_it)
{
    struct vm_budget *budget = NULL;
    struct world world;
    uint64_t free_before;
    uint64_t limit;

    machine_default(64 * MIB);
    machine_boot(*levels);
    free_before = frame_free_count();
    EXPECT_OK(vm_budget_create(NULL, UINT64_MAX, &budget));
    world = world_of_budget(*levels, budget);
    world.free_before = free_before;
    kept = block_new(1);
    limit = vm_space_charged(world.space);
    for (;; limit++) {
        struct meaning before = meaning_of(&world);
        uint64_t charged = vm_space_charged(world.space);
        struct vm_cursor cursor;
        status_t status;

        vm_budget_set_limit(budget, limit);
        status = vm_cursor_open(&cursor, world.space, va_span(BASE, 2 * MIB), VM_CURSOR_CHANGE);
        if (status == OK) {
            status = vm_cursor_map_block(&cursor, kept, 1, prop(VM_RW), VM_MAP_EXCLUSIVE);
            vm_cursor_close(&cursor);
        }
        cr_assert(vm_budget_state(budget).used <= limit);
        if (status == OK) {
            break;
        }
        EXPECT_STATUS(status, ERR_NOMEM);
        expect_meaning(&world, before);
        cr_assert(vm_space_charged(world.space) - charged < 16);
        EXPECT_EQ(refs_of(kept, 1), 1);
    }
    EXPECT_EQ(vm_space_charged(world.space), limit);
    expect_block(&world, BASE, kept, 1, VM_RW);
    vm_budget_put(budget);
    world_end(&world);
}
