/* SPDX-License-Identifier: MIT */
/* Folding of marks, and of pages of device regions. */
#include "mm/vm_backing.h"
#include "support_fold.h"
#include "support_paged.h"

MODE_TEST(vm_fold_marks, equal_marks_become_one)
{
    static const struct vm_mark marks[] = {
        {.kind = VM_ITEM_RESERVED, .prot = VM_RW},
        {.kind = VM_ITEM_RESERVED, .prot = VM_PROT_NONE},
        {.kind = VM_ITEM_GUARD},
    };
    struct world world = world_begin(*levels);

    for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
        mark_pages(&world, BASE, marks[i]);
        EXPECT_EQ(fold_at(&world, BASE, 2 * MIB), 1);
        expect_slot(&world, BASE + MIB, marks[i].kind, BASE, 2 * MIB);
        EXPECT_EQ(slot_at(&world, BASE).item.prop.prot, marks[i].prot);
        mark_at(&world, BASE + 9 * PAGE_SIZE, PAGE_SIZE,
                (struct vm_mark){.kind = VM_ITEM_RESERVED, .prot = VM_R});
        EXPECT_EQ(fold_at(&world, BASE, 2 * MIB), 0);
        (void)unmap_at(&world, BASE, 2 * MIB);
    }
    world_end(&world);
}

MODE_TEST(vm_fold_marks, marks_of_an_object_fold_where_their_pages_go_on)
{
    struct world world = world_begin(*levels);
    struct mem_object *object = object_new(4 * PAGES);
    struct vm_mark mark = paged(object, 33, VM_SHARE_NONE, VM_RW);

    mark_pages(&world, BASE, mark);
    EXPECT_EQ(vm_backing_sum(world.space).marks, PAGES);
    EXPECT_EQ(fold_at(&world, BASE, 2 * MIB), 1);
    EXPECT_EQ(vm_backing_sum(world.space).marks, 1);
    expect_paged(&world, BASE, BASE + 2 * MIB, object, 33);
    mark.object_page = 33 + 8;
    mark_at(&world, BASE + 7 * PAGE_SIZE, PAGE_SIZE, mark); /* splits it, and says another page */
    EXPECT_EQ(fold_at(&world, BASE, 2 * MIB), 0);
    EXPECT_EQ(vm_backing_sum(world.space).marks, PAGES);
    (void)unmap_at(&world, BASE, 2 * MIB);
    expect_not_named(object);
    mem_object_put(object);
    world_end(&world);
}

MODE_TEST(vm_fold_marks, swapped_pages_stay_though_their_cookies_are_equal)
{
    struct world world = world_begin(*levels);

    mark_pages(&world, BASE, (struct vm_mark){.kind = VM_ITEM_SWAPPED, .prot = VM_RW, .cookie = 7});
    EXPECT_EQ(fold_at(&world, BASE, 2 * MIB), 0);
    EXPECT_EQ(slot_at(&world, BASE).item.cookie, 7);
    (void)unmap_at(&world, BASE, 2 * MIB);
    world_end(&world);
}

MODE_TEST(vm_fold_marks, marks_fold_level_by_level)
{
    struct world world = world_begin(*levels);
    uint64_t charged;

    mark_at(&world, BASE, GIB, RESERVED_RW);
    charged = vm_space_charged(world.space);
    (void)unmap_at(&world, BASE + 7 * MIB, PAGE_SIZE);
    mark_at(&world, BASE + 7 * MIB, PAGE_SIZE, RESERVED_RW);
    EXPECT_EQ(vm_space_charged(world.space), charged + 2);
    EXPECT_EQ(fold_at(&world, BASE, GIB), 2);
    EXPECT_EQ(vm_space_charged(world.space), charged);
    expect_slot(&world, BASE, VM_ITEM_RESERVED, BASE, GIB);
    world_end(&world);
}

/* ---- pages of a region ---- */

static void map_region(struct world *world, struct io_mem *io, uint64_t at, uint64_t offset,
                       uint64_t pages)
{
    struct vm_cursor cursor = cursor_open(world, at, pages * PAGE_SIZE, VM_CURSOR_CHANGE);
    uint64_t mapped;

    for (uint64_t i = 0; i < pages; i++) {
        EXPECT_OK(vm_cursor_map_iomem(&cursor, io, prop(VM_RW), PAGE_SIZE, offset + i * PAGE_SIZE,
                                      VM_MAP_EXCLUSIVE, &mapped));
    }
    vm_cursor_close(&cursor);
}

static struct io_mem *region_new(uint64_t start, uint64_t bytes)
{
    struct io_mem *io = NULL;

    EXPECT_OK(io_mem_create(pa_span(start, bytes), "test,device", &io));
    return io;
}

MODE_TEST(vm_fold_marks, pages_of_a_region_fold_and_hold_it_as_before)
{
    struct world world = world_begin(*levels);
    struct io_mem *io = region_new(DEVICE_BASE, 4 * MIB);
    struct vm_removed removed;

    map_region(&world, io, BASE, 2 * MIB, PAGES);
    EXPECT_EQ(fold_at(&world, BASE, 2 * MIB), 1);
    EXPECT_EQ(slot_bytes_at(&world, BASE), 2 * MIB);
    expect_mapped_pa(&world, BASE + MIB, DEVICE_BASE + 3 * MIB, VM_RW);
    EXPECT_EQ(io_mem_refs(io), PAGES);
    removed = unmap_at(&world, BASE, 2 * MIB);
    EXPECT_EQ(removed.io_pages, PAGES);
    EXPECT_EQ(removed.ram_pages, 0);
    EXPECT_EQ(io_mem_refs(io), 0);
    world_end(&world);
}

MODE_TEST(vm_fold_marks, pages_of_two_regions_stay)
{
    struct world world = world_begin(*levels);
    struct io_mem *low = region_new(DEVICE_BASE, MIB);
    struct io_mem *high = region_new(DEVICE_BASE + MIB, MIB);

    map_region(&world, low, BASE, 0, PAGES / 2);
    map_region(&world, high, BASE + MIB, 0, PAGES / 2);
    EXPECT_EQ(fold_at(&world, BASE, 2 * MIB), 0);
    (void)unmap_at(&world, BASE, 2 * MIB);
    EXPECT_EQ(io_mem_refs(low) + io_mem_refs(high), 0);
    world_end(&world);
}
