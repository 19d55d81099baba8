/* SPDX-License-Identifier: MIT */
/*
 * Opening and closing cursors: what is refused, which cursors exclude each other, what the covering
 * node is, what is locked, and what a failed open leaves behind.
 */
#include "lib/counter.h"
#include "lib/spinlock.h"
#include "support.h"

#define BASE (4 * GIB)

static status_t try_open(struct world *world, uint64_t start, uint64_t end,
                         enum vm_cursor_mode mode, struct vm_cursor *cursor)
{
    return vm_cursor_open(cursor, world->space, (struct va_range){{start}, {end}}, mode);
}

/* Refused in both modes: nothing is open, locked or taken. */
static void expect_refused(struct world *world, uint64_t start, uint64_t end, status_t want)
{
    for (int mode = VM_CURSOR_QUERY; mode <= VM_CURSOR_CHANGE; mode++) {
        uint64_t free_before = frame_free_count();
        struct vm_cursor cursor = {0};
        status_t got = try_open(world, start, end, (enum vm_cursor_mode)mode, &cursor);

        cr_assert(got == want, "[%#lx, %#lx) gives %s, not %s", (unsigned long)start,
                  (unsigned long)end, status_name(got), status_name(want));
        EXPECT_EQ(spinlock_held_count(), 0);
        EXPECT_EQ(frame_free_count(), free_before);
        vm_cursor_close(&cursor); /* not open: does nothing */
    }
}

MODE_TEST(vm_cursor_open, malformed_ranges_are_refused)
{
    struct world world = world_begin(*levels);
    uint64_t limit = vm_space_user_limit().raw;

    expect_refused(&world, BASE, BASE, ERR_INVAL);
    expect_refused(&world, 0, 0, ERR_INVAL);
    expect_refused(&world, BASE + PAGE_SIZE, BASE, ERR_INVAL);
    expect_refused(&world, UINT64_MAX - PAGE_MASK, 0, ERR_INVAL);
    expect_refused(&world, BASE + 1, BASE + PAGE_SIZE, ERR_INVAL);
    expect_refused(&world, BASE, BASE + PAGE_SIZE + 0x800, ERR_INVAL);
    expect_refused(&world, 0, limit + PAGE_SIZE, ERR_RANGE);
    expect_refused(&world, limit, limit + PAGE_SIZE, ERR_RANGE);
    expect_refused(&world, limit - PAGE_SIZE, limit + PAGE_SIZE, ERR_RANGE);
    expect_refused(&world, 0, UINT64_MAX - PAGE_MASK, ERR_RANGE);
    expect_refused(&world, UINT64_C(0xffffffff80000000), UINT64_C(0xffffffff80001000), ERR_RANGE);
    world_end(&world);
}

MODE_TEST(vm_cursor_open, the_limit_is_that_of_the_mode)
{
    static const uint64_t limits[] = {
        [3] = UINT64_C(1) << 38, [4] = UINT64_C(1) << 47, [5] = UINT64_C(1) << 56};
    struct world world = world_begin(*levels);
    uint64_t limit = vm_space_user_limit().raw;
    struct frame *frame = frame_new();
    struct vm_cursor cursor;

    EXPECT_EQ(limit, limits[*levels]);
    map_at(&world, limit - PAGE_SIZE, frame, VM_RW);
    expect_mapped(&world, limit - PAGE_SIZE, frame, VM_RW);
    cursor = cursor_open(&world, 0, limit, VM_CURSOR_CHANGE); /* the whole of it */
    EXPECT_EQ(vm_cursor_va(&cursor).raw, 0);
    vm_cursor_close(&cursor);
    EXPECT_EQ(unmap_at(&world, limit - PAGE_SIZE, PAGE_SIZE).ram_pages, 1);
    world_end(&world);
}

