/* SPDX-License-Identifier: MIT */
/* Cursors: fresh frames for a range, rights for a range, and frames that go side by side. */
#include "support.h"

#define BASE  UINT64_C(0x40000000)
#define PAGES UINT64_C(700) /* the end of one table and the beginning of the next */
#define START (BASE + 300 * PAGE_SIZE)

/* Pages of RAM in the range, all of which must grant just that. */
static uint64_t count_pages(struct world *world, uint64_t start, uint64_t pages, enum vm_prot prot)
{
    struct vm_cursor cursor = cursor_open(world, start, pages * PAGE_SIZE, VM_CURSOR_QUERY);
    struct vm_slot slot;
    uint64_t count = 0;

    while (vm_cursor_next(&cursor, &slot) == OK) {
        if (slot.item.kind == VM_ITEM_RAM) {
            EXPECT_EQ(slot.item.prop.prot, prot);
            expect_mapped(world, slot.range.start.raw, slot.item.frame, prot);
            count++;
        }
    }
    vm_cursor_close(&cursor);
    return count;
}

static status_t fill_at(struct world *world, uint64_t start, uint64_t pages, uint64_t *end)
{
    struct vm_cursor cursor = cursor_open(world, start, pages * PAGE_SIZE, VM_CURSOR_CHANGE);
    status_t status = vm_cursor_fill(&cursor, pages * PAGE_SIZE, prop(VM_RW));

    *end = vm_cursor_va(&cursor).raw;
    vm_cursor_close(&cursor);
    return status;
}

static struct vm_cursor range_opened(struct world *world, enum vm_cursor_mode mode)
{
    return cursor_open(world, START, PAGES * PAGE_SIZE, mode);
}

MODE_TEST(vm_cursor_range, fill_maps_zeroed_frames_across_tables)
{
    struct world world = world_begin(*levels);
    uint64_t end;
    uint64_t to;

    EXPECT_OK(fill_at(&world, START, PAGES, &end));
    EXPECT_EQ(end, START + PAGES * PAGE_SIZE);
    EXPECT_EQ(count_pages(&world, START, PAGES, VM_RW), PAGES);
    cr_assert(hart_may(0, START, ORACLE_READ, &to));
    for (unsigned i = 0; i < PAGE_SIZE / 8; i++) {
        EXPECT_EQ(((const uint64_t *)arch_phys_to_virt(pa(to)))[i], 0);
    }
    EXPECT_EQ(unmap_at(&world, START, PAGES * PAGE_SIZE).ram_pages, PAGES);
    world_end(&world);
}

MODE_TEST(vm_cursor_range, fill_stops_at_the_first_occupied_page)
{
    struct world world = world_begin(*levels);
    struct frame *frame = frame_new();
    uint64_t end;

    map_at(&world, START + 5 * PAGE_SIZE, frame, VM_R);
    EXPECT_EQ(fill_at(&world, START, PAGES, &end), ERR_EXIST);
    EXPECT_EQ(end, START + 5 * PAGE_SIZE);
    EXPECT_EQ(count_pages(&world, START, 5, VM_RW), 5);
    expect_mapped(&world, START + 5 * PAGE_SIZE, frame, VM_R);
    expect_absent(&world, START + 6 * PAGE_SIZE);
    (void)unmap_at(&world, START, PAGES * PAGE_SIZE);
    world_end(&world);
}

MODE_TEST(vm_cursor_range, fill_keeps_what_it_has_mapped_when_memory_is_out)
{
    struct world world = world_begin(*levels);
    status_t status = ERR_NOMEM;

    for (uint64_t successes = 0; status == ERR_NOMEM; successes += successes < 90 ? 1 : 97) {
        struct vm_cursor cursor = range_opened(&world, VM_CURSOR_CHANGE);
        uint64_t pages;

        frame_fail_after(successes);
        status = vm_cursor_fill(&cursor, PAGES * PAGE_SIZE, prop(VM_RW));
        frame_fail_after(UINT64_MAX);
        pages = (vm_cursor_va(&cursor).raw - START) / PAGE_SIZE;
        vm_cursor_close(&cursor);
        cr_assert(status == OK ? pages == PAGES : status == ERR_NOMEM && pages <= successes);
        EXPECT_EQ(count_pages(&world, START, PAGES, VM_RW), pages);
        EXPECT_EQ(unmap_at(&world, START, PAGES * PAGE_SIZE).ram_pages, pages);
        world_check(&world);
    }
    EXPECT_OK(status);
    world_end(&world);
}

