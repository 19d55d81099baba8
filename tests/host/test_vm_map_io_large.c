/* SPDX-License-Identifier: MIT */
/*
 * Mapping regions by entries as large as fit: where each size begins and ends, what it costs in
 * tables, what is counted of the region, and what a failure leaves.
 */
#include "support_map_block.h"

#define DEVICE (64 * GIB) /* far from RAM */

static struct io_mem *region_new(uint64_t start, uint64_t bytes)
{
    struct io_mem *io = NULL;

    EXPECT_OK(io_mem_create(pa_span(start, bytes), "test,device", &io));
    return io;
}

static status_t map_region(struct world *world, uint64_t at, struct io_mem *io, uint64_t bytes,
                           enum vm_map_mode mode)
{
    struct vm_cursor cursor = cursor_open(world, at, bytes, VM_CURSOR_CHANGE);
    uint64_t mapped = 0;
    status_t status = vm_cursor_map_iomem(&cursor, io, (struct vm_prop){VM_RW, VM_MEM_IO}, bytes, 0,
                                          mode, &mapped);

    EXPECT_EQ(mapped, status == OK ? bytes : 0);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, status == OK ? at + bytes : at);
    vm_cursor_close(&cursor);
    return status;
}

/* The level of the entry that is to map `at`: the largest that fits in [at, end). */
static unsigned level_wanted(uint64_t at, uint64_t end, uint64_t pa)
{
    unsigned level = 2;

    while ((at | pa) % pte_level_bytes(level) != 0 || end - at < pte_level_bytes(level)) {
        level--;
    }
    return level;
}

/* All of [at, at + bytes) leads to what begins at `to`, by the largest entries.  Returns how many
 * there are of each level. */
static void expect_region(struct world *world, uint64_t at, uint64_t bytes, uint64_t to,
                          unsigned count[3])
{
    uint64_t end = at + bytes;

    memset(count, 0, 3 * sizeof(*count));
    for (uint64_t va = at; va < end;) {
        struct vm_slot slot = slot_at(world, va);
        unsigned level = level_wanted(va, end, to + va - at);

        EXPECT_EQ(slot.item.kind, VM_ITEM_IO);
        EXPECT_EQ(slot.item.level, level);
        EXPECT_EQ(slot.range.start.raw, va);
        EXPECT_EQ(slot.item.pa.raw, to + va - at);
        expect_mapped_pa(world, va, to + va - at, VM_RW);
        count[level]++;
        va = slot.range.end.raw;
        EXPECT_EQ(va - slot.range.start.raw, pte_level_bytes(level));
    }
}

MODE_TEST(vm_map_io_large, entries_are_as_large_as_fit)
{
    /* Three small pages, 2 MiB, 1 GiB, 2 MiB, two small ones. */
    uint64_t bytes = GIB + 4 * MIB + 5 * PAGE_SIZE;
    uint64_t off = 2 * MIB + 3 * PAGE_SIZE;
    struct world world = world_begin(*levels);
    struct io_mem *io = region_new(DEVICE - off, bytes);
    struct io_mem *found = NULL;
    uint64_t offset = 0;
    unsigned count[3];

    EXPECT_OK(map_region(&world, BASE - off, io, bytes, VM_MAP_EXCLUSIVE));
    expect_region(&world, BASE - off, bytes, DEVICE - off, count);
    EXPECT_EQ(count[0], 5);
    EXPECT_EQ(count[1], 2);
    EXPECT_EQ(count[2], 1);
    EXPECT_EQ(io_mem_refs(io), bytes / PAGE_SIZE);
    EXPECT_OK(vm_space_find_iomem(world.space, pa(DEVICE + 5 * MIB), &found, &offset));
    cr_assert(found == io);
    EXPECT_EQ(offset, off + 5 * MIB);
    world_check(&world);
    /* What can be unmapped in parts has its tables put by. */
    EXPECT_EQ(vm_space_split_stock(world.space), 2 * (*levels - 1));
    EXPECT_EQ(unmap_at(&world, BASE + 5 * MIB, PAGE_SIZE).io_pages, 1);
    EXPECT_EQ(io_mem_refs(io), bytes / PAGE_SIZE - 1);
    expect_mapped_pa(&world, BASE + 5 * MIB + PAGE_SIZE, DEVICE + 5 * MIB + PAGE_SIZE, VM_RW);
    world_check(&world);
    EXPECT_EQ(unmap_at(&world, BASE - off, bytes).io_pages, bytes / PAGE_SIZE - 1);
    EXPECT_EQ(io_mem_refs(io), 0);
    EXPECT_STATUS(vm_space_find_iomem(world.space, pa(DEVICE), &found, &offset), ERR_NOENT);
    world_end(&world);
}

