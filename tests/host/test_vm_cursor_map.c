/* SPDX-License-Identifier: MIT */
/*
 * Mapping RAM through a cursor: what is granted, what is refused and leaves everything as it was,
 * replacement, and the order of events that break-before-make asks for.
 */
#include "support.h"

#define BASE (4 * GIB)

MODE_TEST(vm_cursor_map, grants_exactly_what_it_was_told)
{
    static const enum vm_prot prots[] = {VM_R, VM_X, VM_RW, VM_RX, VM_RWX};
    struct world world = world_begin(*levels);

    for (size_t i = 0; i < ARRAY_LEN(prots); i++) {
        uint64_t at = BASE + i * (GIB + 3 * PAGE_SIZE);
        struct frame *frame = frame_new();

        map_at(&world, at, frame, prots[i]);
        EXPECT_EQ(frame_refs(frame), 1); /* taken over, not added */
        expect_mapped(&world, at, frame, prots[i]);
        expect_mapped(&world, at + PAGE_MASK, frame, prots[i]);
        expect_absent(&world, at - 1);
        expect_absent(&world, at + PAGE_SIZE);
        world_check(&world);
    }
    world_end(&world);
}

MODE_TEST(vm_cursor_map, the_kernel_cannot_run_or_read_user_pages)
{
    struct world world = world_begin(*levels);

    map_at(&world, BASE, frame_new(), VM_RWX);
    for (int access = ORACLE_READ; access <= ORACLE_EXECUTE; access++) {
        struct walk_result result = walk_access(vm_space_root(world.space).raw, world.levels, BASE,
                                                (enum oracle_access)access, WALK_SUPERVISOR);

        cr_assert(!result.allowed);
        EXPECT_EQ(result.entry & 0x20, 0); /* not global */
    }
    world_end(&world);
}

MODE_TEST(vm_cursor_map, moves_past_each_page_to_the_end)
{
    struct world world = world_begin(*levels);
    uint64_t start = BASE - 2 * PAGE_SIZE; /* across a boundary of every table up to 1 GiB */
    struct vm_cursor cursor = cursor_open(&world, start, 4 * PAGE_SIZE, VM_CURSOR_CHANGE);
    struct frame *frames[5];

    for (size_t i = 0; i < 4; i++) {
        frames[i] = frame_new();
        EXPECT_OK(vm_cursor_map(&cursor, frames[i], prop(VM_RW), VM_MAP_EXCLUSIVE));
        EXPECT_EQ(vm_cursor_va(&cursor).raw, start + (i + 1) * PAGE_SIZE);
    }
    frames[4] = frame_new();
    EXPECT_STATUS(vm_cursor_map(&cursor, frames[4], prop(VM_RW), VM_MAP_REPLACE), ERR_RANGE);
    EXPECT_EQ(frame_refs(frames[4]), 1);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, start + 4 * PAGE_SIZE);
    vm_cursor_close(&cursor);
    for (size_t i = 0; i < 4; i++) {
        expect_mapped(&world, start + i * PAGE_SIZE, frames[i], VM_RW);
    }
    frame_put(frames[4]);
    world_end(&world);
}

struct refused_row {
    enum vm_prot prot;
    enum vm_mem mem;
    status_t want;
};

ParameterizedTestParameters(vm_cursor_map, impossible_properties_change_nothing)
{
    static struct refused_row rows[] = {
        {VM_PROT_NONE, VM_MEM_PMA, ERR_INVAL},
        {VM_W, VM_MEM_PMA, ERR_INVAL},
        {VM_WX, VM_MEM_PMA, ERR_INVAL},
        {(enum vm_prot)8, VM_MEM_PMA, ERR_INVAL},
        {(enum vm_prot)255, VM_MEM_PMA, ERR_INVAL},
        {VM_RW, VM_MEM_NC, ERR_NOTSUP},
        {VM_RW, VM_MEM_IO, ERR_NOTSUP},
    };
    return cr_make_param_array(struct refused_row, rows, ARRAY_LEN(rows));
}

