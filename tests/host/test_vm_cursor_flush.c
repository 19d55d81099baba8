/* SPDX-License-Identifier: MIT */
/*
 * When translations go.  Other harts run the space and hold translations; whatever a cursor takes
 * away must be gone from every one of them before the cursor unlocks, and frames and tables must
 * not be free before that.  Loosening costs no remote flush.
 */
#include <string.h>

#include "lib/counter.h"
#include "lib/spinlock.h"
#include "machine/oracle.h"
#include "mm/pt_node.h"
#include "mm/user_copy.h"
#include "support.h"

#define BASE (4 * GIB)

static void run_on(struct world *world, hart_idx_t hart)
{
    host_hart_set(hart);
    vm_space_activate(world->space);
    host_hart_set(0);
}

static void leave(hart_idx_t hart)
{
    host_hart_set(hart);
    vm_space_activate(NULL);
    host_hart_set(0);
}

/* What user mode of that hart gets, through its TLB. */
static bool hart_can(hart_idx_t hart, uint64_t at, enum oracle_access access)
{
    return hart_may(hart, at, access, NULL);
}

static void make_read_only(struct vm_rights *rights, void *context)
{
    (void)context;
    rights->prop.prot = VM_R;
}

static void make_writable(struct vm_rights *rights, void *context)
{
    (void)context;
    rights->prop.prot = VM_RW;
}

static void protect_at(struct world *world, uint64_t at,
                       void (*op)(struct vm_rights *rights, void *context))
{
    struct vm_cursor cursor = cursor_open(world, at, PAGE_SIZE, VM_CURSOR_CHANGE);
    struct va_range changed;

    EXPECT_OK(vm_cursor_protect_next(&cursor, PAGE_SIZE, op, NULL, &changed));
    vm_cursor_close(&cursor);
}

MODE_TEST(vm_cursor_flush, unmap_reaches_every_hart_that_runs_the_space)
{
    struct world world = world_begin(*levels);

    run_on(&world, 1);
    run_on(&world, 3);
    map_at(&world, BASE, frame_new(), VM_RW);
    for (hart_idx_t hart = 0; hart < 4; hart++) {
        cr_assert(hart == 2 || hart_can(hart, BASE, ORACLE_WRITE));
    }
    host_events_start();
    unmap_at(&world, BASE, PAGE_SIZE);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_LOCAL), 1);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_REMOTE), 1);
    for (size_t i = 0; i < host_event_count(); i++) {
        const struct host_event *event = host_event_at(i);

        if (event->kind == HOST_EVENT_FLUSH_REMOTE) {
            EXPECT_EQ(event->harts.bits, 1U << 1 | 1U << 3);
        }
    }
    for (hart_idx_t hart = 0; hart < 4; hart++) {
        cr_assert(!hart_can(hart, BASE, ORACLE_READ));
    }
    leave(1);
    leave(3);
    world_end(&world);
}

MODE_TEST(vm_cursor_flush, harts_that_left_are_not_disturbed)
{
    struct world world = world_begin(*levels);

    run_on(&world, 1);
    map_at(&world, BASE, frame_new(), VM_RW);
    cr_assert(hart_can(1, BASE, ORACLE_READ));
    leave(1);
    vm_space_activate(NULL); /* hart 0 too */
    host_events_start();
    unmap_at(&world, BASE, PAGE_SIZE);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_REMOTE), 0);
    run_on(&world, 1);
    cr_assert(!hart_can(1, BASE, ORACLE_READ), "activation flushed what the hart held");
    leave(1);
    world_end(&world);
}

