/* SPDX-License-Identifier: MIT */
/*
 * The cursor's batch of flushes, by its own verbs: what is issued is flushed when it is dispatched,
 * what is kept goes after that and not before, and a batch costs one call.
 */
#include "support.h"

#define BASE (4 * GIB)

static struct world world_on_two_harts(unsigned levels)
{
    struct world world = world_begin(levels);

    host_hart_set(1);
    vm_space_activate(world.space);
    host_hart_set(0);
    return world;
}

static void end_on_two_harts(struct world *world)
{
    host_hart_set(1);
    vm_space_activate(NULL);
    host_hart_set(0);
    world_end(world);
}

static struct va_range page(unsigned i)
{
    return va_span(BASE + i * PAGE_SIZE, PAGE_SIZE);
}

/* The only remote flush since host_events_start. */
static struct tlb_op remote_flush(void)
{
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_REMOTE), 1);
    for (size_t i = 0; i < host_event_count(); i++) {
        if (host_event_at(i)->kind == HOST_EVENT_FLUSH_REMOTE) {
            return host_event_at(i)->op;
        }
    }
    return (struct tlb_op){0};
}

MODE_TEST(vm_cursor_batch, dispatch_flushes_what_was_issued)
{
    struct world world = world_on_two_harts(*levels);
    struct vm_cursor cursor = cursor_open(&world, BASE, GIB, VM_CURSOR_EDIT);

    host_events_start();
    vm_cursor_issue(&cursor, VM_FLUSH_PAGES, page(3));
    vm_cursor_issue(&cursor, VM_FLUSH_PAGES, page(1));
    EXPECT_EQ(host_event_count(), 0);
    vm_cursor_dispatch(&cursor);
    EXPECT_EQ(remote_flush().va.raw, BASE + PAGE_SIZE);
    EXPECT_EQ(remote_flush().bytes, 3 * PAGE_SIZE);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_LOCAL), 1);
    host_events_start();
    vm_cursor_dispatch(&cursor); /* nothing is owed any more */
    vm_cursor_close(&cursor);
    EXPECT_EQ(host_event_count(), 0);
    end_on_two_harts(&world);
}

MODE_TEST(vm_cursor_batch, past_a_threshold_the_space_is_flushed)
{
    struct world world = world_on_two_harts(*levels);
    struct vm_cursor cursor = cursor_open(&world, BASE, GIB, VM_CURSOR_EDIT);

    host_events_start();
    vm_cursor_issue(&cursor, VM_FLUSH_PAGES, page(0));
    vm_cursor_issue(&cursor, VM_FLUSH_PAGES, page(15));
    vm_cursor_dispatch(&cursor);
    EXPECT_EQ(remote_flush().bytes, 16 * PAGE_SIZE);
    host_events_start();
    vm_cursor_issue(&cursor, VM_FLUSH_PAGES, page(0));
    vm_cursor_issue(&cursor, VM_FLUSH_PAGES, page(16));
    vm_cursor_dispatch(&cursor);
    EXPECT_EQ(remote_flush().bytes, 0);
    vm_cursor_close(&cursor);
    end_on_two_harts(&world);
}

MODE_TEST(vm_cursor_batch, the_space_covers_pages_whatever_comes_first)
{
    struct world world = world_on_two_harts(*levels);
    struct vm_cursor cursor = cursor_open(&world, BASE, GIB, VM_CURSOR_EDIT);

    for (unsigned i = 0; i < 2; i++) {
        host_events_start();
        vm_cursor_issue(&cursor, i == 0 ? VM_FLUSH_SPACE : VM_FLUSH_PAGES, page(0));
        vm_cursor_issue(&cursor, i == 0 ? VM_FLUSH_PAGES : VM_FLUSH_SPACE, page(0));
        vm_cursor_dispatch(&cursor);
        EXPECT_EQ(remote_flush().bytes, 0);
    }
    vm_cursor_close(&cursor);
    end_on_two_harts(&world);
}

MODE_TEST(vm_cursor_batch, a_kept_frame_goes_after_the_flush)
{
    struct world world = world_on_two_harts(*levels);
    struct vm_cursor cursor = cursor_open(&world, BASE, GIB, VM_CURSOR_EDIT);
    struct frame *frame = frame_new();

    vm_cursor_issue_with(&cursor, VM_FLUSH_PAGES, page(0), frame);
    vm_cursor_dispatch(&cursor);
    EXPECT_EQ(frame_refs(frame), 1); /* dispatch flushes and releases nothing */
    vm_cursor_sync(&cursor);
    EXPECT_EQ(frame_refs(frame), 0);
    frame = frame_new();
    vm_cursor_issue_with(&cursor, VM_FLUSH_PAGES, page(0), frame);
    host_events_start();
    vm_cursor_close(&cursor);
    EXPECT_EQ(remote_flush().bytes, PAGE_SIZE);
    EXPECT_EQ(frame_refs(frame), 0);
    end_on_two_harts(&world);
}

/* There is room for four; the fifth has the four before it flushed and released. */
MODE_TEST(vm_cursor_batch, frames_that_are_kept_never_run_out_of_room)
{
    struct world world = world_on_two_harts(*levels);
    struct vm_cursor cursor = cursor_open(&world, BASE, GIB, VM_CURSOR_EDIT);
    struct frame *frames[5];

    host_events_start();
    for (unsigned i = 0; i < 5; i++) {
        frames[i] = frame_new();
        EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_REMOTE), 0);
        vm_cursor_issue_with(&cursor, VM_FLUSH_PAGES, page(i), frames[i]);
    }
    EXPECT_EQ(remote_flush().bytes, 4 * PAGE_SIZE);
    for (unsigned i = 0; i < 5; i++) {
        EXPECT_EQ(frame_refs(frames[i]), i == 4 ? 1 : 0);
    }
    vm_cursor_close(&cursor);
    EXPECT_EQ(frame_refs(frames[4]), 0);
    end_on_two_harts(&world);
}

/* A dispatch in between pays for what is removed before it; what is removed later is paid later. */
MODE_TEST(vm_cursor_batch, removals_after_a_dispatch_are_flushed_as_well)
{
    struct world world = world_on_two_harts(*levels);
    struct frame *frames[2] = {frame_new(), frame_new()};
    struct vm_removed removed;
    struct vm_cursor cursor;

    map_at(&world, BASE, frames[0], VM_RW);
    map_at(&world, BASE + PAGE_SIZE, frames[1], VM_RW);
    cursor = cursor_open(&world, BASE, 2 * PAGE_SIZE, VM_CURSOR_EDIT);
    EXPECT_OK(vm_cursor_unmap(&cursor, PAGE_SIZE, &removed));
    vm_cursor_dispatch(&cursor);
    host_events_start();
    EXPECT_OK(vm_cursor_unmap(&cursor, PAGE_SIZE, &removed));
    EXPECT_EQ(frame_refs(frames[0]), 1);
    vm_cursor_close(&cursor);
    EXPECT_EQ(remote_flush().va.raw, BASE + PAGE_SIZE);
    EXPECT_EQ(frame_refs(frames[0]) + frame_refs(frames[1]), 0);
    end_on_two_harts(&world);
}