ParameterizedTest(const struct refused_row *row, vm_cursor_map,
                  impossible_properties_change_nothing)
{
    struct world world = world_begin(4);
    struct frame *frame = frame_new();
    struct frame *old = frame_new();
    struct vm_cursor cursor;
    struct vm_prop bad = {.prot = row->prot, .mem = row->mem};

    map_at(&world, BASE, old, VM_RX);
    cursor = cursor_open(&world, BASE, 2 * MIB + PAGE_SIZE, VM_CURSOR_CHANGE);
    for (uint64_t at = BASE; at <= BASE + 2 * MIB; at += 2 * MIB) {
        uint64_t free_before = frame_free_count();

        EXPECT_OK(vm_cursor_jump(&cursor, va(at)));
        EXPECT_STATUS(vm_cursor_map(&cursor, frame, bad, VM_MAP_REPLACE), row->want);
        EXPECT_STATUS(vm_cursor_map(&cursor, frame, bad, VM_MAP_EXCLUSIVE), row->want);
        EXPECT_EQ(vm_cursor_va(&cursor).raw, at);
        EXPECT_EQ(frame_refs(frame), 1);
        EXPECT_EQ(frame_free_count(), free_before);
    }
    vm_cursor_close(&cursor);
    expect_mapped(&world, BASE, old, VM_RX);
    expect_absent(&world, BASE + 2 * MIB);
    frame_put(frame);
    world_end(&world);
}

MODE_TEST(vm_cursor_map, exclusive_refuses_what_is_occupied)
{
    struct world world = world_begin(*levels);
    struct frame *old = frame_new();
    struct frame *frame = frame_new();
    struct vm_cursor cursor;

    map_at(&world, BASE, old, VM_R);
    cursor = cursor_open(&world, BASE, 2 * PAGE_SIZE, VM_CURSOR_CHANGE);
    host_events_start();
    EXPECT_STATUS(vm_cursor_map(&cursor, frame, prop(VM_RW), VM_MAP_EXCLUSIVE), ERR_EXIST);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE);
    EXPECT_EQ(frame_refs(frame), 1);
    EXPECT_EQ(host_event_count(), 0);
    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE + PAGE_SIZE)));
    EXPECT_OK(vm_cursor_map(&cursor, frame, prop(VM_RW), VM_MAP_EXCLUSIVE));
    vm_cursor_close(&cursor);
    expect_mapped(&world, BASE, old, VM_R);
    expect_mapped(&world, BASE + PAGE_SIZE, frame, VM_RW);
    world_end(&world);
}

/* No allocation of a map may leave a trace when it fails. */
MODE_TEST(vm_cursor_map, no_memory_leaves_everything_as_it_was)
{
    struct world world = world_begin(*levels);
    uint64_t start = BASE - 2 * GIB; /* nothing below the root's entry, or near it */
    struct vm_cursor cursor = cursor_open(&world, start, 4 * GIB, VM_CURSOR_CHANGE);
    uint64_t at = BASE + 5 * PAGE_SIZE;
    uint64_t free_before;
    struct frame *frame = frame_new();
    status_t status = ERR_NOMEM;
    uint64_t allowed;

    EXPECT_OK(vm_cursor_jump(&cursor, va(at)));
    free_before = frame_free_count();
    for (allowed = 0; status == ERR_NOMEM; allowed++) {
        frame_fail_after(allowed);
        status = vm_cursor_map(&cursor, frame, prop(VM_RW), VM_MAP_REPLACE);
        frame_fail_after(UINT64_MAX);
        EXPECT_EQ(frame_refs(frame), 1);
        if (status == ERR_NOMEM) {
            EXPECT_EQ(frame_free_count(), free_before);
            EXPECT_EQ(vm_cursor_va(&cursor).raw, at);
            expect_absent(&world, at);
        }
    }
    EXPECT_OK(status);
    cr_assert(allowed > 2, "two tables at least had to be made");
    EXPECT_EQ(vm_cursor_va(&cursor).raw, at + PAGE_SIZE);
    vm_cursor_close(&cursor);
    expect_mapped(&world, at, frame, VM_RW);
    world_end(&world);
}

MODE_TEST(vm_cursor_map, replacing_needs_no_memory)
{
    struct world world = world_begin(*levels);
    struct frame *frame = frame_new();
    struct vm_cursor cursor;

    map_at(&world, BASE, frame_new(), VM_R);
    cursor = cursor_open(&world, BASE, GIB, VM_CURSOR_CHANGE);
    frame_fail_after(0);
    EXPECT_OK(vm_cursor_map(&cursor, frame, prop(VM_RW), VM_MAP_REPLACE));
    frame_fail_after(UINT64_MAX);
    vm_cursor_close(&cursor);
    expect_mapped(&world, BASE, frame, VM_RW);
    world_end(&world);
}

