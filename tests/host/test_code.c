/* SPDX-License-Identifier: MIT */
/*
 * fence.i: pages that become executable, and code that programs write.  On the harts that run the
 * space at once, in one call; on others when they run it next; nowhere else, and not for pages that
 * are not executable.
 */
#include "support.h"

#define BASE (4 * GIB)

static void run_on(hart_idx_t hart, struct vm_space *space)
{
    host_hart_set(hart);
    vm_space_activate(space);
    host_hart_set(0);
}

static size_t local_count(void)
{
    return host_event_count_of(HOST_EVENT_CODE_LOCAL);
}

static size_t remote_count(void)
{
    return host_event_count_of(HOST_EVENT_CODE_REMOTE);
}

/* The harts of the only remote call. */
static uint64_t remote_harts(void)
{
    EXPECT_EQ(remote_count(), 1);
    for (size_t i = 0; i < host_event_count(); i++) {
        if (host_event_at(i)->kind == HOST_EVENT_CODE_REMOTE) {
            return host_event_at(i)->harts.bits;
        }
    }
    return 0;
}

static void make_executable(struct vm_rights *rights, void *context)
{
    (void)context;
    rights->prop.prot = VM_RX;
}

static void make_readable(struct vm_rights *rights, void *context)
{
    (void)context;
    rights->prop.prot = VM_R;
}

static void protect_all(struct world *world, uint64_t at, uint64_t bytes,
                        void (*op)(struct vm_rights *rights, void *context))
{
    struct vm_cursor cursor = cursor_open(world, at, bytes, VM_CURSOR_EDIT);
    struct va_range changed;

    while (vm_cursor_protect_next(&cursor, at + bytes - vm_cursor_va(&cursor).raw, op, NULL,
                                  &changed) == OK) {
        continue;
    }
    vm_cursor_close(&cursor);
}

MODE_TEST(code, a_first_executable_mapping_is_one_call)
{
    struct world world = world_begin(*levels);

    run_on(1, world.space);
    run_on(3, world.space);
    host_events_start();
    map_at(&world, BASE, frame_new(), VM_RX);
    EXPECT_EQ(local_count(), 1);
    EXPECT_EQ(remote_harts(), 1U << 1 | 1U << 3);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_REMOTE), 0);
    run_on(1, NULL);
    run_on(3, NULL);
    world_end(&world);
}

MODE_TEST(code, a_space_that_one_hart_runs_costs_no_call)
{
    struct world world = world_begin(*levels);

    host_events_start();
    map_at(&world, BASE, frame_new(), VM_RWX);
    EXPECT_EQ(local_count(), 1);
    EXPECT_EQ(remote_count(), 0);
    world_end(&world);
}

MODE_TEST(code, pages_that_are_not_executable_cost_nothing)
{
    struct world world = world_begin(*levels);

    run_on(1, world.space);
    host_events_start();
    map_at(&world, BASE, frame_new(), VM_RW);
    protect_all(&world, BASE, PAGE_SIZE, make_readable);
    unmap_at(&world, BASE, PAGE_SIZE);
    EXPECT_EQ(local_count(), 0);
    EXPECT_EQ(remote_count(), 0);
    run_on(1, NULL);
    world_end(&world);
}

MODE_TEST(code, protect_to_executable_is_one_call_for_the_range)
{
    struct world world = world_begin(*levels);

    for (unsigned i = 0; i < 20; i++) {
        map_at(&world, BASE + i * 3 * PAGE_SIZE, frame_new(), VM_R);
    }
    run_on(2, world.space);
    host_events_start();
    protect_all(&world, BASE, 60 * PAGE_SIZE, make_executable);
    EXPECT_EQ(local_count(), 1);
    EXPECT_EQ(remote_harts(), 1U << 2);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_REMOTE), 0); /* only more rights */
    host_events_start();
    protect_all(&world, BASE, 60 * PAGE_SIZE, make_readable); /* takes rights away only */
    EXPECT_EQ(local_count() + remote_count(), 0);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_REMOTE), 1);
    run_on(2, NULL);
    world_end(&world);
}

