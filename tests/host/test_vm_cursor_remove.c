/* SPDX-License-Identifier: MIT */
/*
 * Unmapping: counts, positions, whole tables, and that it cannot fail.  Protecting: one leaf at a
 * time, with what hardware saw kept.
 */
#include "arch_host/phys_mem.h"
#include "support.h"

#define BASE (4 * GIB)

MODE_TEST(vm_cursor_remove, unmap_counts_and_stops_exactly_at_the_end)
{
    struct world world = world_begin(*levels);
    uint64_t free_before = frame_free_count();
    struct vm_cursor cursor;
    struct vm_removed removed = {7, 7};

    for (unsigned i = 0; i < 10; i++) {
        map_at(&world, BASE + i * 2 * PAGE_SIZE, frame_new(), VM_RW);
    }
    cursor = cursor_open(&world, BASE, 32 * PAGE_SIZE, VM_CURSOR_CHANGE);
    EXPECT_OK(vm_cursor_unmap(&cursor, 0, &removed));
    EXPECT_EQ(removed.ram_pages + removed.io_pages, 0);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE);
    EXPECT_OK(vm_cursor_unmap(&cursor, 5 * PAGE_SIZE, &removed)); /* pages 0, 2, 4 */
    EXPECT_EQ(removed.ram_pages, 3);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE + 5 * PAGE_SIZE);
    EXPECT_OK(vm_cursor_unmap(&cursor, PAGE_SIZE, &removed)); /* absent */
    EXPECT_EQ(removed.ram_pages, 0);
    EXPECT_OK(vm_cursor_unmap(&cursor, 26 * PAGE_SIZE, &removed));
    EXPECT_EQ(removed.ram_pages, 7);
    EXPECT_EQ(removed.io_pages, 0);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE + 32 * PAGE_SIZE);
    EXPECT_OK(vm_cursor_unmap(&cursor, 0, &removed)); /* at E */
    vm_cursor_close(&cursor);
    for (unsigned i = 0; i < 32; i++) {
        expect_absent(&world, BASE + i * PAGE_SIZE);
    }
    cr_assert(frame_free_count() <= free_before);
    world_end(&world);
}

MODE_TEST(vm_cursor_remove, unmap_leaves_the_neighbours)
{
    struct world world = world_begin(*levels);
    struct frame *frames[5];

    for (uint64_t i = 0; i < 5; i++) {
        frames[i] = frame_new();
        map_at(&world, BASE + (i - 2) * PAGE_SIZE, frames[i], VM_RW);
    }
    EXPECT_EQ(unmap_at(&world, BASE - PAGE_SIZE, 3 * PAGE_SIZE).ram_pages, 3);
    expect_mapped(&world, BASE - 2 * PAGE_SIZE, frames[0], VM_RW);
    expect_mapped(&world, BASE + 2 * PAGE_SIZE, frames[4], VM_RW);
    expect_absent(&world, BASE - PAGE_SIZE);
    expect_absent(&world, BASE);
    expect_absent(&world, BASE + PAGE_SIZE);
    world_check(&world);
    world_end(&world);
}

/* Whole tables go with their pages, and the count is the same as page by page. */
MODE_TEST(vm_cursor_remove, whole_tables_are_detached_and_freed)
{
    struct world world = world_begin(*levels);
    uint64_t free_before;

    map_at(&world, BASE + 2 * GIB, frame_new(), VM_R); /* keeps the upper tables */
    free_before = frame_free_count();
    for (unsigned i = 0; i < 6; i++) {
        map_at(&world, BASE + i * 400 * MIB, frame_new(), VM_RW);
        map_at(&world, BASE + i * 400 * MIB + PAGE_SIZE, frame_new(), VM_RW);
    }
    cr_assert(frame_free_count() < free_before - 12);
    EXPECT_EQ(unmap_at(&world, BASE, 2 * GIB).ram_pages, 12);
    EXPECT_EQ(unmap_at(&world, BASE, 2 * GIB).ram_pages, 0);
    reap_all();
    EXPECT_EQ(frame_free_count(), free_before);
    expect_absent(&world, BASE);
    world_end(&world);
}

MODE_TEST(vm_cursor_remove, unmapping_everything_leaves_the_root_alone)
{
    struct world world = world_begin(*levels);
    uint64_t limit = vm_space_user_limit().raw;
    uint64_t free_before = frame_free_count();

    map_at(&world, 0, frame_new(), VM_R);
    map_at(&world, BASE, frame_new(), VM_R);
    map_at(&world, limit - PAGE_SIZE, frame_new(), VM_R);
    EXPECT_EQ(unmap_at(&world, 0, limit).ram_pages, 3);
    reap_all();
    EXPECT_EQ(frame_free_count(), free_before);
    map_at(&world, BASE, frame_new(), VM_R); /* and it is of use again */
    world_end(&world);
}

