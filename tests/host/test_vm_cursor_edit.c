/* SPDX-License-Identifier: MIT */
/*
 * Cursors that take away and change rights: they allocate nothing, so they cannot fail for memory,
 * and they can be cut into steps of so many edits.
 */
#include "lib/counter.h"
#include "support.h"

#define BASE (4 * GIB)

static void make_read_only(struct vm_rights *rights, void *context)
{
    (void)context;
    rights->prop.prot = VM_R;
}

/* Pages at both ends of tables of several levels, alone and in numbers. */
static unsigned fill(struct world *world)
{
    static const uint64_t starts[] = {0, 2 * MIB - PAGE_SIZE, GIB, 4 * GIB - 3 * PAGE_SIZE};
    uint64_t last = vm_space_user_limit().raw - 5 * PAGE_SIZE;

    for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
        for (unsigned page = 0; page < 5; page++) {
            map_at(world, starts[i] + page * PAGE_SIZE, frame_new(), VM_RW);
        }
    }
    for (unsigned page = 0; page < 5; page++) {
        map_at(world, last + page * PAGE_SIZE, frame_new(), VM_RW);
    }
    return 25;
}

/* Every allocation fails, whatever is unmapped or protected, mapped or not. */
MODE_TEST(vm_cursor_edit, unmap_and_protect_need_no_memory)
{
    static const struct {
        uint64_t start, bytes;
    } ranges[] = {
        {0, PAGE_SIZE},
        {PAGE_SIZE, 2 * MIB},
        {3 * MIB, PAGE_SIZE}, /* nothing there, and no table */
        {GIB - 4 * MIB, 5 * MIB},
        {GIB + 2 * PAGE_SIZE, GIB},
        {100 * GIB, 50 * GIB}, /* nothing at all */
        {0, 4 * GIB},
        {0, 0}, /* the whole user range */
    };
    struct world world = world_begin(*levels);
    uint64_t allocated;
    unsigned pages = fill(&world);
    unsigned removed_pages = 0;

    allocated = counter_read(COUNTER_frames_allocated);
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
        uint64_t bytes = ranges[i].bytes != 0 ? ranges[i].bytes : vm_space_user_limit().raw;
        struct vm_cursor cursor;
        struct vm_removed removed;
        struct va_range changed;
        status_t status = OK;

        frame_fail_after(0);
        cursor = cursor_open(&world, ranges[i].start, bytes, VM_CURSOR_EDIT);
        while (status == OK) {
            status =
                vm_cursor_protect_next(&cursor, cursor.range.end.raw - vm_cursor_va(&cursor).raw,
                                       make_read_only, NULL, &changed);
        }
        EXPECT_STATUS(status, ERR_NOENT);
        EXPECT_OK(vm_cursor_jump(&cursor, va(ranges[i].start)));
        EXPECT_OK(vm_cursor_unmap(&cursor, bytes, &removed));
        vm_cursor_close(&cursor);
        removed_pages += (unsigned)removed.ram_pages;
        EXPECT_EQ(counter_read(COUNTER_frames_allocated), allocated);
        frame_fail_after(UINT64_MAX);
        world_check(&world);
    }
    EXPECT_EQ(removed_pages, pages);
    world_end(&world);
}

MODE_TEST(vm_cursor_edit, nothing_is_made_where_nothing_is)
{
    struct world world = world_begin(*levels);
    uint64_t tables = counter_read(COUNTER_tables_allocated);
    struct vm_cursor cursor = cursor_open(&world, BASE, PAGE_SIZE, VM_CURSOR_EDIT);
    struct frame *frame = frame_new();
    struct vm_removed removed;
    struct io_mem *io;
    uint64_t mapped;

    EXPECT_OK(vm_cursor_unmap(&cursor, PAGE_SIZE, &removed));
    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE)));
    EXPECT_STATUS(vm_cursor_map(&cursor, frame, prop(VM_R), VM_MAP_REPLACE), ERR_ACCES);
    EXPECT_OK(io_mem_create(pa_span(DEVICE_BASE, PAGE_SIZE), "x", &io));
    EXPECT_STATUS(
        vm_cursor_map_iomem(&cursor, io, prop(VM_R), PAGE_SIZE, 0, VM_MAP_REPLACE, &mapped),
        ERR_ACCES);
    vm_cursor_close(&cursor);
    EXPECT_EQ(counter_read(COUNTER_tables_allocated), tables);
    EXPECT_EQ(frame_refs(frame), 1);
    frame_put(frame);
    world_end(&world);
}

/* ---- so many edits at most ---- */