MODE_TEST(vm_cursor_range, fill_replaces_what_the_same_cursor_removed)
{
    struct world world = world_begin(*levels);
    struct vm_removed removed;
    uint64_t end;

    EXPECT_OK(fill_at(&world, START, PAGES, &end));
    struct vm_cursor cursor = range_opened(&world, VM_CURSOR_CHANGE);
    EXPECT_OK(vm_cursor_unmap(&cursor, PAGES * PAGE_SIZE, &removed));
    EXPECT_OK(vm_cursor_jump(&cursor, va(START)));
    EXPECT_OK(vm_cursor_fill(&cursor, PAGES * PAGE_SIZE, prop(VM_R)));
    vm_cursor_close(&cursor);
    EXPECT_EQ(count_pages(&world, START, PAGES, VM_R), PAGES);
    oracle_audit();
    world_end(&world);
}

MODE_TEST(vm_cursor_range, what_fill_refuses_changes_nothing)
{
    struct world world = world_begin(*levels);
    struct vm_cursor cursor = range_opened(&world, VM_CURSOR_CHANGE);

    EXPECT_EQ(vm_cursor_fill(&cursor, PAGE_SIZE, prop(VM_W)), ERR_INVAL);
    EXPECT_EQ(vm_cursor_fill(&cursor, PAGE_SIZE, (struct vm_prop){VM_RW, VM_MEM_IO}), ERR_NOTSUP);
    EXPECT_EQ(vm_cursor_fill(&cursor, 1, prop(VM_RW)), ERR_INVAL);
    EXPECT_EQ(vm_cursor_fill(&cursor, (PAGES + 1) * PAGE_SIZE, prop(VM_RW)), ERR_RANGE);
    EXPECT_OK(vm_cursor_fill(&cursor, 0, prop(VM_RW)));
    EXPECT_EQ(vm_cursor_va(&cursor).raw, START);
    vm_cursor_close(&cursor);
    cursor = range_opened(&world, VM_CURSOR_EDIT);
    EXPECT_EQ(vm_cursor_fill(&cursor, PAGE_SIZE, prop(VM_RW)), ERR_ACCES);
    vm_cursor_close(&cursor);
    EXPECT_EQ(count_pages(&world, START, PAGES, VM_RW), 0);
    world_end(&world);
}

/* Gives the range these rights, from its start on; the pages, and where it ended. */
static uint64_t protect_range(struct world *world, enum vm_prot prot, uint64_t max, uint64_t *end)
{
    struct vm_cursor cursor = range_opened(world, VM_CURSOR_EDIT);
    uint64_t pages;

    EXPECT_OK(vm_cursor_protect(&cursor, PAGES * PAGE_SIZE, prot, max, &pages));
    *end = vm_cursor_va(&cursor).raw;
    vm_cursor_close(&cursor);
    return pages;
}

MODE_TEST(vm_cursor_range, protect_changes_all_pages_and_flushes_once_if_it_takes)
{
    static const enum vm_prot steps[] = {VM_R, VM_RX, VM_RW, VM_RWX, VM_X, VM_RW};
    struct world world = world_begin(*levels);
    uint64_t end;

    EXPECT_OK(fill_at(&world, START, PAGES, &end));
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        bool takes = i == 0 || (steps[i - 1] & ~(unsigned)steps[i]) != 0;

        host_events_start();
        EXPECT_EQ(protect_range(&world, steps[i], UINT64_MAX, &end), PAGES);
        EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_LOCAL), takes ? 1 : 0);
        EXPECT_EQ(host_event_count_of(HOST_EVENT_CODE_LOCAL), (steps[i] & VM_X) != 0 ? 1 : 0);
        EXPECT_EQ(end, START + PAGES * PAGE_SIZE);
        EXPECT_EQ(count_pages(&world, START, PAGES, steps[i]), PAGES);
        oracle_audit();
    }
    world_end(&world);
}

MODE_TEST(vm_cursor_range, protect_stops_after_so_many_pages)
{
    struct world world = world_begin(*levels);
    uint64_t end;

    EXPECT_OK(fill_at(&world, START, PAGES, &end));
    (void)unmap_at(&world, START + 3 * PAGE_SIZE, 400 * PAGE_SIZE);
    EXPECT_EQ(protect_range(&world, VM_R, 3, &end), 3);
    EXPECT_EQ(end, START + 3 * PAGE_SIZE);
    EXPECT_EQ(count_pages(&world, START, 3, VM_R), 3);
    EXPECT_EQ(count_pages(&world, START + 3 * PAGE_SIZE, PAGES - 3, VM_RW), PAGES - 403);
    EXPECT_EQ(protect_range(&world, VM_R, UINT64_MAX, &end), PAGES - 400);
    EXPECT_EQ(count_pages(&world, START, PAGES, VM_R), PAGES - 400);
    world_end(&world);
}