MODE_TEST(vm_cursor_open, overlapping_ones_exclude_each_other)
{
    static const struct {
        uint64_t start, end;
    } others[] = {
        {BASE, BASE + 4 * MIB},                   /* the same                */
        {BASE, BASE + PAGE_SIZE},                 /* inside, at the start    */
        {BASE + 2 * MIB, BASE + 3 * MIB},         /* inside                  */
        {BASE + 4 * MIB - PAGE_SIZE, BASE + GIB}, /* reaches over the end    */
        {BASE - GIB, BASE + PAGE_SIZE},           /* reaches over the start  */
        {0, 16 * GIB},                            /* contains it             */
    };
    struct world world = world_begin(*levels);

    map_at(&world, BASE, frame_new(), VM_R); /* tables down to the bottom */
    map_at(&world, BASE + 2 * MIB, frame_new(), VM_R);
    for (int first = VM_CURSOR_QUERY; first <= VM_CURSOR_CHANGE; first++) {
        struct vm_cursor cursor = cursor_open(&world, BASE, 4 * MIB, (enum vm_cursor_mode)first);
        unsigned held = spinlock_held_count();

        for (size_t i = 0; i < ARRAY_LEN(others); i++) {
            for (int mode = VM_CURSOR_QUERY; mode <= VM_CURSOR_CHANGE; mode++) {
                struct vm_cursor other = {0};

                EXPECT_STATUS(try_open(&world, others[i].start, others[i].end,
                                       (enum vm_cursor_mode)mode, &other),
                              ERR_DEADLK);
                EXPECT_EQ(spinlock_held_count(), held);
            }
        }
        vm_cursor_close(&cursor);
        EXPECT_EQ(spinlock_held_count(), 0);
    }
    world_end(&world);
}

MODE_TEST(vm_cursor_open, disjoint_ones_stand_side_by_side)
{
    struct world world = world_begin(*levels);
    struct frame *low = frame_new();
    struct frame *high = frame_new();
    struct vm_cursor a;
    struct vm_cursor b;

    map_at(&world, BASE, frame_new(), VM_R); /* the nodes above exist */
    map_at(&world, BASE + 2 * MIB, frame_new(), VM_R);
    a = cursor_open(&world, BASE, MIB, VM_CURSOR_CHANGE);
    b = cursor_open(&world, BASE + 2 * MIB, MIB, VM_CURSOR_CHANGE);
    EXPECT_OK(vm_cursor_map(&a, low, prop(VM_RW), VM_MAP_REPLACE));
    EXPECT_OK(vm_cursor_map(&b, high, prop(VM_RX), VM_MAP_REPLACE));
    vm_cursor_close(&a);
    cr_assert(spinlock_held_count() > 0);
    EXPECT_OK(vm_cursor_jump(&b, va(BASE + 2 * MIB + PAGE_SIZE)));
    vm_cursor_close(&b);
    expect_mapped(&world, BASE, low, VM_RW);
    expect_mapped(&world, BASE + 2 * MIB, high, VM_RX);
    world_end(&world);
}

/* A range equal to one entry's extent locks the node that holds the entry: two such side by side
 * exclude each other, while a page less on each side does not. */
MODE_TEST(vm_cursor_open, exact_fit_is_covered_by_the_node_that_holds_the_entry)
{
    struct world world = world_begin(*levels);
    struct vm_cursor a;
    struct vm_cursor b = {0};

    map_at(&world, BASE, frame_new(), VM_R);
    map_at(&world, BASE + 2 * MIB, frame_new(), VM_R);
    a = cursor_open(&world, BASE, 2 * MIB, VM_CURSOR_CHANGE);
    EXPECT_STATUS(try_open(&world, BASE + 2 * MIB, BASE + 4 * MIB, VM_CURSOR_CHANGE, &b),
                  ERR_DEADLK);
    vm_cursor_close(&a);
    a = cursor_open(&world, BASE, 2 * MIB - PAGE_SIZE, VM_CURSOR_CHANGE);
    b = cursor_open(&world, BASE + 2 * MIB, 2 * MIB - PAGE_SIZE, VM_CURSOR_CHANGE);
    vm_cursor_close(&b);
    vm_cursor_close(&a);
    world_end(&world);
}

