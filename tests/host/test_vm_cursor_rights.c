/* SPDX-License-Identifier: MIT */
/*
 * Rights of a range in which not everything is a mapped page of one kind: bounds, devices, marks of
 * every level, and private pages, which are written once nobody else has their frames.
 */
#include "lib/counter.h"
#include "mm/vm_fault.h"
#include "support_rights.h"

#define BASE  (4 * GIB)
#define PAGES UINT64_C(700)
#define START (BASE + 300 * PAGE_SIZE)

/* ---- bounds ---- */

MODE_TEST(vm_cursor_rights, pages_and_marks_count_against_the_bound)
{
    struct world world = world_begin(*levels);
    struct vm_cursor cursor;
    uint64_t pages;

    fill_at(&world, START, 3, VM_RW);
    mark_at(&world, START + 3 * PAGE_SIZE, 3 * PAGE_SIZE,
            (struct vm_mark){.kind = VM_ITEM_RESERVED, .prot = VM_RW});
    mark_at(&world, START + 6 * PAGE_SIZE, 2 * PAGE_SIZE, (struct vm_mark){.kind = VM_ITEM_GUARD});
    fill_at(&world, START + 9 * PAGE_SIZE, 3, VM_RW);
    cursor = cursor_open(&world, START, PAGES * PAGE_SIZE, VM_CURSOR_EDIT);
    EXPECT_OK(vm_cursor_protect(&cursor, PAGES * PAGE_SIZE, VM_PROT_NONE, 5, &pages));
    EXPECT_EQ(pages, 3);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, START + 5 * PAGE_SIZE);
    EXPECT_OK(vm_cursor_protect(&cursor, (PAGES - 5) * PAGE_SIZE, VM_PROT_NONE, 1, &pages));
    EXPECT_EQ(pages, 0); /* a mark */
    EXPECT_EQ(vm_cursor_va(&cursor).raw, START + 6 * PAGE_SIZE);
    EXPECT_OK(vm_cursor_protect(&cursor, (PAGES - 6) * PAGE_SIZE, VM_PROT_NONE, 2, &pages));
    EXPECT_EQ(pages, 2); /* guards are not counted */
    EXPECT_EQ(vm_cursor_va(&cursor).raw, START + 11 * PAGE_SIZE);
    vm_cursor_close(&cursor);
    EXPECT_EQ(item_at(&world, START + 7 * PAGE_SIZE).kind, VM_ITEM_GUARD);
    EXPECT_EQ(item_at(&world, START + 10 * PAGE_SIZE).kind, VM_ITEM_HIDDEN);
    EXPECT_EQ(item_at(&world, START + 11 * PAGE_SIZE).kind, VM_ITEM_RAM);
    world_end(&world);
}

MODE_TEST(vm_cursor_rights, a_large_mark_counts_as_one_and_a_large_guard_as_none)
{
    struct world world = world_begin(*levels);
    struct vm_cursor cursor;
    uint64_t pages;

    mark_at(&world, BASE, 2 * MIB, (struct vm_mark){.kind = VM_ITEM_GUARD});
    mark_at(&world, BASE + 2 * MIB, 6 * MIB,
            (struct vm_mark){.kind = VM_ITEM_RESERVED, .prot = VM_RW});
    cursor = cursor_open(&world, BASE, 8 * MIB, VM_CURSOR_EDIT);
    EXPECT_OK(vm_cursor_protect(&cursor, 8 * MIB, VM_R, 2, &pages));
    EXPECT_EQ(pages, 0);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE + 6 * MIB);
    vm_cursor_close(&cursor);
    EXPECT_EQ(item_at(&world, BASE).kind, VM_ITEM_GUARD);
    EXPECT_EQ(item_at(&world, BASE + 6 * MIB - PAGE_SIZE).prop.prot, VM_R);
    EXPECT_EQ(item_at(&world, BASE + 6 * MIB).prop.prot, VM_RW);
    world_end(&world);
}

