/* SPDX-License-Identifier: MIT */
/*
 * Several cursors of one hart, and two opened at once: what goes with the order of locks is given,
 * what goes against it is refused before anything is waited for, and keeps nothing locked.
 */
#include "lib/counter.h"
#include "lib/spinlock.h"
#include "support.h"

#define BASE (4 * GIB)

static status_t open_at(struct world *world, uint64_t at, uint64_t bytes, enum vm_cursor_mode mode,
                        struct vm_cursor *cursor)
{
    return vm_cursor_open(cursor, world->space, va_span(at, bytes), mode);
}

/* Pages in the first 4 MiB after BASE and after BASE + 1 GiB, so that their tables are there. */
static struct world world_with_tables(unsigned levels)
{
    struct world world = world_begin(levels);

    for (unsigned i = 0; i < 3; i++) {
        map_at(&world, BASE + i * 2 * MIB, frame_new(), VM_RW);
        map_at(&world, BASE + GIB + i * 2 * MIB, frame_new(), VM_RW);
    }
    return world;
}

/* Two spaces: the one with the lower root first. */
static void two_spaces(struct world *world, struct vm_space *spaces[2])
{
    struct vm_space *other;
    bool is_higher;

    EXPECT_OK(vm_space_create(NULL, &other));
    is_higher = vm_space_root(other).raw > vm_space_root(world->space).raw;
    spaces[0] = is_higher ? world->space : other;
    spaces[1] = is_higher ? other : world->space;
}

MODE_TEST(vm_cursor_order, a_second_cursor_may_go_forwards)
{
    struct world world = world_with_tables(*levels);
    struct vm_cursor cursors[3];

    EXPECT_OK(open_at(&world, BASE, PAGE_SIZE, VM_CURSOR_CHANGE, &cursors[0]));
    EXPECT_OK(open_at(&world, BASE + 2 * MIB, PAGE_SIZE, VM_CURSOR_CHANGE, &cursors[1]));
    EXPECT_OK(open_at(&world, BASE + GIB, 4 * MIB, VM_CURSOR_CHANGE, &cursors[2]));
    EXPECT_EQ(spinlock_held_count(), 1 + 1 + 3);
    vm_cursor_close(&cursors[1]); /* in any order */
    vm_cursor_close(&cursors[0]);
    vm_cursor_close(&cursors[2]);
    world_end(&world);
}

MODE_TEST(vm_cursor_order, a_second_cursor_may_not_go_backwards)
{
    static const enum vm_cursor_mode modes[] = {VM_CURSOR_QUERY, VM_CURSOR_EDIT, VM_CURSOR_CHANGE};
    struct world world = world_with_tables(*levels);
    struct vm_cursor first;
    struct vm_cursor second;

    EXPECT_OK(open_at(&world, BASE + 2 * MIB, PAGE_SIZE, VM_CURSOR_CHANGE, &first));
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        EXPECT_STATUS(open_at(&world, BASE, PAGE_SIZE, modes[i], &second), ERR_DEADLK);
        EXPECT_EQ(spinlock_held_count(), 1);
    }
    vm_cursor_close(&first);
    EXPECT_OK(open_at(&world, BASE, PAGE_SIZE, VM_CURSOR_CHANGE, &second));
    vm_cursor_close(&second);
    world_end(&world);
}

/* Another hart has the table of the second cursor, or of the higher range, and keeps it: who bounds
 * its work is told so, and has nothing of it locked. */
MODE_TEST(vm_cursor_order, who_holds_tables_does_not_wait_for_ever)
{
    const struct va_range ranges[2] = {va_span(BASE, PAGE_SIZE), va_span(BASE + GIB, PAGE_SIZE)};
    struct world world = world_with_tables(*levels);
    struct vm_cursor others, first, pair[2];

    host_hart_set(1);
    EXPECT_OK(open_at(&world, BASE + GIB, PAGE_SIZE, VM_CURSOR_EDIT, &others));
    host_hart_set(0);
    EXPECT_OK(open_at(&world, BASE, PAGE_SIZE, VM_CURSOR_EDIT, &first));
    EXPECT_STATUS(vm_cursor_open_bounded(&pair[0], world.space, ranges[1], VM_CURSOR_CHANGE, 2),
                  ERR_BUSY);
    EXPECT_EQ(spinlock_held_count(), 1);
    vm_cursor_close(&first);
    EXPECT_STATUS(vm_cursor_open_two_bounded(pair, world.space, ranges, VM_CURSOR_CHANGE, 64),
                  ERR_BUSY);
    EXPECT_EQ(spinlock_held_count(), 0);
    host_hart_set(1);
    vm_cursor_close(&others);
    host_hart_set(0);
    EXPECT_OK(vm_cursor_open_two_bounded(pair, world.space, ranges, VM_CURSOR_CHANGE, 64));
    vm_cursor_close_two(pair);
    world_end(&world);
}