MODE_TEST(vm_cursor_open, two_pages_of_one_node_exclude_each_other_without_a_hang)
{
    struct world world = world_begin(*levels);
    struct vm_cursor a = cursor_open(&world, BASE, PAGE_SIZE, VM_CURSOR_CHANGE);
    struct vm_cursor b = {0};

    EXPECT_STATUS(try_open(&world, BASE + PAGE_SIZE, BASE + 2 * PAGE_SIZE, VM_CURSOR_CHANGE, &b),
                  ERR_DEADLK);
    vm_cursor_close(&a);
    EXPECT_OK(try_open(&world, BASE + PAGE_SIZE, BASE + 2 * PAGE_SIZE, VM_CURSOR_CHANGE, &b));
    vm_cursor_close(&b);
    world_end(&world);
}

/* A table that misses would have to be linked in a node that the first cursor holds. */
MODE_TEST(vm_cursor_open, a_link_in_a_held_node_is_a_deadlock_not_a_hang)
{
    struct world world = world_begin(*levels);
    struct vm_cursor a = cursor_open(&world, BASE, 4 * MIB, VM_CURSOR_CHANGE);
    struct vm_cursor b = {0};

    EXPECT_STATUS(
        try_open(&world, BASE + 8 * MIB, BASE + 8 * MIB + PAGE_SIZE, VM_CURSOR_CHANGE, &b),
        ERR_DEADLK);
    vm_cursor_close(&a);
    world_end(&world);
}

MODE_TEST(vm_cursor_open, spaces_do_not_exclude_each_other)
{
    struct world world = world_begin(*levels);
    struct vm_space *other;
    struct vm_cursor a;
    struct vm_cursor b;

    EXPECT_OK(vm_space_create(NULL, &other));
    a = cursor_open(&world, BASE, 4 * MIB, VM_CURSOR_CHANGE);
    EXPECT_OK(vm_cursor_open(&b, other, va_span(BASE, 4 * MIB), VM_CURSOR_CHANGE));
    vm_cursor_close(&b);
    vm_cursor_close(&a);
    vm_space_put(other);
    reap_all();
    world_end(&world);
}

MODE_TEST(vm_cursor_open, looking_allocates_nothing_and_changes_nothing)
{
    struct world world = world_begin(*levels);
    uint64_t free_before = frame_free_count();
    struct vm_cursor cursor = cursor_open(&world, BASE, 2 * GIB, VM_CURSOR_QUERY);
    struct frame *frame;
    struct vm_removed removed;
    struct va_range changed;
    struct vm_slot slot;

    EXPECT_EQ(frame_free_count(), free_before);
    frame = frame_new();
    EXPECT_STATUS(vm_cursor_map(&cursor, frame, prop(VM_R), VM_MAP_REPLACE), ERR_ACCES);
    EXPECT_EQ(frame_refs(frame), 1);
    EXPECT_STATUS(vm_cursor_unmap(&cursor, PAGE_SIZE, &removed), ERR_ACCES);
    EXPECT_STATUS(vm_cursor_protect_next(&cursor, PAGE_SIZE, NULL, NULL, &changed), ERR_ACCES);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE);
    while (vm_cursor_next(&cursor, &slot) == OK) {
        EXPECT_EQ(slot.item.kind, VM_ITEM_ABSENT);
    }
    frame_put(frame);
    EXPECT_EQ(frame_free_count(), free_before);
    vm_cursor_close(&cursor);
    world_end(&world);
}

MODE_TEST(vm_cursor_open, closing_twice_or_never_opened_does_nothing)
{
    struct world world = world_begin(*levels);
    struct vm_cursor cursor = {0};

    vm_cursor_close(&cursor);
    cursor = cursor_open(&world, BASE, GIB, VM_CURSOR_CHANGE);
    vm_cursor_close(&cursor);
    vm_cursor_close(&cursor);
    EXPECT_EQ(spinlock_held_count(), 0);
    world_end(&world);
}