MODE_TEST(vm_cursor_rights, a_device_keeps_its_rights)
{
    struct world world = world_begin(*levels);
    struct vm_cursor cursor;
    struct io_mem *io;
    uint64_t mapped;
    uint64_t pages;

    EXPECT_OK(io_mem_create(pa_span(DEVICE_BASE, PAGE_SIZE), "x", &io));
    fill_at(&world, START, 1, VM_RW);
    cursor = cursor_open(&world, START, 2 * PAGE_SIZE, VM_CURSOR_CHANGE);
    EXPECT_OK(vm_cursor_jump(&cursor, va(START + PAGE_SIZE)));
    EXPECT_OK(
        vm_cursor_map_iomem(&cursor, io, prop(VM_RW), PAGE_SIZE, 0, VM_MAP_EXCLUSIVE, &mapped));
    EXPECT_OK(vm_cursor_jump(&cursor, va(START)));
    EXPECT_OK(vm_cursor_protect(&cursor, 2 * PAGE_SIZE, VM_PROT_NONE, 9, &pages));
    EXPECT_EQ(pages, 1);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, START + PAGE_SIZE);
    vm_cursor_close(&cursor);
    expect_mapped_pa(&world, START + PAGE_SIZE, DEVICE_BASE, VM_RW);
    world_end(&world);
}

/* ---- marks ---- */

MODE_TEST(vm_cursor_rights, marks_of_every_level_lose_their_rights_and_get_them_back)
{
    struct world world = world_begin(*levels);

    for (unsigned level = 0; level < *levels; level++) {
        uint64_t bytes = pte_level_bytes(level);
        uint64_t at = bytes < BASE ? BASE + bytes : bytes;

        mark_at(&world, at, bytes, (struct vm_mark){.kind = VM_ITEM_RESERVED, .prot = VM_RW});
        for (unsigned i = 0; i < 2; i++) {
            enum vm_prot prot = i == 0 ? VM_PROT_NONE : VM_RX;
            struct vm_item item;
            uint64_t stores = counter_read(COUNTER_entry_stores);

            host_events_start();
            EXPECT_EQ(protect_at(&world, at, bytes / PAGE_SIZE, prot), 0);
            EXPECT_EQ(flushes(), 0);
            EXPECT_EQ(counter_read(COUNTER_entry_stores) - stores, 1);
            item = item_at(&world, at + bytes - PAGE_SIZE);
            EXPECT_EQ(item.kind, VM_ITEM_RESERVED);
            EXPECT_EQ(item.prop.prot, prot);
            expect_absent(&world, at);
            world_check(&world);
        }
        (void)unmap_at(&world, at, bytes);
    }
    world_end(&world);
}

MODE_TEST(vm_cursor_rights, a_page_inside_a_large_mark_loses_its_rights_alone)
{
    struct world world = world_begin(*levels);
    uint64_t at = BASE + 77 * PAGE_SIZE;
    struct vm_cursor cursor;
    uint64_t pages = 77;

    mark_at(&world, BASE, GIB, (struct vm_mark){.kind = VM_ITEM_RESERVED, .prot = VM_RW});
    EXPECT_EQ(protect_at(&world, at, 2, VM_PROT_NONE), 0);
    for (uint64_t i = 0; i < 4; i++) {
        EXPECT_EQ(item_at(&world, at + (i - 1) * PAGE_SIZE).kind, VM_ITEM_RESERVED);
        EXPECT_EQ(item_at(&world, at + (i - 1) * PAGE_SIZE).prop.prot,
                  i == 1 || i == 2 ? VM_PROT_NONE : VM_RW);
    }
    EXPECT_EQ(item_at(&world, BASE + GIB - PAGE_SIZE).prop.prot, VM_RW);
    cursor = cursor_open(&world, at - PAGE_SIZE, 2 * PAGE_SIZE, VM_CURSOR_CHANGE);
    EXPECT_STATUS(vm_cursor_touch(&cursor, VM_ACCESS_READ), OK);
    EXPECT_OK(vm_cursor_jump(&cursor, va(at)));
    EXPECT_STATUS(vm_cursor_touch(&cursor, VM_ACCESS_READ), ERR_FAULT);
    vm_cursor_close(&cursor);
    cursor = cursor_open(&world, BASE + 4 * MIB, GIB / 2, VM_CURSOR_EDIT);
    EXPECT_STATUS(vm_cursor_protect(&cursor, PAGE_SIZE, VM_W, 1, &pages), ERR_INVAL);
    EXPECT_STATUS(vm_cursor_protect(&cursor, PAGE_SIZE, VM_R, 0, &pages), ERR_INVAL);
    EXPECT_EQ(pages, 77);
    vm_cursor_close(&cursor);
    EXPECT_EQ(protect_at(&world, BASE, GIB / PAGE_SIZE, VM_R), 1); /* what was touched is a page */
    EXPECT_EQ(item_at(&world, at).prop.prot, VM_R);
    world_end(&world);
}