/* The table of a second cursor is missing, and lies below a node that comes before the first. */
MODE_TEST(vm_cursor_order, a_second_cursor_may_not_link_below_what_comes_before)
{
    struct world world = world_with_tables(*levels);
    uint64_t tables = counter_read(COUNTER_tables_allocated);
    struct vm_cursor first;
    struct vm_cursor second;

    EXPECT_OK(open_at(&world, BASE, PAGE_SIZE, VM_CURSOR_CHANGE, &first));
    EXPECT_STATUS(open_at(&world, BASE + 8 * MIB, PAGE_SIZE, VM_CURSOR_CHANGE, &second),
                  ERR_DEADLK);
    EXPECT_STATUS(open_at(&world, BASE + 8 * MIB, PAGE_SIZE, VM_CURSOR_QUERY, &second), ERR_DEADLK);
    EXPECT_EQ(counter_read(COUNTER_tables_allocated), tables);
    EXPECT_EQ(spinlock_held_count(), 1);
    vm_cursor_close(&first);
    world_end(&world);
}

/* Even where the lock is free at the moment: it depends on this hart alone. */
MODE_TEST(vm_cursor_order, a_node_above_is_refused_though_nobody_holds_it)
{
    struct world world = world_with_tables(*levels);
    struct vm_cursor first;
    struct vm_cursor second;

    EXPECT_OK(open_at(&world, BASE, PAGE_SIZE, VM_CURSOR_CHANGE, &first));
    /* covered by the table above, of which the first holds nothing */
    EXPECT_STATUS(open_at(&world, BASE + 2 * MIB, 4 * MIB, VM_CURSOR_QUERY, &second), ERR_DEADLK);
    host_hart_set(1);
    EXPECT_OK(open_at(&world, BASE + 2 * MIB, PAGE_SIZE, VM_CURSOR_QUERY, &second));
    vm_cursor_close(&second); /* another hart is free to take what is free */
    host_hart_set(0);
    vm_cursor_close(&first);
    world_end(&world);
}

MODE_TEST(vm_cursor_order, spaces_go_by_the_address_of_their_roots)
{
    struct world world = world_begin(*levels);
    struct vm_space *spaces[2];
    struct vm_cursor first;
    struct vm_cursor second;

    two_spaces(&world, spaces);
    EXPECT_OK(vm_cursor_open(&first, spaces[0], va_span(BASE, GIB), VM_CURSOR_CHANGE));
    EXPECT_OK(vm_cursor_open(&second, spaces[1], va_span(0, PAGE_SIZE), VM_CURSOR_CHANGE));
    vm_cursor_close(&first);
    EXPECT_STATUS(vm_cursor_open(&first, spaces[0], va_span(8 * GIB, GIB), VM_CURSOR_QUERY),
                  ERR_DEADLK);
    vm_cursor_close(&second);
    vm_space_put(spaces[0] == world.space ? spaces[1] : spaces[0]);
    reap_all();
    world_end(&world);
}

MODE_TEST(vm_cursor_order, a_fifth_cursor_is_refused)
{
    struct world world = world_begin(*levels);
    struct vm_cursor cursors[5];

    for (unsigned i = 0; i < 4; i++) {
        map_at(&world, BASE + i * GIB, frame_new(), VM_R);
    }
    for (unsigned i = 0; i < 4; i++) {
        EXPECT_OK(open_at(&world, BASE + i * GIB, PAGE_SIZE, VM_CURSOR_QUERY, &cursors[i]));
    }
    EXPECT_STATUS(open_at(&world, BASE + 64 * GIB, PAGE_SIZE, VM_CURSOR_QUERY, &cursors[4]),
                  ERR_DEADLK);
    for (unsigned i = 0; i < 4; i++) {
        vm_cursor_close(&cursors[i]);
    }
    EXPECT_OK(open_at(&world, BASE, PAGE_SIZE, VM_CURSOR_QUERY, &cursors[4]));
    vm_cursor_close(&cursors[4]);
    world_end(&world);
}