MODE_TEST(vm_cursor_open, an_open_cursor_keeps_its_space)
{
    struct world world = world_begin(*levels);
    struct vm_space *other;
    struct vm_cursor cursor;
    struct vm_slot slot;

    EXPECT_OK(vm_space_create(NULL, &other));
    EXPECT_OK(vm_cursor_open(&cursor, other, va_span(BASE, PAGE_SIZE), VM_CURSOR_CHANGE));
    EXPECT_OK(vm_cursor_map(&cursor, frame_new(), prop(VM_R), VM_MAP_REPLACE));
    vm_space_put(other);
    cr_assert(vm_space_reap_is_done(), "the cursor still holds it");
    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE)));
    EXPECT_OK(vm_cursor_query(&cursor, &slot));
    EXPECT_EQ(slot.item.kind, VM_ITEM_RAM);
    vm_cursor_close(&cursor);
    cr_assert(!vm_space_reap_is_done());
    reap_all();
    world_end(&world);
}

/* Every allocation of an open may fail: not open, not locked; tables linked on the way may stay,
 * and belong to the space. */
MODE_TEST(vm_cursor_open, no_memory_leaves_no_cursor)
{
    struct world world = world_begin(*levels);
    struct vm_cursor cursor = {0};
    status_t status = ERR_NOMEM;
    uint64_t allowed;

    for (allowed = 0; status == ERR_NOMEM; allowed++) {
        struct vm_space *space;

        frame_fail_after(UINT64_MAX);
        EXPECT_OK(vm_space_create(NULL, &space));
        frame_fail_after(allowed);
        status = vm_cursor_open(&cursor, space, va_span(BASE, PAGE_SIZE), VM_CURSOR_CHANGE);
        frame_fail_after(UINT64_MAX);
        if (status == OK) {
            vm_cursor_close(&cursor);
        } else {
            EXPECT_STATUS(status, ERR_NOMEM);
            vm_cursor_close(&cursor);
        }
        EXPECT_EQ(spinlock_held_count(), 0);
        EXPECT_OK(vm_space_check(space));
        vm_space_put(space);
        reap_all();
    }
    EXPECT_OK(status);
    cr_assert(allowed >= *levels, "an open of a page in an empty space makes levels-1 tables");
    world_end(&world);
}

MODE_TEST(vm_cursor_open, bounded_ones_say_how_far_they_came)
{
    struct world world = world_begin(*levels);
    uint64_t end = BASE + 16 * MIB;
    uint64_t at = BASE;
    unsigned pieces = 0;

    for (unsigned i = 0; i < 8; i++) {
        map_at(&world, BASE + i * 2 * MIB, frame_new(), VM_R);
    }
    while (at < end) {
        struct vm_cursor cursor;

        EXPECT_OK(vm_cursor_open_bounded(&cursor, world.space, (struct va_range){{at}, {end}},
                                         VM_CURSOR_CHANGE, 3));
        cr_assert(spinlock_held_count() >= 1 && spinlock_held_count() <= 3);
        EXPECT_EQ(cursor.range.start.raw, at);
        cr_assert(cursor.range.end.raw > at && cursor.range.end.raw <= end);
        cr_assert(is_aligned(cursor.range.end.raw, PAGE_SIZE));
        at = cursor.range.end.raw;
        pieces++;
        vm_cursor_close(&cursor);
        EXPECT_EQ(spinlock_held_count(), 0);
    }
    EXPECT_EQ(at, end);
    cr_assert(pieces >= 3 && pieces <= 16, "%u pieces for 8 tables by 3", pieces);
    world_end(&world);
}