MODE_TEST(vm_cursor_flush, one_close_is_one_remote_call)
{
    struct world world = world_begin(*levels);
    struct vm_cursor cursor;
    struct vm_removed removed;
    struct va_range changed;

    run_on(&world, 1);
    for (unsigned i = 0; i < 100; i++) {
        map_at(&world, BASE + i * 3 * PAGE_SIZE, frame_new(), VM_RW);
        cr_assert(hart_can(1, BASE + i * 3 * PAGE_SIZE, ORACLE_READ));
    }
    map_at(&world, BASE + 4 * MIB, frame_new(), VM_RW);
    cursor = cursor_open(&world, BASE, 8 * MIB, VM_CURSOR_CHANGE);
    host_events_start();
    EXPECT_OK(vm_cursor_unmap(&cursor, 30 * PAGE_SIZE, &removed));
    EXPECT_OK(vm_cursor_protect_next(&cursor, PAGE_SIZE, make_read_only, NULL, &changed));
    EXPECT_OK(vm_cursor_unmap(&cursor, 100 * PAGE_SIZE, &removed));
    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE + 4 * MIB)));
    EXPECT_OK(vm_cursor_unmap(&cursor, 2 * MIB, &removed));
    vm_cursor_close(&cursor);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_REMOTE), 1);
    leave(1);
    world_end(&world);
}

/* Whatever the order in which a cursor visits its pages, each is flushed. */
MODE_TEST(vm_cursor_flush, the_order_of_removals_does_not_matter)
{
    static const unsigned orders[][4] = {{0, 3, 6, 9}, {9, 6, 3, 0}, {3, 9, 0, 6}, {6, 0, 9, 3}};
    struct world world = world_begin(*levels);

    run_on(&world, 1);
    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        struct vm_cursor cursor;
        struct vm_removed removed;
        struct va_range changed;

        for (unsigned page = 0; page < 10; page++) {
            map_at(&world, BASE + page * PAGE_SIZE, frame_new(), VM_RW);
            cr_assert(hart_can(1, BASE + page * PAGE_SIZE, ORACLE_WRITE));
        }
        cursor = cursor_open(&world, BASE, 10 * PAGE_SIZE, VM_CURSOR_CHANGE);
        for (size_t n = 0; n < ARRAY_LEN(orders[i]); n++) {
            EXPECT_OK(vm_cursor_jump(&cursor, va(BASE + orders[i][n] * PAGE_SIZE)));
            if (n % 2 == 0) {
                EXPECT_OK(vm_cursor_unmap(&cursor, PAGE_SIZE, &removed));
            } else {
                EXPECT_OK(
                    vm_cursor_protect_next(&cursor, PAGE_SIZE, make_read_only, NULL, &changed));
            }
        }
        vm_cursor_close(&cursor);
        for (unsigned page = 0; page < 10; page++) {
            EXPECT_EQ(hart_can(1, BASE + page * PAGE_SIZE, ORACLE_WRITE), page % 3 != 0);
        }
        world_check(&world);
    }
    leave(1);
    world_end(&world);
}

MODE_TEST(vm_cursor_flush, tightening_is_flushed_and_loosening_is_not)
{
    struct world world = world_begin(*levels);

    run_on(&world, 1);
    map_at(&world, BASE, frame_new(), VM_RW);
    cr_assert(hart_can(1, BASE, ORACLE_WRITE));
    protect_at(&world, BASE, make_read_only);
    cr_assert(!hart_can(1, BASE, ORACLE_WRITE));
    cr_assert(hart_can(1, BASE, ORACLE_READ));
    host_events_start();
    protect_at(&world, BASE, make_writable);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_REMOTE), 0);
    cr_assert(hart_may_fault(1, BASE, ORACLE_WRITE), "the hart may keep the old entry");
    oracle_audit();
    host_events_start();
    protect_at(&world, BASE, make_writable); /* no change at all */
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_REMOTE), 0);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_LOCAL), 0);
    leave(1);
    world_end(&world);
}

/* What must hold when a flush begins. */
struct flush_watch {
    struct world *world;
    struct frame *frame;
    unsigned flushes;
};

static void on_flush(void *context, struct tlb_op op)
{
    struct flush_watch *watch = context;
    struct vm_cursor other = {0};

    (void)op;
    watch->flushes++;
    expect_absent(watch->world, BASE); /* already broken                     */
    EXPECT_EQ(frame_refs(watch->frame), 1);
    EXPECT_EQ(watch->frame->type, FRAME_USER); /* not free yet                       */
    cr_assert(spinlock_held_count() > 0);      /* still locked: nobody maps anything */
    EXPECT_STATUS(
        vm_cursor_open(&other, watch->world->space, va_span(BASE, PAGE_SIZE), VM_CURSOR_QUERY),
        ERR_DEADLK);
}