MODE_TEST(vm_cursor_range, protect_leaves_device_pages_to_others)
{
    struct world world = world_begin(*levels);
    struct io_mem *io;
    uint64_t mapped;
    uint64_t end;

    EXPECT_OK(io_mem_create(pa_span(DEVICE_BASE, PAGE_SIZE), "x", &io));
    EXPECT_OK(fill_at(&world, START, 2, &end));
    struct vm_cursor cursor =
        cursor_open(&world, START + 2 * PAGE_SIZE, PAGE_SIZE, VM_CURSOR_CHANGE);
    EXPECT_OK(
        vm_cursor_map_iomem(&cursor, io, prop(VM_RW), PAGE_SIZE, 0, VM_MAP_EXCLUSIVE, &mapped));
    vm_cursor_close(&cursor);
    EXPECT_EQ(protect_range(&world, VM_R, UINT64_MAX, &end), 2);
    EXPECT_EQ(end, START + 2 * PAGE_SIZE);
    expect_mapped_pa(&world, START + 2 * PAGE_SIZE, DEVICE_BASE, VM_RW);
    world_end(&world);
}

MODE_TEST(vm_cursor_range, what_protect_refuses_changes_nothing)
{
    struct world world = world_begin(*levels);
    uint64_t pages = 77;
    uint64_t end;

    EXPECT_OK(fill_at(&world, START, 2, &end));
    struct vm_cursor cursor = range_opened(&world, VM_CURSOR_EDIT);
    EXPECT_EQ(vm_cursor_protect(&cursor, PAGE_SIZE, VM_W, 1, &pages), ERR_INVAL);
    EXPECT_EQ(vm_cursor_protect(&cursor, PAGE_SIZE, VM_R, 0, &pages), ERR_INVAL);
    EXPECT_EQ(vm_cursor_protect(&cursor, PAGE_SIZE + 1, VM_R, 1, &pages), ERR_INVAL);
    EXPECT_EQ(vm_cursor_protect(&cursor, (PAGES + 1) * PAGE_SIZE, VM_R, 1, &pages), ERR_RANGE);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, START);
    vm_cursor_close(&cursor);
    cursor = range_opened(&world, VM_CURSOR_QUERY);
    EXPECT_EQ(vm_cursor_protect(&cursor, PAGE_SIZE, VM_R, 1, &pages), ERR_ACCES);
    vm_cursor_close(&cursor);
    EXPECT_EQ(pages, 77);
    EXPECT_EQ(count_pages(&world, START, PAGES, VM_RW), 2);
    world_end(&world);
}

Test(vm_cursor_range, frames_that_go_together_leave_those_that_others_have)
{
    struct world world = world_begin(3);
    struct frame *frames[100];
    struct frame_run run = FRAME_RUN_NONE;
    uint64_t free_before = frame_free_count();

    EXPECT_EQ(frame_alloc_many(FRAME_USER, frames, ARRAY_LEN(frames)), ARRAY_LEN(frames));
    frame_get(frames[40]);
    for (size_t i = 0; i < ARRAY_LEN(frames); i++) {
        frame_run_put(&run, frame_pa(frames[i]));
    }
    frame_run_end(&run);
    EXPECT_EQ(frame_free_count(), free_before - 1);
    EXPECT_EQ(frame_refs(frames[40]), 1);
    EXPECT_OK(frame_check());
    frame_put(frames[40]);
    EXPECT_OK(frame_check());
    world_end(&world);
}

Test(vm_cursor_range, frames_that_came_free_last_are_there_for_large_blocks)
{
    struct world world = world_begin(3);
    struct frame *first = frame_new();
    uint64_t free_before;
    unsigned order = FRAME_ORDER_MAX;
    struct frame *block;

    frame_put(first); /* half a stack of single frames lies apart now */
    free_before = frame_free_count();
    while (frame_alloc_block(order, &block) != OK) {
        order--;
    }
    cr_assert(UINT64_C(2) << order > free_before / 2, "only 2^%u frames in one piece", order);
    for (uint64_t i = 0; i < UINT64_C(1) << order; i++) {
        frame_put(&block[i]);
    }
    EXPECT_EQ(frame_free_count(), free_before);
    world_end(&world);
}