/* Who takes W from a page that could be executed has written code there. */
MODE_TEST(code, a_page_that_is_sealed_is_synchronized)
{
    struct world world = world_begin(*levels);

    map_at(&world, BASE, frame_new(), VM_RWX);
    host_events_start();
    protect_all(&world, BASE, PAGE_SIZE, make_executable);
    EXPECT_EQ(local_count(), 1);
    world_end(&world);
}

/* Replacing an executable page: the old one is flushed, and the new one's frame held other code. */
MODE_TEST(code, a_replacement_is_a_flush_and_a_fence)
{
    struct world world = world_begin(*levels);

    map_at(&world, BASE, frame_new(), VM_RX);
    run_on(1, world.space);
    host_events_start();
    map_at(&world, BASE, frame_new(), VM_RX);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_REMOTE), 1);
    EXPECT_EQ(remote_harts(), 1U << 1);
    run_on(1, NULL);
    world_end(&world);
}

MODE_TEST(code, a_hart_that_was_away_does_it_when_it_comes_back)
{
    struct world world = world_begin(*levels);

    run_on(1, world.space);
    run_on(1, NULL);
    host_events_start();
    map_at(&world, BASE, frame_new(), VM_RX);
    EXPECT_EQ(remote_count(), 0); /* it is not interrupted */
    host_events_start();
    run_on(1, world.space);
    EXPECT_EQ(local_count(), 1);
    run_on(1, NULL);
    host_events_start();
    run_on(1, world.space); /* nothing new */
    EXPECT_EQ(local_count(), 0);
    run_on(1, NULL);
    world_end(&world);
}

/* The fence comes before the hart could use the space: nothing is executed before the return. */
MODE_TEST(code, a_hart_that_runs_the_space_for_the_first_time_does_it)
{
    struct world world = world_begin(*levels);

    map_at(&world, BASE, frame_new(), VM_RX);
    host_events_start();
    run_on(2, world.space);
    EXPECT_EQ(local_count(), 1);
    run_on(2, NULL);
    world_end(&world);
}

MODE_TEST(code, a_space_that_nobody_runs_costs_nothing_now)
{
    struct world world = world_begin(*levels);
    struct world other = {.levels = *levels};

    EXPECT_OK(vm_space_create(NULL, &other.space));
    host_events_start();
    map_at(&other, BASE, frame_new(), VM_RX);
    EXPECT_OK(vm_space_icache_sync(other.space));
    EXPECT_EQ(local_count() + remote_count(), 0);
    host_events_start();
    vm_space_activate(other.space);
    EXPECT_EQ(local_count(), 1); /* once for both */
    host_events_start();
    vm_space_activate(world.space);
    vm_space_activate(other.space);
    EXPECT_EQ(local_count(), 0);
    vm_space_activate(world.space);
    vm_space_put(other.space);
    reap_all();
    world_end(&world);
}

/* The hart that made the fence has done it: coming back costs it nothing. */
MODE_TEST(code, the_hart_that_asked_is_not_asked_again)
{
    struct world world = world_begin(*levels);

    map_at(&world, BASE, frame_new(), VM_RX);
    vm_space_activate(NULL);
    host_events_start();
    vm_space_activate(world.space);
    EXPECT_EQ(local_count(), 0);
    world_end(&world);
}

MODE_TEST(code, programs_that_write_code_ask_for_it)
{
    struct world world = world_begin(*levels);

    run_on(1, world.space);
    host_events_start();
    EXPECT_OK(vm_space_icache_sync(world.space));
    EXPECT_EQ(local_count(), 1);
    EXPECT_EQ(remote_harts(), 1U << 1);
    host_rfence_fail(ERR_IO, 1);
    EXPECT_STATUS(vm_space_icache_sync(world.space), ERR_IO);
    run_on(1, NULL);
    world_end(&world);
}

/* A page that was to be executable and cannot be is more than a status can say. */
MODE_TEST(code, a_mapping_whose_fence_fails_is_a_panic, .signal = SIGABRT)
{
    struct world world = world_begin(*levels);

    run_on(1, world.space);
    host_rfence_fail(ERR_IO, 1);
    map_at(&world, BASE, frame_new(), VM_RX);
}