MODE_TEST(vm_cursor_map, the_replaced_frame_goes)
{
    struct world world = world_begin(*levels);
    uint64_t free_before;
    struct frame *old = frame_new();
    struct frame *kept = frame_new();

    map_at(&world, BASE, old, VM_RW);
    map_at(&world, BASE + PAGE_SIZE, kept, VM_RW);
    frame_get(kept);
    free_before = frame_free_count();
    map_at(&world, BASE, frame_new(), VM_RW);
    EXPECT_EQ(frame_free_count(), free_before); /* one came, one went */
    EXPECT_EQ(frame_refs(old), 0);
    map_at(&world, BASE + PAGE_SIZE, frame_new(), VM_RW);
    EXPECT_EQ(frame_refs(kept), 1);
    EXPECT_EQ(kept->type, FRAME_USER);
    frame_put(kept);
    world_end(&world);
}

MODE_TEST(vm_cursor_map, one_frame_in_two_places_has_two_references)
{
    struct world world = world_begin(*levels);
    struct frame *frame = frame_new();

    map_at(&world, BASE, frame, VM_RW);
    frame_get(frame);
    map_at(&world, BASE + 2 * GIB, frame, VM_R);
    EXPECT_EQ(frame_refs(frame), 2);
    expect_mapped(&world, BASE, frame, VM_RW);
    expect_mapped(&world, BASE + 2 * GIB, frame, VM_R);
    frame_get(frame);
    map_at(&world, BASE, frame, VM_RX); /* onto itself */
    EXPECT_EQ(frame_refs(frame), 2);
    expect_mapped(&world, BASE, frame, VM_RX);
    unmap_at(&world, BASE, PAGE_SIZE);
    EXPECT_EQ(frame_refs(frame), 1);
    expect_mapped(&world, BASE + 2 * GIB, frame, VM_R);
    world_end(&world);
}

MODE_TEST(vm_cursor_map, absent_to_present_flushes_nothing)
{
    struct world world = world_begin(*levels);
    struct vm_cursor cursor;

    host_events_start();
    cursor = cursor_open(&world, BASE, GIB, VM_CURSOR_CHANGE);
    for (unsigned i = 0; i < 20; i++) {
        EXPECT_OK(vm_cursor_map(&cursor, frame_new(), prop(VM_RW), VM_MAP_REPLACE));
    }
    vm_cursor_close(&cursor);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_LOCAL), 0);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_REMOTE), 0);
    cr_assert(host_event_count_of(HOST_EVENT_SLOT) >= 20);
    world_end(&world);
}

/* A table is complete before the entry that links it: no store to it may make an older entry
 * visible.  All stores below a table entry come after it or are zero. */
MODE_TEST(vm_cursor_map, tables_are_empty_when_they_are_linked)
{
    struct world world = world_begin(*levels);

    host_events_start();
    map_at(&world, BASE, frame_new(), VM_RW);
    for (size_t i = 0; i < host_event_count(); i++) {
        const struct host_event *event = host_event_at(i);

        if (event->kind == HOST_EVENT_SLOT) {
            EXPECT_EQ(event->before, 0);
            cr_assert((event->after & 1) != 0);
        }
    }
    EXPECT_EQ(host_event_count_of(HOST_EVENT_SLOT), *levels); /* levels-1 tables and the leaf */
    world_end(&world);
}

/* valid -> invalid, flush of every hart that runs the space, invalid -> new. */
MODE_TEST(vm_cursor_map, replacing_breaks_before_it_makes)
{
    enum {
        VALID,
        BROKEN,
        LOCAL,
        REMOTE,
        MADE
    } at = VALID;
    struct world world = world_begin(*levels);
    struct frame *frame = frame_new();
    struct vm_cursor cursor;

    map_at(&world, BASE, frame_new(), VM_RW);
    host_hart_set(2);
    vm_space_activate(world.space);
    host_hart_set(0);
    cursor = cursor_open(&world, BASE, PAGE_SIZE, VM_CURSOR_CHANGE);
    host_events_start();
    EXPECT_OK(vm_cursor_map(&cursor, frame, prop(VM_RW), VM_MAP_REPLACE));
    vm_cursor_close(&cursor);
    for (size_t i = 0; i < host_event_count(); i++) {
        const struct host_event *event = host_event_at(i);

        if (event->kind == HOST_EVENT_SLOT && (event->before & 1) != 0) {
            EXPECT_EQ(at, VALID);
            EXPECT_EQ(event->after & 1, 0);
            at = BROKEN;
        } else if (event->kind == HOST_EVENT_FLUSH_LOCAL) {
            EXPECT_EQ(at, BROKEN);
            at = LOCAL;
        } else if (event->kind == HOST_EVENT_FLUSH_REMOTE) {
            EXPECT_EQ(at, LOCAL);
            EXPECT_EQ(event->harts.bits, 1U << 2);
            at = REMOTE;
        } else if (event->kind == HOST_EVENT_SLOT && (event->after & 1) != 0) {
            EXPECT_EQ(at, REMOTE);
            at = MADE;
        }
    }
    EXPECT_EQ(at, MADE);
    expect_mapped(&world, BASE, frame, VM_RW);
    host_hart_set(2);
    vm_space_activate(NULL);
    host_hart_set(0);
    world_end(&world);
}