MODE_TEST(vm_cursor_order, the_audit_waits_for_nothing_this_hart_holds)
{
    struct world world = world_with_tables(*levels);
    struct vm_cursor cursor = cursor_open(&world, BASE, PAGE_SIZE, VM_CURSOR_QUERY);

    EXPECT_STATUS(vm_space_check(world.space), ERR_DEADLK);
    vm_cursor_close(&cursor);
    world_end(&world);
}

/* ---- two at once ---- */

static status_t open_two(struct world *world, struct va_range a, struct va_range b,
                         enum vm_cursor_mode mode, struct vm_cursor pair[2])
{
    return vm_cursor_open_two(pair, world->space, (const struct va_range[2]){a, b}, mode);
}

/* Pairs of ranges, and how many nodes their union has in a space with the tables above. */
MODE_TEST(vm_cursor_order, two_ranges_lock_the_union_of_their_nodes)
{
    const struct {
        struct va_range a, b;
        unsigned nodes;
    } rows[] = {
        /* pages of two tables */
        {va_span(BASE, PAGE_SIZE), va_span(BASE + 2 * MIB, PAGE_SIZE), 2},
        /* pages of one table */
        {va_span(BASE, PAGE_SIZE), va_span(BASE + 64 * KIB, PAGE_SIZE), 1},
        /* far apart: nothing in between is locked */
        {va_span(BASE, PAGE_SIZE), va_span(BASE + GIB, PAGE_SIZE), 2},
        /* two whole tables below one node */
        {va_span(BASE, 2 * MIB), va_span(BASE + 4 * MIB, 2 * MIB), 3},
        /* one's covering node lies above the other's, before it and after it */
        {va_span(BASE, PAGE_SIZE), va_span(BASE + 2 * MIB, 4 * MIB), 4},
        {va_span(BASE, 2 * MIB + PAGE_SIZE), va_span(BASE + 4 * MIB, PAGE_SIZE), 4},
        /* both in a table that each needs */
        {va_span(BASE + MIB, 2 * MIB), va_span(BASE, PAGE_SIZE), 3},
        /* whole tables below two nodes */
        {va_span(BASE, 4 * MIB), va_span(BASE + GIB, 4 * MIB), 6},
    };
    struct world world = world_with_tables(*levels);

    for (size_t i = 0; i < 2 * ARRAY_LEN(rows); i++) {
        struct va_range a = i % 2 == 0 ? rows[i / 2].a : rows[i / 2].b;
        struct va_range b = i % 2 == 0 ? rows[i / 2].b : rows[i / 2].a;
        struct vm_cursor pair[2];

        EXPECT_OK(open_two(&world, a, b, VM_CURSOR_QUERY, pair));
        cr_assert(spinlock_held_count() == rows[i / 2].nodes, "row %zu: %u locks", i / 2,
                  spinlock_held_count());
        EXPECT_EQ(vm_cursor_va(&pair[0]).raw, a.start.raw);
        EXPECT_EQ(vm_cursor_va(&pair[1]).raw, b.start.raw);
        vm_cursor_close_two(pair);
        EXPECT_EQ(spinlock_held_count(), 0);
    }
    world_end(&world);
}

MODE_TEST(vm_cursor_order, two_cursors_work_side_by_side)
{
    struct world world = world_begin(*levels);
    struct frame *frames[2] = {frame_new(), frame_new()};
    struct vm_cursor pair[2];
    struct vm_removed removed;
    struct vm_slot slot;

    map_at(&world, BASE + GIB, frames[0], VM_RW);
    EXPECT_OK(open_two(&world, va_span(BASE + GIB, 2 * MIB), va_span(BASE, 4 * MIB),
                       VM_CURSOR_CHANGE, pair));
    EXPECT_OK(vm_cursor_query_get(&pair[0], &slot)); /* a page goes from one to the other */
    EXPECT_OK(vm_cursor_unmap(&pair[0], 2 * MIB, &removed));
    EXPECT_EQ(removed.ram_pages, 1);
    EXPECT_OK(vm_cursor_jump(&pair[1], va(BASE + 2 * MIB)));
    EXPECT_OK(vm_cursor_map(&pair[1], slot.item.frame, slot.item.prop, VM_MAP_EXCLUSIVE));
    EXPECT_OK(vm_cursor_map(&pair[1], frames[1], prop(VM_R), VM_MAP_EXCLUSIVE));
    vm_cursor_close_two(pair);
    expect_absent(&world, BASE + GIB);
    expect_mapped(&world, BASE + 2 * MIB, frames[0], VM_RW);
    expect_mapped(&world, BASE + 2 * MIB + PAGE_SIZE, frames[1], VM_R);
    world_end(&world);
}