/* No table, and none is put by: nothing changes. */
MODE_TEST(vm_cursor_rights, no_memory_to_split_a_mark_leaves_everything_as_it_was)
{
    struct world world = world_begin(*levels);
    status_t status = ERR_NOMEM;
    struct frame *first = NULL;
    unsigned splits = 0;

    mark_at(&world, BASE, 64 * GIB, (struct vm_mark){.kind = VM_ITEM_RESERVED, .prot = VM_RW});
    fill_at(&world, BASE - PAGE_SIZE, 1, VM_RW);
    for (struct frame *frame; frame_alloc(FRAME_KERNEL, &frame) == OK; first = frame) {
        frame->link.next = first == NULL ? 0 : (uint32_t)(first - frame_of(pa(RAM_BASE))) + 1;
    }
    do {
        uint64_t at = BASE + splits * GIB - PAGE_SIZE;
        struct vm_cursor cursor = cursor_open(&world, at, GIB / 2, VM_CURSOR_EDIT);
        uint64_t pages = 77;

        status = vm_cursor_protect(&cursor, 2 * PAGE_SIZE, VM_R, 9, &pages);
        if (status != OK) {
            EXPECT_EQ(vm_cursor_va(&cursor).raw, at);
            EXPECT_EQ(pages, 77);
        }
        vm_cursor_close(&cursor);
        EXPECT_EQ(item_at(&world, at).prop.prot, status == OK ? VM_R : VM_RW);
        EXPECT_EQ(item_at(&world, at + PAGE_SIZE).prop.prot, status == OK ? VM_R : VM_RW);
        world_check(&world);
        splits++;
    } while (status == OK && splits < 60);
    EXPECT_STATUS(status, ERR_NOMEM);
    cr_assert(splits > 1, "what was put by splits one mark at least");
    while (first != NULL) {
        struct frame *frame = first;

        first = frame->link.next == 0 ? NULL : frame_of(pa(RAM_BASE)) + frame->link.next - 1;
        frame_put(frame);
    }
    world_end(&world);
}

/* ---- private pages ---- */

/* Who else has a frame is asked for each of many that lie side by side. */
MODE_TEST(vm_cursor_rights, a_private_page_whose_frame_others_have_waits_for_a_write)
{
    static const enum vm_prot before[] = {VM_R, VM_RX, VM_PROT_NONE};
    struct world world = world_begin(*levels);

    for (size_t i = 0; i < ARRAY_LEN(before); i++) {
        struct frame *frames[5];

        fill_at(&world, START, 5, VM_RW);
        (void)protect_at(&world, START, 5, before[i]);
        for (unsigned page = 0; page < 5; page++) {
            frames[page] = item_at(&world, START + page * PAGE_SIZE).frame;
        }
        frame_get(frames[2]);
        EXPECT_EQ(protect_at(&world, START, 5, VM_RW), 5);
        for (unsigned page = 0; page < 5; page++) {
            uint64_t at = START + page * PAGE_SIZE;

            EXPECT_EQ(item_at(&world, at).prop.prot, VM_RW);
            EXPECT_EQ(sw_at(&world, at), page == 2 ? PTE_SW_PENDING : PTE_SW_PRIVATE);
            expect_mapped(&world, at, frames[page], page == 2 ? VM_R : VM_RW);
        }
        frame_put(frames[2]);
        EXPECT_EQ(protect_at(&world, START, 5, VM_RW), 5);
        EXPECT_EQ(sw_at(&world, START + 2 * PAGE_SIZE), PTE_SW_PRIVATE);
        expect_mapped(&world, START + 2 * PAGE_SIZE, frames[2], VM_RW);
        (void)unmap_at(&world, START, 5 * PAGE_SIZE);
    }
    world_end(&world);
}