MODE_TEST(vm_cursor_remove, unmap_cannot_fail_for_memory)
{
    struct world world = world_begin(*levels);
    struct frame *list = NULL;
    struct frame *frame;

    for (unsigned i = 0; i < 40; i++) {
        map_at(&world, BASE + i * (MIB + PAGE_SIZE), frame_new(), VM_RW);
    }
    while (frame_alloc(FRAME_KERNEL, &frame) == OK) { /* takes all there is, linked in the pages */
        *(struct frame **)frame_bytes(frame) = list;
        list = frame;
    }
    EXPECT_EQ(frame_free_count(), 0);
    EXPECT_EQ(unmap_at(&world, BASE + 10 * MIB, 7 * MIB + PAGE_SIZE).ram_pages, 7);
    EXPECT_EQ(unmap_at(&world, 0, vm_space_user_limit().raw).ram_pages, 33);
    while (list != NULL) {
        frame = list;
        list = *(struct frame **)frame_bytes(frame);
        frame_put(frame);
    }
    world_end(&world);
}

MODE_TEST(vm_cursor_remove, what_was_unmapped_can_be_mapped_by_the_same_cursor)
{
    struct world world = world_begin(*levels);
    struct vm_cursor cursor = cursor_open(&world, BASE, 4 * GIB, VM_CURSOR_CHANGE);
    struct vm_removed removed;
    struct frame *last = NULL;

    for (unsigned round = 0; round < 5; round++) {
        EXPECT_OK(vm_cursor_jump(&cursor, va(BASE + GIB)));
        last = frame_new();
        EXPECT_OK(vm_cursor_map(&cursor, last, prop(VM_RW), VM_MAP_EXCLUSIVE));
        if (round < 4) {
            /* in turn a page, its table, the table above, everything */
            static const uint64_t bytes[] = {PAGE_SIZE, 2 * MIB, GIB, 3 * GIB};

            EXPECT_OK(vm_cursor_jump(&cursor, va(BASE + GIB)));
            EXPECT_OK(vm_cursor_unmap(&cursor, bytes[round], &removed));
            EXPECT_EQ(removed.ram_pages, 1);
        }
    }
    vm_cursor_close(&cursor);
    expect_mapped(&world, BASE + GIB, last, VM_RW);
    world_end(&world);
}

struct protect_log {
    unsigned calls;
    struct vm_rights seen;
    enum vm_prot set;
    enum vm_mem mem;
};

static void protect_op(struct vm_rights *rights, void *context)
{
    struct protect_log *log = context;

    log->calls++;
    log->seen = *rights;
    rights->prop.prot = log->set;
    rights->prop.mem = log->mem;
    rights->accessed = false; /* what hardware reported is not the op's to change */
    rights->dirty = false;
}

MODE_TEST(vm_cursor_remove, protect_changes_the_next_leaf_and_nothing_else)
{
    struct world world = world_begin(*levels);
    struct protect_log log = {.set = VM_R};
    struct frame *a = frame_new();
    struct frame *b = frame_new();
    struct va_range changed = {0};
    struct vm_cursor cursor;

    map_at(&world, BASE + 3 * PAGE_SIZE, a, VM_RW);
    map_at(&world, BASE + 4 * PAGE_SIZE, b, VM_RWX);
    cursor = cursor_open(&world, BASE, GIB, VM_CURSOR_CHANGE);
    EXPECT_OK(vm_cursor_protect_next(&cursor, GIB, protect_op, &log, &changed));
    EXPECT_EQ(log.calls, 1);
    EXPECT_EQ(log.seen.prop.prot, VM_RW);
    EXPECT_EQ(log.seen.prop.mem, VM_MEM_PMA);
    cr_assert(log.seen.accessed && log.seen.dirty);
    EXPECT_EQ(changed.start.raw, BASE + 3 * PAGE_SIZE);
    EXPECT_EQ(changed.end.raw, BASE + 4 * PAGE_SIZE);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE + 4 * PAGE_SIZE);
    EXPECT_STATUS(vm_cursor_protect_next(&cursor, 0, protect_op, &log, &changed), ERR_NOENT);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE + 4 * PAGE_SIZE);
    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE + 5 * PAGE_SIZE)));
    EXPECT_STATUS(vm_cursor_protect_next(&cursor, 9 * PAGE_SIZE, protect_op, &log, &changed),
                  ERR_NOENT);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE + 14 * PAGE_SIZE);
    EXPECT_EQ(log.calls, 1);
    vm_cursor_close(&cursor);
    expect_mapped(&world, BASE + 3 * PAGE_SIZE, a, VM_R);
    expect_mapped(&world, BASE + 4 * PAGE_SIZE, b, VM_RWX);
    world_end(&world);
}

