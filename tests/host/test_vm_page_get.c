/* SPDX-License-Identifier: MIT */
/*
 * Frames for those who copy between programs: what a page is given before somebody reads it or
 * stores to its frame behind the entry's back.
 */
#include "lib/counter.h"
#include "mm/vm_fault.h"
#include "support_touch.h"

static status_t page_get(const struct world *world, uint64_t at, enum vm_page_use use,
                         struct frame **frame)
{
    enum vm_prot prot;
    status_t status = vm_space_page_get(world->space, va(at), use, &prot, frame);

    EXPECT_EQ(status != OK || prot == pte_prot(entry_at(world, at)), true);
    return status;
}

MODE_TEST(vm_page_get, a_reserved_page_gets_a_frame)
{
    struct world world = world_with_a_table(*levels);
    struct frame *frame;

    reserve(&world, BASE, VM_R);
    reserve(&world, BASE + PAGE_SIZE, VM_R);
    EXPECT_OK(page_get(&world, BASE + 5, VM_PAGE_READ, &frame));
    cr_assert(frame == frame_zero());
    frame_put(frame);
    EXPECT_OK(page_get(&world, BASE + PAGE_SIZE + 5, VM_PAGE_FILL, &frame));
    cr_assert(frame != frame_zero());
    EXPECT_EQ(frame_refs(frame), 2);
    expect_mapped(&world, BASE + PAGE_SIZE, frame, VM_R);
    frame_put(frame);
    world_end(&world);
}

/* The frame of zeroes is everybody's: who fills a page that shares it must never store there. */
MODE_TEST(vm_page_get, the_frame_of_zeroes_is_never_filled)
{
    static const enum vm_prot prots[] = {VM_R, VM_RX, VM_RW};
    struct world world = world_with_a_table(*levels);
    struct frame *frame;

    another_hart_runs(&world);
    for (size_t i = 0; i < ARRAY_LEN(prots); i++) {
        uint64_t at = BASE + i * PAGE_SIZE;

        reserve(&world, at, prots[i]);
        EXPECT_EQ(vm_space_fault(world.space, va(at), VM_ACCESS_READ), VM_FAULT_RETRY);
        host_events_start();
        EXPECT_OK(page_get(&world, at, VM_PAGE_FILL, &frame));
        EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_REMOTE), 1);
        cr_assert(frame != frame_zero());
        memset(frame_bytes(frame), 0x5a, PAGE_SIZE);
        expect_mapped(&world, at, frame, prots[i]);
        frame_put(frame);
        /* From now on it is the page's own. */
        host_events_start();
        EXPECT_OK(page_get(&world, at, VM_PAGE_FILL, &frame));
        EXPECT_EQ(host_event_count_of(HOST_EVENT_SLOT), 0);
        expect_mapped(&world, at, frame, prots[i]);
        frame_put(frame);
    }
    cr_assert(holds(frame_zero(), 0));
    EXPECT_EQ(frame_refs(frame_zero()), 1);
    another_hart_leaves();
    world_end(&world);
}

/* A page that the program may store to has a frame of its own, whoever holds another reference. */
MODE_TEST(vm_page_get, a_writable_page_keeps_its_frame)
{
    struct world world = world_with_a_table(*levels);
    struct frame *first;
    struct frame *second;

    reserve(&world, BASE, VM_RW);
    EXPECT_OK(page_get(&world, BASE, VM_PAGE_FILL, &first));
    EXPECT_OK(page_get(&world, BASE, VM_PAGE_FILL, &second));
    cr_assert(first == second);
    EXPECT_EQ(frame_refs(first), 3);
    frame_put(first);
    frame_put(second);
    world_end(&world);
}

MODE_TEST(vm_page_get, what_cannot_be_used_is_refused)
{
    struct world world = world_with_a_table(*levels);
    struct frame *const untouched = frame_zero();
    struct frame *frame = untouched;
    struct io_mem *io;
    struct vm_cursor cursor;
    uint64_t mapped;

    EXPECT_STATUS(page_get(&world, BASE, VM_PAGE_FILL, &frame), ERR_FAULT);
    reserve(&world, BASE, VM_PROT_NONE);
    EXPECT_STATUS(page_get(&world, BASE, VM_PAGE_FILL, &frame), ERR_FAULT);
    EXPECT_STATUS(page_get(&world, BASE, VM_PAGE_READ, &frame), ERR_FAULT);
    put_mark(&world, BASE + PAGE_SIZE, (struct pte_mark){.kind = PTE_MARK_GUARD});
    EXPECT_STATUS(page_get(&world, BASE + PAGE_SIZE, VM_PAGE_FILL, &frame), ERR_FAULT);
    reserve(&world, BASE + 2 * PAGE_SIZE, VM_X);
    EXPECT_STATUS(page_get(&world, BASE + 2 * PAGE_SIZE, VM_PAGE_READ, &frame), ERR_FAULT);
    EXPECT_OK(io_mem_create(pa_span(DEVICE_BASE, PAGE_SIZE), "x", &io));
    cursor = cursor_open(&world, BASE + 3 * PAGE_SIZE, PAGE_SIZE, VM_CURSOR_CHANGE);
    EXPECT_OK(vm_cursor_map_iomem(&cursor, io, (struct vm_prop){VM_RW, VM_MEM_IO}, PAGE_SIZE, 0,
                                  VM_MAP_EXCLUSIVE, &mapped));
    vm_cursor_close(&cursor);
    EXPECT_STATUS(page_get(&world, BASE + 3 * PAGE_SIZE, VM_PAGE_READ, &frame), ERR_FAULT);
    EXPECT_STATUS(page_get(&world, BASE + 3 * PAGE_SIZE, VM_PAGE_FILL, &frame), ERR_FAULT);
    EXPECT_STATUS(vm_space_page_get(world.space, vm_space_user_limit(), VM_PAGE_READ,
                                    &(enum vm_prot){VM_PROT_NONE}, &frame),
                  ERR_RANGE);
    reserve(&world, BASE + 4 * PAGE_SIZE, VM_RW);
    frame_fail_after(0);
    EXPECT_STATUS(page_get(&world, BASE + 4 * PAGE_SIZE, VM_PAGE_FILL, &frame), ERR_NOMEM);
    cr_assert(frame == untouched);
    world_end(&world);
}