/* W that hardware never granted is taken away without a flush. */
MODE_TEST(vm_cursor_rights, a_pending_write_is_forbidden_without_a_flush)
{
    struct world world = world_begin(*levels);
    struct frame *frame;

    fill_at(&world, START, 1, VM_R);
    frame = item_at(&world, START).frame;
    frame_get(frame);
    (void)protect_at(&world, START, 1, VM_RW);
    EXPECT_EQ(sw_at(&world, START), PTE_SW_PENDING);
    host_events_start();
    EXPECT_EQ(protect_at(&world, START, 1, VM_R), 1);
    EXPECT_EQ(flushes(), 0);
    EXPECT_EQ(sw_at(&world, START), PTE_SW_PRIVATE);
    EXPECT_EQ(item_at(&world, START).prop.prot, VM_R);
    (void)protect_at(&world, START, 1, VM_RW);
    (void)protect_at(&world, START, 1, VM_PROT_NONE);
    (void)protect_at(&world, START, 1, VM_R);
    EXPECT_EQ(sw_at(&world, START), PTE_SW_PRIVATE);
    frame_put(frame);
    world_end(&world);
}

/* Frames that were mapped by name are there for others too. */
MODE_TEST(vm_cursor_rights, a_page_that_is_shared_on_purpose_is_writable_at_once)
{
    struct world world = world_begin(*levels);
    struct frame *frame = frame_new();

    frame_get(frame);
    map_at(&world, START, frame, VM_R);
    map_at(&world, START + PAGE_SIZE, frame, VM_R);
    EXPECT_EQ(protect_at(&world, START, 2, VM_RW), 2);
    expect_mapped(&world, START, frame, VM_RW);
    expect_mapped(&world, START + PAGE_SIZE, frame, VM_RW);
    (void)protect_at(&world, START, 2, VM_PROT_NONE);
    (void)protect_at(&world, START, 2, VM_RW);
    EXPECT_EQ(sw_at(&world, START), PTE_SW_RAM);
    expect_mapped(&world, START + PAGE_SIZE, frame, VM_RW);
    world_end(&world);
}

/* The frame of zeroes is never anybody's alone. */
MODE_TEST(vm_cursor_rights, zeroes_that_were_read_become_writable_by_a_write)
{
    struct world world = world_begin(*levels);
    struct vm_cursor cursor;

    mark_at(&world, START, PAGE_SIZE, (struct vm_mark){.kind = VM_ITEM_RESERVED, .prot = VM_R});
    cursor = cursor_open(&world, START, PAGE_SIZE, VM_CURSOR_CHANGE);
    EXPECT_OK(vm_cursor_touch(&cursor, VM_ACCESS_READ));
    vm_cursor_close(&cursor);
    EXPECT_EQ(protect_at(&world, START, 1, VM_RW), 1);
    expect_mapped(&world, START, frame_zero(), VM_R);
    EXPECT_EQ(item_at(&world, START).prop.prot, VM_RW);
    (void)protect_at(&world, START, 1, VM_PROT_NONE);
    (void)protect_at(&world, START, 1, VM_RW);
    expect_mapped(&world, START, frame_zero(), VM_R);
    EXPECT_EQ(vm_space_fault(world.space, va(START), VM_ACCESS_WRITE), VM_FAULT_RETRY);
    cr_assert(item_at(&world, START).frame != frame_zero());
    expect_mapped(&world, START, item_at(&world, START).frame, VM_RW);
    world_end(&world);
}