MODE_TEST(vm_cursor_map, only_frames_of_programs_are_mapped, .signal = SIGABRT)
{
    struct world world = world_begin(*levels);
    struct frame *frame;

    EXPECT_OK(frame_alloc(FRAME_KERNEL, &frame));
    map_at(&world, BASE, frame, VM_RW);
}

/* ---- several at once ---- */

static void frames_new(struct frame **frames, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        frames[i] = frame_new();
    }
}

MODE_TEST(vm_cursor_map, several_replace_what_is_there_with_one_flush)
{
    struct world world = world_begin(*levels);
    struct frame *old[20];
    struct frame *frames[40];
    struct vm_cursor cursor;

    host_hart_set(1);
    vm_space_activate(world.space);
    host_hart_set(0);
    frames_new(old, 20);
    frames_new(frames, 40);
    for (unsigned i = 0; i < 20; i++) { /* every other page, over the end of a table */
        map_at(&world, BASE - 20 * PAGE_SIZE + 2 * i * PAGE_SIZE, old[i], VM_R);
    }
    cursor = cursor_open(&world, BASE - 20 * PAGE_SIZE, 40 * PAGE_SIZE, VM_CURSOR_CHANGE);
    host_events_start();
    EXPECT_OK(vm_cursor_map_frames(&cursor, frames, 40, prop(VM_RW), VM_MAP_REPLACE));
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE + 20 * PAGE_SIZE);
    vm_cursor_close(&cursor);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_REMOTE), 1);
    for (unsigned i = 0; i < 40; i++) {
        expect_mapped(&world, BASE - 20 * PAGE_SIZE + i * PAGE_SIZE, frames[i], VM_RW);
        EXPECT_EQ(i < 20 ? frame_refs(old[i]) : 0, 0);
    }
    host_hart_set(1);
    vm_space_activate(NULL);
    host_hart_set(0);
    world_end(&world);
}

MODE_TEST(vm_cursor_map, several_are_mapped_all_or_none)
{
    struct world world = world_begin(*levels);
    struct frame *old = frame_new();
    struct frame *frames[4];
    struct vm_cursor cursor;

    frames_new(frames, 4);
    map_at(&world, BASE - PAGE_SIZE, old, VM_R);
    cursor = cursor_open(&world, BASE - 4 * PAGE_SIZE, GIB, VM_CURSOR_CHANGE);
    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE - 2 * PAGE_SIZE)));
    EXPECT_STATUS(vm_cursor_map_frames(&cursor, frames, 4, prop(VM_RW), VM_MAP_EXCLUSIVE),
                  ERR_EXIST);
    frame_fail_after(0); /* the second table */
    EXPECT_STATUS(vm_cursor_map_frames(&cursor, frames, 4, prop(VM_RW), VM_MAP_REPLACE), ERR_NOMEM);
    frame_fail_after(UINT64_MAX);
    EXPECT_STATUS(vm_cursor_map_frames(&cursor, frames, 0, prop(VM_RW), VM_MAP_REPLACE), ERR_INVAL);
    EXPECT_STATUS(vm_cursor_map_frames(&cursor, frames, (UINT64_MAX / PAGE_SIZE) + 2, prop(VM_RW),
                                       VM_MAP_REPLACE),
                  ERR_RANGE);
    EXPECT_STATUS(vm_cursor_map_frames(&cursor, frames, 4, prop(VM_W), VM_MAP_REPLACE), ERR_INVAL);
    EXPECT_STATUS(
        vm_cursor_map_frames(&cursor, frames, GIB / PAGE_SIZE, prop(VM_R), VM_MAP_REPLACE),
        ERR_RANGE);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE - 2 * PAGE_SIZE);
    expect_mapped(&world, BASE - PAGE_SIZE, old, VM_R);
    EXPECT_OK(vm_cursor_map_frames(&cursor, frames, 4, prop(VM_RW), VM_MAP_REPLACE));
    vm_cursor_close(&cursor);
    for (unsigned i = 0; i < 4; i++) {
        expect_mapped(&world, BASE - 2 * PAGE_SIZE + i * PAGE_SIZE, frames[i], VM_RW);
    }
    world_end(&world);
}
