/* SPDX-License-Identifier: MIT */
/*
 * Pages without rights: they keep their frames and what hardware saw of them, and none is lost,
 * however they go.
 */
#include "support_rights.h"

#include "machine/oracle.h"
#include "mm/vm_fault.h"

#define BASE  (4 * GIB)
#define PAGES UINT64_C(700) /* the end of one table and the beginning of the next */
#define START (BASE + 300 * PAGE_SIZE)

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

/* ---- hiding and back ---- */

MODE_TEST(vm_cursor_hide, hiding_owes_one_flush_and_coming_back_none)
{
    struct world world = world_begin(*levels);
    struct frame *frame;

    run_on(&world, 1);
    fill_at(&world, START, PAGES, VM_RW);
    frame = item_at(&world, START + 699 * PAGE_SIZE).frame;
    ((uint64_t *)frame_bytes(frame))[7] = 42;
    cr_assert(hart_may(1, START + 699 * PAGE_SIZE, ORACLE_WRITE, NULL));
    host_events_start();
    EXPECT_EQ(protect_at(&world, START, PAGES, VM_PROT_NONE), PAGES);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_LOCAL), 1);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_REMOTE), 1);
    world_check(&world);
    for (uint64_t i = 0; i < PAGES; i++) {
        expect_absent(&world, START + i * PAGE_SIZE);
        cr_assert(!hart_may(1, START + i * PAGE_SIZE, ORACLE_READ, NULL));
        EXPECT_EQ(item_at(&world, START + i * PAGE_SIZE).kind, VM_ITEM_HIDDEN);
    }
    host_events_start();
    EXPECT_EQ(protect_at(&world, START, PAGES, VM_PROT_NONE), PAGES); /* as it was */
    EXPECT_EQ(protect_at(&world, START, PAGES, VM_R), PAGES);
    EXPECT_EQ(flushes(), 0);
    expect_mapped(&world, START + 699 * PAGE_SIZE, frame, VM_R);
    EXPECT_EQ(((uint64_t *)frame_bytes(frame))[7], 42);
    leave(1);
    world_end(&world);
}

MODE_TEST(vm_cursor_hide, hidden_pages_keep_frame_accessed_and_dirty)
{
    static const uint64_t seen[] = {0, PTE_A, PTE_A | PTE_D};
    struct world world = world_begin(*levels);

    for (size_t i = 0; i < ARRAY_LEN(seen); i++) {
        uint64_t at = START + i * PAGE_SIZE;
        struct frame *frame = frame_new();
        struct vm_item item;

        map_at(&world, at, frame, VM_RW);
        *entry_at(&world, at) &= ~(PTE_A | PTE_D); /* as on a machine that sets them itself */
        *entry_at(&world, at) |= seen[i];
        EXPECT_EQ(protect_at(&world, at, 1, VM_PROT_NONE), 1);
        item = item_at(&world, at);
        cr_assert(item.kind == VM_ITEM_HIDDEN && item.frame == frame);
        EXPECT_EQ(item.pa.raw, frame_pa(frame).raw);
        EXPECT_EQ(item.prop.prot, VM_PROT_NONE);
        EXPECT_EQ(item.accessed, (seen[i] & PTE_A) != 0);
        EXPECT_EQ(item.dirty, (seen[i] & PTE_D) != 0);
        EXPECT_EQ(frame_refs(frame), 1);
        EXPECT_EQ(protect_at(&world, at, 1, VM_RX), 1);
        EXPECT_EQ(item_at(&world, at).dirty, (seen[i] & PTE_D) != 0);
        expect_mapped(&world, at, frame, VM_RX);
    }
    world_end(&world);
}

static uint64_t stored_to; /* the slot of a page that is stored to just before its entry changes */

static void store_before(const struct oracle_step *step)
{
    if (step->kind == ORACLE_SLOT_STORE && step->place == stored_to) {
        *(uint64_t *)phys_mem_pointer(stored_to) |= PTE_A | PTE_D;
        stored_to = 0;
    }
}

MODE_TEST(vm_cursor_hide, what_hardware_sets_at_the_last_moment_is_kept)
{
    static const enum vm_prot to[] = {VM_PROT_NONE, VM_R, VM_RX};
    struct world world = world_begin(*levels);

    for (size_t i = 0; i < ARRAY_LEN(to); i++) {
        for (unsigned page = 0; page < 3; page++) { /* the first of those alike, and others */
            fill_at(&world, START, 3, VM_RW);
            for (unsigned any = 0; any < 3; any++) {
                *entry_at(&world, START + any * PAGE_SIZE) &= ~(PTE_A | PTE_D);
            }
            stored_to = phys_mem_address(entry_at(&world, START + page * PAGE_SIZE));
            oracle_drive(&(struct oracle_driver){.before = store_before});
            EXPECT_EQ(protect_at(&world, START, 3, to[i]), 3);
            oracle_drive(NULL);
            EXPECT_EQ(stored_to, 0);
            for (unsigned any = 0; any < 3; any++) {
                EXPECT_EQ(item_at(&world, START + any * PAGE_SIZE).dirty, any == page);
            }
            (void)unmap_at(&world, START, 3 * PAGE_SIZE);
        }
    }
    world_end(&world);
}

MODE_TEST(vm_cursor_hide, what_comes_back_executable_is_so)
{
    struct world world = world_begin(*levels);

    fill_at(&world, START, 2, VM_RW);
    host_events_start();
    (void)protect_at(&world, START, 2, VM_PROT_NONE);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_CODE_LOCAL), 0);
    (void)protect_at(&world, START, 2, VM_RX);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_CODE_LOCAL), 1);
    world_end(&world);
}