MODE_TEST(vm_cursor_flush, frames_go_after_the_flush_and_the_lock_after_both)
{
    static const uint64_t bytes[] = {PAGE_SIZE, 2 * MIB, GIB}; /* the page, its table, that above */
    struct world world = world_begin(*levels);

    run_on(&world, 1);
    for (size_t i = 0; i < ARRAY_LEN(bytes); i++) {
        struct flush_watch watch = {.world = &world, .frame = frame_new()};

        map_at(&world, BASE, watch.frame, VM_RW);
        map_at(&world, BASE + 2 * GIB, frame_new(), VM_RW);
        cr_assert(hart_can(1, BASE, ORACLE_WRITE));
        host_on_flush(on_flush, &watch);
        unmap_at(&world, BASE, bytes[i]);
        host_on_flush(NULL, NULL);
        EXPECT_EQ(watch.flushes, 2); /* local and remote */
        EXPECT_EQ(frame_refs(watch.frame), 0);
        world_check(&world);
    }
    leave(1);
    world_end(&world);
}

struct stray_watch {
    const struct pt_node *nodes[2]; /* detached: the table of the page, and the one above */
    unsigned flushes;
};

static void on_stray(void *context, struct tlb_op op)
{
    struct stray_watch *watch = context;

    (void)op;
    watch->flushes++;
    for (size_t i = 0; i < ARRAY_LEN(watch->nodes); i++) {
        cr_assert(watch->nodes[i]->is_stray, "level %zu", i);
        cr_assert(!spinlock_is_mine(&watch->nodes[i]->lock), "level %zu", i);
    }
}

/* Whoever waits for a detached table gets its lock and finds it stray. */
MODE_TEST(vm_cursor_flush, detached_tables_are_stray_and_unlocked)
{
    struct world world = world_begin(*levels);
    struct stray_watch watch = {0};
    struct walk walk;

    map_at(&world, BASE, frame_new(), VM_RW);
    walk = walk_from(vm_space_root(world.space).raw, *levels, BASE);
    for (size_t i = 0; i < ARRAY_LEN(watch.nodes); i++) {
        watch.nodes[i] = frame_of(pa(walk.slots[i]))->node;
        cr_assert(!watch.nodes[i]->is_stray);
    }
    host_on_flush(on_stray, &watch);
    unmap_at(&world, BASE, GIB);
    host_on_flush(NULL, NULL);
    EXPECT_EQ(watch.flushes, 1);
    world_end(&world);
}

MODE_TEST(vm_cursor_flush, a_replaced_frame_goes_after_the_flush)
{
    struct world world = world_begin(*levels);
    struct flush_watch watch = {.world = &world, .frame = frame_new()};

    run_on(&world, 1);
    map_at(&world, BASE, watch.frame, VM_RW);
    cr_assert(hart_can(1, BASE, ORACLE_WRITE));
    host_on_flush(on_flush, &watch);
    map_at(&world, BASE, frame_new(), VM_RW);
    host_on_flush(NULL, NULL);
    EXPECT_EQ(watch.flushes, 2);
    EXPECT_EQ(frame_refs(watch.frame), 0);
    cr_assert(hart_can(1, BASE, ORACLE_WRITE));
    leave(1);
    world_end(&world);
}

/* A detached table stays in walk caches until a flush without an address: a new table in its place
 * must not be missed. */
MODE_TEST(vm_cursor_flush, detached_tables_leave_the_walk_caches)
{
    struct world world = world_begin(*levels);
    struct frame *frame = frame_new();
    uint64_t to;

    run_on(&world, 1);
    map_at(&world, BASE + 2 * GIB, frame_new(), VM_RW);
    map_at(&world, BASE, frame_new(), VM_RW);
    cr_assert(hart_can(1, BASE, ORACLE_READ));
    unmap_at(&world, BASE, 2 * MIB);
    oracle_audit();
    map_at(&world, BASE + PAGE_SIZE, frame, VM_RW); /* another table for the same 2 MiB */
    cr_assert(hart_may(1, BASE + PAGE_SIZE, ORACLE_READ, &to));
    EXPECT_EQ(to, frame_pa(frame).raw);
    cr_assert(!hart_can(1, BASE, ORACLE_READ));
    unmap_at(&world, BASE, GIB);
    oracle_audit();
    leave(1);
    world_end(&world);
}