/* Step by step over two ranges, from BASE and from that far behind it. */
static void check_bounded(struct world *world, uint64_t distance, unsigned max_nodes)
{
    const uint64_t bytes = 2 * GIB;
    unsigned steps = 0;

    for (uint64_t done = 0; done < bytes; steps++) {
        const struct va_range ranges[2] = {va_span(BASE + distance + done, bytes - done),
                                           va_span(BASE + done, bytes - done)};
        struct vm_cursor pair[2];

        EXPECT_OK(
            vm_cursor_open_two_bounded(pair, world->space, ranges, VM_CURSOR_QUERY, max_nodes));
        cr_assert(spinlock_held_count() <= max_nodes);
        EXPECT_EQ(pair[1].range.end.raw - BASE, pair[0].range.end.raw - BASE - distance);
        done = pair[1].range.end.raw - BASE;
        vm_cursor_close_two(pair);
        cr_assert(spinlock_held_count() == 0, "%u tables: a lock is left", max_nodes);
    }
    cr_assert(steps > 1 && steps <= 30, "%u tables: %u steps", max_nodes, steps);
}

/* Below one covering node and below two; one side has tables that the other has not. */
MODE_TEST(vm_cursor_order, two_bounded_ranges_are_cut_alike)
{
    static const uint64_t distances[] = {0, 2 * GIB, 3 * GIB, 64 * GIB};
    static const uint64_t tables[] = {0, 2, 4, 6, 64, 66, 510, 512, 514, 1022, 1024, 1026, 2046};
    struct world world = world_begin(*levels);

    for (size_t i = 0; i < ARRAY_LEN(distances) * ARRAY_LEN(tables); i++) {
        uint64_t start = BASE + distances[i % ARRAY_LEN(distances)];

        if (i % 3 != 0) {
            map_at(&world, start + tables[i / ARRAY_LEN(distances)] * MIB, frame_new(), VM_R);
        }
    }
    for (unsigned max_nodes = 10; max_nodes <= 15; max_nodes++) {
        for (size_t i = 1; i < ARRAY_LEN(distances); i++) {
            check_bounded(&world, distances[i], max_nodes);
        }
    }
    world_end(&world);
}

/* Both owe a flush; what is paid is one call, and it covers both. */
MODE_TEST(vm_cursor_order, two_cursors_pay_with_one_flush)
{
    struct world world = world_with_tables(*levels);
    struct vm_cursor pair[2];
    struct vm_removed removed;

    host_hart_set(1);
    vm_space_activate(world.space);
    host_hart_set(0);
    EXPECT_OK(open_two(&world, va_span(BASE, 2 * PAGE_SIZE), va_span(BASE + GIB, PAGE_SIZE),
                       VM_CURSOR_EDIT, pair));
    EXPECT_OK(vm_cursor_unmap(&pair[0], PAGE_SIZE, &removed));
    EXPECT_OK(vm_cursor_unmap(&pair[1], PAGE_SIZE, &removed));
    host_events_start();
    vm_cursor_close_two(pair);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_REMOTE), 1);
    for (size_t i = 0; i < host_event_count(); i++) {
        const struct host_event *event = host_event_at(i);

        if (event->kind == HOST_EVENT_FLUSH_REMOTE) {
            EXPECT_EQ(event->op.bytes, 0); /* a gigabyte apart: the whole space */
        }
    }
    host_hart_set(1);
    vm_space_activate(NULL);
    host_hart_set(0);
    world_end(&world);
}