MODE_TEST(vm_cursor_open, bounded_by_one_table_makes_progress_everywhere)
{
    struct world world = world_begin(*levels);
    uint64_t end = BASE + 3 * GIB;
    uint64_t at = BASE - 4 * MIB;
    unsigned pieces = 0;

    map_at(&world, BASE - 4 * MIB, frame_new(), VM_R);
    map_at(&world, BASE, frame_new(), VM_R);
    map_at(&world, BASE + 4 * MIB, frame_new(), VM_R);
    map_at(&world, BASE + 2 * GIB, frame_new(), VM_R);
    while (at < end) {
        struct vm_cursor cursor;

        EXPECT_OK(vm_cursor_open_bounded(&cursor, world.space, (struct va_range){{at}, {end}},
                                         VM_CURSOR_QUERY, 1));
        EXPECT_EQ(spinlock_held_count(), 1);
        cr_assert(cursor.range.end.raw > at && cursor.range.end.raw <= end);
        at = cursor.range.end.raw;
        vm_cursor_close(&cursor);
        cr_assert(++pieces < 10000);
    }
    EXPECT_EQ(at, end);
    world_end(&world);
}

/* The tables that were locked before the conflict was met are let go again. */
MODE_TEST(vm_cursor_open, a_refused_one_keeps_nothing_locked)
{
    struct world world = world_begin(*levels);
    struct vm_cursor held;
    struct vm_cursor other;

    for (unsigned i = 0; i < 3; i++) {
        map_at(&world, BASE + i * 2 * MIB, frame_new(), VM_R);
        map_at(&world, BASE + i * 2 * MIB + GIB, frame_new(), VM_R);
    }
    held = cursor_open(&world, BASE + GIB + 4 * MIB, PAGE_SIZE, VM_CURSOR_QUERY);
    EXPECT_EQ(spinlock_held_count(), 1);
    EXPECT_STATUS(try_open(&world, BASE, BASE + 2 * GIB, VM_CURSOR_CHANGE, &other), ERR_DEADLK);
    EXPECT_EQ(spinlock_held_count(), 1);
    vm_cursor_close(&held);
    EXPECT_EQ(spinlock_held_count(), 0);
    world_end(&world);
}

/* The cut may fall on the first address of a table that is locked already: it is let go. */
MODE_TEST(vm_cursor_open, bounded_by_any_number_locks_no_more_than_its_range)
{
    static const uint64_t steps[] = {0, 2 * MIB, GIB, GIB + 2 * MIB, 2 * GIB, 512 * GIB / 8};
    struct world world = world_begin(*levels);
    uint64_t end = BASE + 512 * GIB / 8 + 4 * MIB;

    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        map_at(&world, BASE + steps[i], frame_new(), VM_R);
    }
    for (unsigned max_nodes = 1; max_nodes <= 14; max_nodes++) {
        for (uint64_t at = BASE; at < end;) {
            struct vm_cursor cursor;

            EXPECT_OK(vm_cursor_open_bounded(&cursor, world.space, (struct va_range){{at}, {end}},
                                             VM_CURSOR_QUERY, max_nodes));
            cr_assert(spinlock_held_count() <= max_nodes);
            at = cursor.range.end.raw;
            vm_cursor_close(&cursor);
            cr_assert(spinlock_held_count() == 0, "%u tables: a lock is left at %#lx", max_nodes,
                      (unsigned long)at);
        }
    }
    world_end(&world);
}

MODE_TEST(vm_cursor_open, opens_and_locks_are_counted)
{
    struct world world = world_begin(*levels);
    uint64_t opened = counter_read(COUNTER_cursors_opened);
    uint64_t locks;
    struct vm_cursor cursor;

    map_at(&world, BASE, frame_new(), VM_R);
    EXPECT_EQ(counter_read(COUNTER_cursors_opened), opened + 1);
    locks = counter_read(COUNTER_node_locks);
    cursor = cursor_open(&world, BASE, PAGE_SIZE, VM_CURSOR_QUERY);
    EXPECT_EQ(spinlock_held_count(), 1); /* the lowest node alone */
    EXPECT_EQ(counter_read(COUNTER_node_locks), locks + 1);
    vm_cursor_close(&cursor);
    world_end(&world);
}