/* Harts translate at every step of every operation; the model judges each step. */
MODE_TEST(vm_cursor_flush, harts_that_prefetch_all_the_time_find_nothing_stale)
{
    struct world world = world_begin(*levels);

    run_on(&world, 1);
    run_on(&world, 2);
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned i = 0; i < 8; i++) {
            map_at(&world, BASE + i * PAGE_SIZE, frame_new(), VM_RW);
            map_at(&world, BASE + GIB + (i + round) % 8 * PAGE_SIZE, frame_new(), VM_RX);
            oracle_audit();
        }
        protect_at(&world, BASE + round % 8 * PAGE_SIZE, make_read_only);
        oracle_audit();
        unmap_at(&world, BASE + round % 8 * PAGE_SIZE, PAGE_SIZE);
        oracle_audit();
        unmap_at(&world, BASE, round % 2 == 0 ? 2 * MIB : GIB);
        world_check(&world);
    }
    leave(1);
    leave(2);
    world_end(&world);
}

MODE_TEST(vm_cursor_flush, sync_pays_now_and_close_owes_nothing_more)
{
    struct world world = world_begin(*levels);
    struct frame *frame = frame_new();
    struct vm_cursor cursor;
    struct vm_removed removed;

    run_on(&world, 1);
    map_at(&world, BASE, frame, VM_RW);
    cr_assert(hart_can(1, BASE, ORACLE_READ));
    cursor = cursor_open(&world, BASE, 2 * PAGE_SIZE, VM_CURSOR_CHANGE);
    EXPECT_OK(vm_cursor_unmap(&cursor, PAGE_SIZE, &removed));
    vm_cursor_sync(&cursor);
    EXPECT_EQ(frame_refs(frame), 0);
    cr_assert(!hart_can(1, BASE, ORACLE_READ));
    host_events_start();
    vm_cursor_sync(&cursor);
    vm_cursor_close(&cursor);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_LOCAL), 0);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_REMOTE), 0);
    leave(1);
    world_end(&world);
}

MODE_TEST(vm_cursor_flush, looking_flushes_nothing)
{
    struct world world = world_begin(*levels);
    struct vm_cursor cursor;
    struct vm_slot slot;

    map_at(&world, BASE, frame_new(), VM_RW);
    host_events_start();
    cursor = cursor_open(&world, BASE - GIB, 2 * GIB, VM_CURSOR_QUERY);
    while (vm_cursor_next(&cursor, &slot) == OK) {
        continue;
    }
    vm_cursor_close(&cursor);
    unmap_at(&world, BASE + PAGE_SIZE, 4 * PAGE_SIZE); /* nothing there */
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_LOCAL), 0);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_SLOT), 0);
    world_end(&world);
}

MODE_TEST(vm_cursor_flush, a_refused_remote_fence_is_asked_for_again_as_a_whole)
{
    struct world world = world_begin(*levels);
    const struct host_event *event = NULL;

    run_on(&world, 1);
    map_at(&world, BASE, frame_new(), VM_RW);
    host_rfence_fail(ERR_IO, 1);
    host_events_start();
    unmap_at(&world, BASE, PAGE_SIZE);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_REMOTE), 2);
    for (size_t i = 0; i < host_event_count(); i++) {
        event = host_event_at(i)->kind == HOST_EVENT_FLUSH_REMOTE ? host_event_at(i) : event;
    }
    EXPECT_EQ(event->harts.bits, 1U << 1);
    EXPECT_EQ(event->op.bytes, 0);
    EXPECT_EQ(event->op.asid, 0);
    leave(1);
    world_end(&world);
}

/* A fence that firmware does not do at all leaves no safe way on. */
MODE_TEST(vm_cursor_flush, a_remote_fence_refused_twice_is_a_panic, .signal = SIGABRT)
{
    struct world world = world_begin(*levels);

    run_on(&world, 1);
    map_at(&world, BASE, frame_new(), VM_RW);
    host_rfence_fail(ERR_IO, 2);
    unmap_at(&world, BASE, PAGE_SIZE);
}