MODE_TEST(vm_cursor_order, two_ranges_that_overlap_or_are_wrong_are_refused)
{
    struct world world = world_begin(*levels);
    uint64_t limit = vm_space_user_limit().raw;
    struct vm_cursor pair[2];

    EXPECT_STATUS(open_two(&world, va_span(BASE, 2 * PAGE_SIZE),
                           va_span(BASE + PAGE_SIZE, PAGE_SIZE), VM_CURSOR_QUERY, pair),
                  ERR_INVAL);
    EXPECT_STATUS(
        open_two(&world, va_span(BASE, PAGE_SIZE), va_span(BASE, PAGE_SIZE), VM_CURSOR_QUERY, pair),
        ERR_INVAL);
    EXPECT_STATUS(open_two(&world, va_span(BASE, PAGE_SIZE), va_span(BASE + 1, PAGE_SIZE),
                           VM_CURSOR_QUERY, pair),
                  ERR_INVAL);
    EXPECT_STATUS(open_two(&world, va_span(BASE, 0), va_span(0, PAGE_SIZE), VM_CURSOR_QUERY, pair),
                  ERR_INVAL);
    EXPECT_STATUS(open_two(&world, va_span(limit, PAGE_SIZE), va_span(BASE, PAGE_SIZE),
                           VM_CURSOR_QUERY, pair),
                  ERR_RANGE);
    vm_cursor_close_two(pair); /* nothing is open */
    EXPECT_EQ(spinlock_held_count(), 0);
    world_end(&world);
}

MODE_TEST(vm_cursor_order, two_at_once_conflict_like_one)
{
    struct world world = world_with_tables(*levels);
    struct vm_cursor pair[2];
    struct vm_cursor other;

    EXPECT_OK(open_at(&world, BASE + 2 * MIB, PAGE_SIZE, VM_CURSOR_QUERY, &other));
    EXPECT_STATUS(open_two(&world, va_span(BASE, PAGE_SIZE), va_span(BASE + GIB, PAGE_SIZE),
                           VM_CURSOR_QUERY, pair),
                  ERR_DEADLK);
    EXPECT_EQ(spinlock_held_count(), 1);
    EXPECT_OK(open_two(&world, va_span(BASE + 4 * MIB, PAGE_SIZE), va_span(BASE + GIB, PAGE_SIZE),
                       VM_CURSOR_QUERY, pair));
    vm_cursor_close(&other);
    EXPECT_STATUS(open_at(&world, BASE + GIB, PAGE_SIZE, VM_CURSOR_QUERY, &other), ERR_DEADLK);
    EXPECT_OK(open_at(&world, BASE + GIB + 2 * MIB, PAGE_SIZE, VM_CURSOR_QUERY, &other));
    vm_cursor_close(&other);
    vm_cursor_close_two(pair);
    world_end(&world);
}

/* Tables are made for both; whichever cannot be had, neither is open and nothing is locked. */
MODE_TEST(vm_cursor_order, two_at_once_and_no_memory)
{
    struct world world = world_begin(*levels);
    status_t status = ERR_NOMEM;
    uint64_t allowed;

    for (allowed = 0; status == ERR_NOMEM; allowed++) {
        struct world fresh = {.levels = *levels};
        struct vm_cursor pair[2];

        EXPECT_OK(vm_space_create(NULL, &fresh.space));
        frame_fail_after(allowed);
        status = open_two(&fresh, va_span(BASE, PAGE_SIZE), va_span(BASE + 8 * GIB, PAGE_SIZE),
                          VM_CURSOR_CHANGE, pair);
        frame_fail_after(UINT64_MAX);
        cr_assert(status == OK || status == ERR_NOMEM);
        vm_cursor_close_two(pair);
        EXPECT_EQ(spinlock_held_count(), 0);
        EXPECT_OK(vm_space_check(fresh.space));
        vm_space_put(fresh.space);
        reap_all();
    }
    cr_assert(allowed > *levels, "two ways down take more than one");
    world_end(&world);
}

MODE_TEST(vm_cursor_order, one_of_two_is_not_closed_alone, .signal = SIGABRT)
{
    struct world world = world_with_tables(*levels);
    struct vm_cursor pair[2];

    EXPECT_OK(open_two(&world, va_span(BASE, PAGE_SIZE), va_span(BASE + GIB, PAGE_SIZE),
                       VM_CURSOR_QUERY, pair));
    vm_cursor_close(&pair[0]);
}

MODE_TEST(vm_cursor_order, another_hart_does_not_close_a_cursor, .signal = SIGABRT)
{
    struct world world = world_with_tables(*levels);
    struct vm_cursor cursor = cursor_open(&world, BASE, PAGE_SIZE, VM_CURSOR_QUERY);

    host_hart_set(1);
    vm_cursor_close(&cursor);
}
