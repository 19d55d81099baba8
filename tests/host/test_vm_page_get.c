/* SPDX-License-Identifier: MIT */
/*
 * Frames for those who copy between programs: what a page is given before somebody reads it behind
 * the entry's back.
 */
#include "arch/pte_mark.h"
#include "lib/counter.h"
#include "mm/vm_fault.h"
#include "support_mark.h"
#include "support_touch.h"

static status_t page_get(const struct world *world, uint64_t at, struct frame **frame)
{
    struct vm_page page = {.frame = *frame};
    status_t status = vm_space_page_get(world->space, va(at), &page);

    *frame = page.frame;
    return status;
}

MODE_TEST(vm_page_get, a_reserved_page_gets_a_frame)
{
    struct world world = world_with_a_table(*levels);
    struct frame *frame = NULL;

    reserve(&world, BASE, VM_R);
    EXPECT_OK(page_get(&world, BASE + 5, &frame));
    cr_assert(frame == frame_zero());
    expect_mapped(&world, BASE, frame, VM_R);
    frame_put(frame);
    world_end(&world);
}

/* Whose the page is comes with it, and it is not made the space's own by being read. */
MODE_TEST(vm_page_get, it_says_whose_the_page_is)
{
    struct world world = world_with_a_table(*levels);
    struct frame *shared = frame_new();
    struct vm_page page;

    frame_get(shared);
    map_at(&world, BASE, shared, VM_RW);
    EXPECT_OK(vm_space_page_get(world.space, va(BASE + 8), &page));
    EXPECT_EQ(page.sw, PTE_SW_RAM);
    cr_assert(page.frame == shared);
    EXPECT_EQ(frame_refs(shared), 3);
    frame_put(page.frame);
    reserve(&world, BASE + PAGE_SIZE, VM_RW);
    EXPECT_OK(vm_space_page_get(world.space, va(BASE + PAGE_SIZE), &page));
    EXPECT_EQ(page.sw, PTE_SW_PENDING);
    frame_put(page.frame);
    EXPECT_EQ(vm_space_fault(world.space, va(BASE + PAGE_SIZE), VM_ACCESS_WRITE), VM_FAULT_RETRY);
    EXPECT_OK(vm_space_page_get(world.space, va(BASE + PAGE_SIZE), &page));
    EXPECT_EQ(page.sw, PTE_SW_PRIVATE);
    cr_assert(page.frame != frame_zero());
    frame_put(page.frame);
    frame_put(shared);
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

    EXPECT_STATUS(page_get(&world, BASE, &frame), ERR_FAULT);
    reserve(&world, BASE, VM_PROT_NONE);
    EXPECT_STATUS(page_get(&world, BASE, &frame), ERR_FAULT);
    put_mark(&world, BASE + PAGE_SIZE, (struct pte_mark){.kind = PTE_MARK_GUARD});
    EXPECT_STATUS(page_get(&world, BASE + PAGE_SIZE, &frame), ERR_FAULT);
    reserve(&world, BASE + 2 * PAGE_SIZE, VM_X);
    EXPECT_STATUS(page_get(&world, BASE + 2 * PAGE_SIZE, &frame), ERR_FAULT);
    EXPECT_OK(io_mem_create(pa_span(DEVICE_BASE, PAGE_SIZE), "x", &io));
    cursor = cursor_open(&world, BASE + 3 * PAGE_SIZE, PAGE_SIZE, VM_CURSOR_CHANGE);
    EXPECT_OK(vm_cursor_map_iomem(&cursor, io, (struct vm_prop){VM_RW, VM_MEM_IO}, PAGE_SIZE, 0,
                                  VM_MAP_EXCLUSIVE, &mapped));
    vm_cursor_close(&cursor);
    EXPECT_STATUS(page_get(&world, BASE + 3 * PAGE_SIZE, &frame), ERR_FAULT);
    EXPECT_STATUS(page_get(&world, vm_space_user_limit().raw, &frame), ERR_RANGE);
    mark_at(&world, GIB, 2 * MIB, RESERVED_RW);
    frame_fail_after(0);
    EXPECT_STATUS(page_get(&world, GIB, &frame), ERR_NOMEM);
    cr_assert(frame == untouched);
    world_end(&world);
}