MODE_TEST(vm_cursor_remove, protect_from_every_right_to_every_other)
{
    static const enum vm_prot prots[] = {VM_R, VM_X, VM_RW, VM_RX, VM_RWX};
    struct world world = world_begin(*levels);
    struct frame *frame = frame_new();

    frame_get(frame);
    for (size_t i = 0; i < ARRAY_LEN(prots) * ARRAY_LEN(prots); i++) {
        struct protect_log log = {.set = prots[i / ARRAY_LEN(prots)]};
        struct vm_cursor cursor;
        struct va_range changed;

        frame_get(frame);
        map_at(&world, BASE, frame, prots[i % ARRAY_LEN(prots)]);
        cursor = cursor_open(&world, BASE, PAGE_SIZE, VM_CURSOR_CHANGE);
        EXPECT_OK(vm_cursor_protect_next(&cursor, PAGE_SIZE, protect_op, &log, &changed));
        EXPECT_EQ(log.seen.prop.prot, prots[i % ARRAY_LEN(prots)]);
        vm_cursor_close(&cursor);
        expect_mapped(&world, BASE, frame, log.set);
        world_check(&world);
    }
    unmap_at(&world, BASE, PAGE_SIZE);
    frame_put(frame);
    frame_put(frame);
    world_end(&world);
}

MODE_TEST(vm_cursor_remove, protect_refuses_what_map_refuses)
{
    static const struct {
        enum vm_prot prot;
        enum vm_mem mem;
        status_t want;
    } rows[] = {
        {VM_PROT_NONE, VM_MEM_PMA, ERR_INVAL}, {VM_W, VM_MEM_PMA, ERR_INVAL},
        {VM_WX, VM_MEM_PMA, ERR_INVAL},        {(enum vm_prot)64, VM_MEM_PMA, ERR_INVAL},
        {VM_R, VM_MEM_NC, ERR_NOTSUP},         {VM_R, VM_MEM_IO, ERR_NOTSUP},
    };
    struct world world = world_begin(*levels);
    struct frame *frame = frame_new();
    struct vm_cursor cursor;

    map_at(&world, BASE, frame, VM_RX);
    cursor = cursor_open(&world, BASE, GIB, VM_CURSOR_CHANGE);
    host_events_start();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct protect_log log = {.set = rows[i].prot, .mem = rows[i].mem};
        struct va_range changed;

        EXPECT_STATUS(vm_cursor_protect_next(&cursor, GIB, protect_op, &log, &changed),
                      rows[i].want);
        expect_mapped(&world, BASE, frame, VM_RX);
    }
    EXPECT_EQ(host_event_count(), 0);
    vm_cursor_close(&cursor);
    world_end(&world);
}

/* A store by another hart, while the op decides: hardware sets A and D in the entry. */
static void protect_op_and_store(struct vm_rights *rights, void *context)
{
    uint64_t *entry = context;

    cr_assert(!rights->accessed && !rights->dirty);
    *entry |= PTE_A | PTE_D;
    rights->prop.prot = VM_R;
}

MODE_TEST(vm_cursor_remove, protect_keeps_what_hardware_sets_meanwhile)
{
    struct world world = world_begin(*levels);
    struct vm_cursor cursor;
    struct va_range changed;
    struct vm_slot slot;
    uint64_t *entry;

    map_at(&world, BASE, frame_new(), VM_RW);
    entry = phys_mem_pointer(walk_from(vm_space_root(world.space).raw, *levels, BASE).slots[0]);
    *entry &= ~(PTE_A | PTE_D); /* as on a machine that sets them itself */
    cursor = cursor_open(&world, BASE, PAGE_SIZE, VM_CURSOR_CHANGE);
    EXPECT_OK(vm_cursor_protect_next(&cursor, PAGE_SIZE, protect_op_and_store, entry, &changed));
    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE)));
    EXPECT_OK(vm_cursor_query(&cursor, &slot));
    cr_assert(slot.item.dirty, "the store is forgotten");
    EXPECT_EQ(slot.item.prop.prot, VM_R);
    vm_cursor_close(&cursor);
    world_end(&world);
}

/* A dirty page that loses W is still reported dirty. */
MODE_TEST(vm_cursor_remove, protect_keeps_what_hardware_saw)
{
    struct world world = world_begin(*levels);
    struct protect_log log = {.set = VM_R};
    struct vm_cursor cursor;
    struct va_range changed;
    struct vm_slot slot;

    map_at(&world, BASE, frame_new(), VM_RW);
    cursor = cursor_open(&world, BASE, PAGE_SIZE, VM_CURSOR_CHANGE);
    EXPECT_OK(vm_cursor_protect_next(&cursor, PAGE_SIZE, protect_op, &log, &changed));
    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE)));
    EXPECT_OK(vm_cursor_query(&cursor, &slot));
    cr_assert(slot.item.dirty && slot.item.accessed);
    EXPECT_EQ(slot.item.prop.prot, VM_R);
    vm_cursor_close(&cursor);
    world_end(&world);
}