static void map_pages(struct world *world, uint64_t at, unsigned pages)
{
    struct vm_cursor cursor = cursor_open(world, at, pages * PAGE_SIZE, VM_CURSOR_CHANGE);

    for (unsigned i = 0; i < pages; i++) {
        EXPECT_OK(vm_cursor_map(&cursor, frame_new(), prop(VM_RW), VM_MAP_EXCLUSIVE));
    }
    vm_cursor_close(&cursor);
}

/* Removes [start, start + bytes) by steps of max_edits; the steps it took. */
static unsigned unmap_in_steps(struct world *world, uint64_t start, uint64_t bytes,
                               unsigned max_edits, struct vm_removed *total)
{
    uint64_t at = start;
    unsigned steps = 0;

    *total = (struct vm_removed){0};
    while (at < start + bytes) {
        uint64_t stores = counter_read(COUNTER_entry_stores);
        struct vm_cursor cursor = cursor_open(world, at, start + bytes - at, VM_CURSOR_EDIT);
        struct vm_removed removed;

        EXPECT_OK(vm_cursor_unmap_bounded(&cursor, start + bytes - at, max_edits, &removed));
        cr_assert(vm_cursor_va(&cursor).raw > at && vm_cursor_va(&cursor).raw <= start + bytes);
        at = vm_cursor_va(&cursor).raw;
        vm_cursor_close(&cursor);
        /* a page is stored as dying, and again when it is gone */
        cr_assert(counter_read(COUNTER_entry_stores) - stores <= 2 * max_edits + 256);
        total->ram_pages += removed.ram_pages;
        total->io_pages += removed.io_pages;
        steps++;
    }
    world_check(world);
    return steps;
}

MODE_TEST(vm_cursor_edit, a_bounded_unmap_says_how_far_it_came)
{
    struct world world = world_begin(*levels);
    struct vm_removed total;

    map_pages(&world, BASE + MIB, 100);
    EXPECT_EQ(unmap_in_steps(&world, BASE + MIB, 101 * PAGE_SIZE, 30, &total), 4);
    EXPECT_EQ(total.ram_pages, 100);
    map_pages(&world, BASE + MIB, 100);
    EXPECT_EQ(unmap_in_steps(&world, BASE + MIB, 101 * PAGE_SIZE, 100, &total), 1);
    EXPECT_EQ(total.ram_pages, 100);
    map_pages(&world, BASE + MIB, 3);
    EXPECT_EQ(unmap_in_steps(&world, BASE + MIB, 3 * PAGE_SIZE, 1, &total), 3);
    EXPECT_EQ(total.ram_pages, 3);
    expect_absent(&world, BASE + MIB);
    world_end(&world);
}

MODE_TEST(vm_cursor_edit, a_whole_table_is_one_edit)
{
    struct world world = world_begin(*levels);
    struct vm_removed total;

    map_pages(&world, BASE, 300);
    map_pages(&world, BASE + 2 * MIB, 40);
    map_pages(&world, BASE + 4 * MIB, 5);
    EXPECT_EQ(unmap_in_steps(&world, BASE, 4 * MIB + 6 * PAGE_SIZE, 7, &total), 1);
    EXPECT_EQ(total.ram_pages, 345);
    reap_all();
    world_end(&world);
}

/* Pages of regions are given back one by one, so a table of them is many edits. */
MODE_TEST(vm_cursor_edit, a_table_of_device_pages_is_taken_in_steps)
{
    struct world world = world_begin(*levels);
    struct vm_removed total;
    struct vm_cursor cursor;
    struct io_mem *io;
    uint64_t mapped;

    EXPECT_OK(io_mem_create(pa_span(DEVICE_BASE, 100 * PAGE_SIZE), "x", &io));
    cursor = cursor_open(&world, BASE, 2 * MIB, VM_CURSOR_CHANGE);
    EXPECT_OK(vm_cursor_map_iomem(&cursor, io, prop(VM_RW), 100 * PAGE_SIZE, 0, VM_MAP_EXCLUSIVE,
                                  &mapped));
    vm_cursor_close(&cursor);
    EXPECT_EQ(unmap_in_steps(&world, BASE, 4 * MIB, 40, &total), 3);
    EXPECT_EQ(total.io_pages, 100);
    EXPECT_EQ(io_mem_refs(io), 0);
    world_end(&world);
}

MODE_TEST(vm_cursor_edit, no_edits_at_all_is_an_error)
{
    struct world world = world_begin(*levels);
    struct vm_cursor cursor = cursor_open(&world, BASE, PAGE_SIZE, VM_CURSOR_EDIT);
    struct vm_removed removed;

    EXPECT_STATUS(vm_cursor_unmap_bounded(&cursor, PAGE_SIZE, 0, &removed), ERR_INVAL);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE);
    vm_cursor_close(&cursor);
    world_end(&world);
}