MODE_TEST(vm_map_io_large, none_is_larger_than_both_sides_are_aligned)
{
    static const uint64_t shifts[] = {PAGE_SIZE, MIB, 2 * MIB, 512 * MIB};
    struct world world = world_begin(*levels);
    struct io_mem *io = region_new(DEVICE, GIB + 3 * MIB);

    for (size_t i = 0; i < ARRAY_LEN(shifts); i++) {
        uint64_t bytes = shifts[i] < 2 * MIB ? 5 * MIB : GIB + 3 * MIB;
        unsigned count[3];

        EXPECT_OK(map_region(&world, BASE + shifts[i], io, shifts[i] < 2 * MIB ? 5 * MIB : bytes,
                             VM_MAP_EXCLUSIVE));
        expect_region(&world, BASE + shifts[i], bytes, DEVICE, count);
        EXPECT_EQ(count[2], 0);
        EXPECT_EQ(count[1], shifts[i] < 2 * MIB ? 0 : 513);
        EXPECT_EQ(vm_space_split_stock(world.space), shifts[i] < 2 * MIB ? 0 : 2 * (*levels - 1));
        world_check(&world);
        EXPECT_EQ(unmap_at(&world, BASE + shifts[i], bytes).io_pages, bytes / PAGE_SIZE);
        EXPECT_EQ(io_mem_refs(io), 0);
        reap_all();
    }
    world_end(&world);
}

MODE_TEST(vm_map_io_large, large_entries_need_no_tables_below_them)
{
    struct world world = world_begin(*levels);
    struct io_mem *io = region_new(DEVICE, 4 * GIB);
    uint64_t tables;
    uint64_t blocks = counter_read(COUNTER_blocks_mapped);
    uint64_t mapped = counter_read(COUNTER_pages_mapped);

    EXPECT_OK(map_region(&world, BASE + GIB, io, GIB, VM_MAP_EXCLUSIVE)); /* the stock, the way */
    tables = counter_read(COUNTER_tables_allocated);
    EXPECT_OK(map_region(&world, BASE, io, GIB, VM_MAP_EXCLUSIVE));
    EXPECT_EQ(counter_read(COUNTER_tables_allocated), tables);
    /* A piece at each end needs the tables on its way, the rest none. */
    EXPECT_OK(map_region(&world, BASE + 2 * GIB, io, GIB + 2 * MIB + PAGE_SIZE, VM_MAP_EXCLUSIVE));
    EXPECT_EQ(counter_read(COUNTER_tables_allocated), tables + 2);
    EXPECT_EQ(counter_read(COUNTER_blocks_mapped), blocks + 4);
    EXPECT_EQ(counter_read(COUNTER_pages_mapped), mapped + 3 * (GIB / PAGE_SIZE) + 513);
    world_end(&world);
}

/* A few pages in the middle of nothing need one table of each level, once. */
MODE_TEST(vm_map_io_large, no_table_is_made_for_nothing)
{
    struct world world = world_begin(*levels);
    struct io_mem *io = region_new(DEVICE, MIB);
    struct vm_cursor cursor = cursor_open(&world, BEFORE, AROUND, VM_CURSOR_CHANGE);
    uint64_t tables = counter_read(COUNTER_tables_allocated);
    uint64_t mapped;

    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE + 7 * PAGE_SIZE)));
    EXPECT_OK(vm_cursor_map_iomem(&cursor, io, (struct vm_prop){VM_RW, VM_MEM_IO}, 3 * PAGE_SIZE, 0,
                                  VM_MAP_EXCLUSIVE, &mapped));
    EXPECT_EQ(counter_read(COUNTER_tables_allocated), tables + 2);
    vm_cursor_close(&cursor);
    world_end(&world);
}