MODE_TEST(vm_cursor_hide, a_hidden_page_is_there_for_all_but_accesses)
{
    struct world world = world_begin(*levels);
    struct frame *frame;
    struct frame *other = frame_new();
    struct vm_cursor cursor;
    struct va_range changed;

    fill_at(&world, START, 1, VM_RW);
    frame = item_at(&world, START).frame;
    (void)protect_at(&world, START, 1, VM_PROT_NONE);
    EXPECT_EQ(vm_space_fault(world.space, va(START), VM_ACCESS_READ), VM_FAULT_BAD);
    cursor = cursor_open(&world, START, PAGE_SIZE, VM_CURSOR_CHANGE);
    EXPECT_STATUS(vm_cursor_fill(&cursor, PAGE_SIZE, prop(VM_RW)), ERR_EXIST);
    EXPECT_STATUS(vm_cursor_map(&cursor, other, prop(VM_RW), VM_MAP_EXCLUSIVE), ERR_EXIST);
    EXPECT_STATUS(vm_cursor_touch(&cursor, VM_ACCESS_WRITE), ERR_FAULT);
    EXPECT_STATUS(vm_cursor_protect_next(&cursor, PAGE_SIZE, NULL, NULL, &changed), ERR_NOENT);
    vm_cursor_close(&cursor);
    cr_assert(item_at(&world, START).frame == frame);
    host_events_start();
    map_at(&world, START, other, VM_RW); /* nothing is remembered of what it replaces */
    EXPECT_EQ(flushes(), 0);
    EXPECT_EQ(frame_refs(frame), 0);
    expect_mapped(&world, START, other, VM_RW);
    world_end(&world);
}

/* ---- removing what is hidden ---- */

MODE_TEST(vm_cursor_hide, hidden_pages_are_removed_without_a_flush)
{
    struct world world = world_begin(*levels);
    uint64_t free_before;

    fill_at(&world, START, 8, VM_RW);
    (void)protect_at(&world, START, 8, VM_PROT_NONE);
    free_before = frame_free_count();
    host_events_start();
    EXPECT_EQ(unmap_at(&world, START, 4 * PAGE_SIZE).ram_pages, 4);
    EXPECT_EQ(flushes(), 0);
    EXPECT_EQ(frame_free_count(), free_before + 4);
    world_check(&world);
    map_at(&world, START + 8 * PAGE_SIZE, frame_new(), VM_RW);
    host_events_start();
    EXPECT_EQ(unmap_at(&world, START, 16 * PAGE_SIZE).ram_pages, 5); /* one of them is mapped */
    EXPECT_EQ(flushes(), 1);
    EXPECT_EQ(frame_free_count(), free_before + 8);
    world_end(&world);
}

struct flush_watch {
    struct frame *frame;
    unsigned flushes;
};

static void on_flush(void *context, struct tlb_op op)
{
    struct flush_watch *watch = context;

    (void)op;
    watch->flushes++;
    EXPECT_EQ(frame_refs(watch->frame), 1);
}

/* The flush that hiding owes is that of the frame. */
MODE_TEST(vm_cursor_hide, hidden_and_removed_at_once_waits_for_the_flush)
{
    struct world world = world_begin(*levels);
    struct flush_watch watch = {.frame = frame_new()};
    struct vm_cursor cursor;
    struct vm_removed removed;
    uint64_t pages;

    map_at(&world, START, watch.frame, VM_RW);
    cr_assert(hart_may(0, START, ORACLE_WRITE, NULL));
    cursor = cursor_open(&world, START, PAGE_SIZE, VM_CURSOR_EDIT);
    EXPECT_OK(vm_cursor_protect(&cursor, PAGE_SIZE, VM_PROT_NONE, 1, &pages));
    EXPECT_OK(vm_cursor_jump(&cursor, va(START)));
    EXPECT_OK(vm_cursor_unmap(&cursor, PAGE_SIZE, &removed));
    host_on_flush(on_flush, &watch);
    vm_cursor_close(&cursor);
    host_on_flush(NULL, NULL);
    EXPECT_EQ(watch.flushes, 1);
    EXPECT_EQ(frame_refs(watch.frame), 0);
    world_end(&world);
}

/* More pages than the cursor releases itself, and more than a piece of the reaper. */
MODE_TEST(vm_cursor_hide, detached_tables_lose_no_hidden_frame)
{
    struct world world = world_begin(*levels);

    fill_at(&world, BASE, 3 * PTE_ENTRIES, VM_RW);
    (void)protect_at(&world, BASE + PAGE_SIZE, 3 * PTE_ENTRIES - 2, VM_PROT_NONE);
    EXPECT_EQ(unmap_at(&world, BASE, 6 * MIB).ram_pages, 3 * PTE_ENTRIES);
    world_check(&world);
    reap_all();
    fill_at(&world, BASE, 2, VM_RW); /* and few enough to go at once */
    (void)protect_at(&world, BASE, 1, VM_PROT_NONE);
    EXPECT_EQ(unmap_at(&world, BASE, 2 * MIB).ram_pages, 2);
    world_end(&world);
}

MODE_TEST(vm_cursor_hide, a_dead_space_loses_no_hidden_frame)
{
    struct world world = world_begin(*levels);

    fill_at(&world, START, PAGES, VM_RW);
    (void)protect_at(&world, START + 5 * PAGE_SIZE, PAGES - 9, VM_PROT_NONE);
    mark_at(&world, BASE + GIB, GIB, (struct vm_mark){.kind = VM_ITEM_RESERVED, .prot = VM_RW});
    world_end(&world);
}