/* Past 32 bits: what a few tables can map of one region. */
Test(vm_map_io_large, more_pages_than_32_bits_count_are_counted)
{
    struct world world = world_begin(5);
    struct io_mem *io = region_new(4096 * GIB, 512 * GIB);
    uint64_t at = TIB;

    for (unsigned i = 0; i < 33; i++) {
        EXPECT_OK(map_region(&world, at + i * 512 * GIB, io, 512 * GIB, VM_MAP_EXCLUSIVE));
    }
    cr_assert(io_mem_refs(io) > UINT32_MAX);
    EXPECT_EQ(io_mem_refs(io), 33 * (512 * GIB / PAGE_SIZE));
    world_check(&world);
    EXPECT_EQ(unmap_at(&world, at, 33 * 512 * GIB).io_pages, 33 * (512 * GIB / PAGE_SIZE));
    EXPECT_EQ(io_mem_refs(io), 0);
    world_end(&world);
}

/* ---- what is there already ---- */

static void put_in_the_way(struct world *world, unsigned which)
{
    switch (which) {
    case 0:
        map_at(world, BASE + 5 * MIB, frame_new(), VM_RW);
        return;
    case 1:
        (void)mark_at(world, BASE - MIB, 3 * MIB, RESERVED_RW);
        return;
    case 2: /* the part's end cuts it */
        (void)map_new_at(world, BASE + 6 * MIB, 1, VM_RW);
        return;
    default:
        (void)map_new_at(world, BASE, 2, VM_RW);
        return;
    }
}
#define IN_THE_WAY 4U

MODE_TEST(vm_map_io_large, what_is_there_refuses_it_or_is_replaced)
{
    uint64_t bytes = 7 * MIB; /* from 1 MiB below BASE on */
    struct world world = world_large(*levels);
    struct io_mem *io = region_new(DEVICE - MIB, bytes + 2 * MIB);

    for (unsigned i = 0; i < IN_THE_WAY; i++) {
        struct meaning before;
        unsigned count[3];

        put_in_the_way(&world, i);
        before = meaning_of(&world);
        EXPECT_STATUS(map_region(&world, BASE - MIB, io, bytes + MIB, VM_MAP_EXCLUSIVE), ERR_EXIST);
        expect_meaning(&world, before);
        EXPECT_EQ(io_mem_refs(io), 0);
        EXPECT_OK(map_region(&world, BASE - MIB, io, bytes + MIB, VM_MAP_REPLACE));
        expect_region(&world, BASE - MIB, bytes + MIB, DEVICE - MIB, count);
        EXPECT_EQ(count[1], 3);
        world_check(&world);
        /* Itself, one table further on. */
        EXPECT_OK(map_region(&world, BASE + MIB, io, bytes, VM_MAP_REPLACE));
        expect_region(&world, BASE + MIB, bytes, DEVICE - MIB, count);
        world_check(&world);
        EXPECT_EQ(io_mem_refs(io), (bytes + 2 * MIB) / PAGE_SIZE);
        (void)unmap_at(&world, BASE - GIB, 3 * GIB);
        reap_all();
    }
    world_end(&world);
}

MODE_TEST(vm_map_io_large, each_allocation_that_fails_leaves_all_as_it_was)
{
    uint64_t bytes = 5 * MIB;
    struct world world = world_large(*levels);
    struct io_mem *io = region_new(DEVICE - MIB, bytes);
    unsigned all_failed = 0;

    for (unsigned i = 0; i < IN_THE_WAY; i++) {
        struct meaning before;
        status_t status = ERR_NOMEM;
        unsigned failed = 0;

        put_in_the_way(&world, i);
        before = meaning_of(&world);
        for (; status != OK; failed++) {
            struct vm_cursor cursor;
            uint64_t mapped;

            frame_fail_after(failed);
            status =
                vm_cursor_open(&cursor, world.space, va_span(BEFORE, AROUND), VM_CURSOR_CHANGE);
            if (status == OK) {
                EXPECT_OK(vm_cursor_jump(&cursor, va(BASE - MIB)));
                status = vm_cursor_map_iomem(&cursor, io, (struct vm_prop){VM_RW, VM_MEM_IO}, bytes,
                                             0, VM_MAP_REPLACE, &mapped);
                EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE - MIB + (status == OK ? bytes : 0));
                vm_cursor_close(&cursor);
            }
            frame_fail_after(UINT64_MAX);
            if (status != OK) {
                EXPECT_STATUS(status, ERR_NOMEM);
                expect_meaning(&world, before);
                EXPECT_EQ(io_mem_refs(io), 0);
            }
        }
        all_failed += failed - 1;
        EXPECT_EQ(io_mem_refs(io), bytes / PAGE_SIZE);
        (void)unmap_at(&world, BEFORE, AROUND);
        reap_all();
    }
    cr_assert(all_failed > *levels); /* the split stock among them */
    world_end(&world);
}
