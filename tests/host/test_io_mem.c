/* SPDX-License-Identifier: MIT */
/*
 * I/O regions: what can be one, mapping them through a cursor, and who holds them: each mapped page
 * one reference, wherever the mapping ends.
 */
#include "mm/io_mem.h"

#include <string.h>

#include "support.h"

#define BASE (4 * GIB)

static struct io_mem *region(uint64_t start, uint64_t bytes)
{
    struct io_mem *io = NULL;

    EXPECT_OK(io_mem_create(pa_span(start, bytes), "test,device", &io));
    return io;
}

static status_t map_io(struct vm_cursor *cursor, struct io_mem *io, uint64_t len, uint64_t offset,
                       uint64_t *mapped)
{
    return vm_cursor_map_iomem(cursor, io, prop(VM_RW), len, offset, VM_MAP_REPLACE, mapped);
}

Test(io_mem, what_cannot_be_a_region)
{
    static const struct {
        uint64_t start, end;
        status_t want;
    } rows[] = {
        {DEVICE_BASE, DEVICE_BASE, ERR_INVAL},
        {DEVICE_BASE + PAGE_SIZE, DEVICE_BASE, ERR_INVAL},
        {DEVICE_BASE + 1, DEVICE_BASE + PAGE_SIZE, ERR_INVAL},
        {DEVICE_BASE, DEVICE_BASE + 0x100, ERR_INVAL},
        {RAM_BASE, RAM_BASE + PAGE_SIZE, ERR_EXIST},             /* RAM, firmware's */
        {RAM_BASE - PAGE_SIZE, RAM_BASE + PAGE_SIZE, ERR_EXIST}, /* reaches into it */
        {RAM_BASE + 16 * MIB - PAGE_SIZE, RAM_BASE + GIB, ERR_EXIST},
        {0, UINT64_C(1) << 55, ERR_EXIST},                                 /* around it */
        {DEVICE_BASE + MIB, DEVICE_BASE + MIB + PAGE_SIZE, ERR_EXIST},     /* forbidden */
        {DEVICE_BASE + MIB - PAGE_SIZE, DEVICE_BASE + 2 * MIB, ERR_EXIST}, /* around it */
        {0x20000000, 0x20001000, ERR_EXIST},                               /* a region  */
        {0x1ffff000, 0x20004000, ERR_EXIST},
        {0x20002000, 0x20003000, ERR_EXIST},
    };
    struct io_mem *io = (struct io_mem *)(uintptr_t)16;

    machine_default(16 * MIB);
    machine_boot(3);
    (void)region(0x20000000, 3 * PAGE_SIZE);
    EXPECT_OK(io_mem_forbid(pa_span(DEVICE_BASE + MIB + 0x10, 0x10))); /* part of a page */
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct pa_range range = {{rows[i].start}, {rows[i].end}};
        status_t got = io_mem_create(range, "x", &io);

        cr_assert(got == rows[i].want, "row %zu gives %s", i, status_name(got));
        cr_assert(io == (struct io_mem *)(uintptr_t)16);
    }
    cr_assert(io_mem_at(1) == NULL, "nothing was made of them");
    (void)region(0x20003000, PAGE_SIZE); /* right behind */
    (void)region(0x1ffff000, PAGE_SIZE); /* right before */
}

Test(io_mem, regions_are_listed_and_found)
{
    char name[] = "vendor,uart";
    struct io_mem *a = NULL;
    struct io_mem *b;

    machine_default(16 * MIB);
    machine_boot(3);
    EXPECT_OK(io_mem_create(pa_span(0x30000000, 2 * PAGE_SIZE), name, &a));
    memset(name, 'x', sizeof(name) - 1); /* the text was copied */
    b = region(0x10000000, PAGE_SIZE);
    cr_assert(io_mem_at(0) == a && io_mem_at(1) == b && io_mem_at(2) == NULL);
    cr_assert(io_mem_at(SIZE_MAX) == NULL);
    cr_assert(io_mem_find(pa(0x30000000)) == a);
    cr_assert(io_mem_find(pa(0x30001fff)) == a);
    cr_assert(io_mem_find(pa(0x30002000)) == NULL);
    cr_assert(io_mem_find(pa(0x2fffffff)) == NULL);
    cr_assert(io_mem_find(pa(0x10000fff)) == b);
    cr_assert(io_mem_find(pa(0)) == NULL && io_mem_find(pa(UINT64_MAX)) == NULL);
    cr_assert(strcmp(io_mem_compatible(a), "vendor,uart") == 0);
    EXPECT_EQ(io_mem_range(a).end.raw, 0x30002000);
    EXPECT_EQ(io_mem_refs(a), 0);
    io_mem_get(a);
    EXPECT_EQ(io_mem_refs(a), 1);
    io_mem_put(a);
}

Test(io_mem, the_forbidden_table_is_bounded)
{
    status_t status = OK;
    unsigned count = 0;

    machine_default(16 * MIB);
    machine_boot(3);
    while (status == OK && count < 10000) {
        status = io_mem_forbid(pa_span(DEVICE_BASE + count * PAGE_SIZE, PAGE_SIZE));
        count++;
    }
    EXPECT_STATUS(status, ERR_NOSPC);
}

Test(io_mem, the_table_of_regions_is_bounded)
{
    struct io_mem *io;
    status_t status = OK;
    unsigned count = 0;

    machine_default(16 * MIB);
    machine_boot(3);
    while (status == OK && count < 10000) {
        status = io_mem_create(pa_span(DEVICE_BASE + count * PAGE_SIZE, PAGE_SIZE), "x", &io);
        count++;
    }
    EXPECT_STATUS(status, ERR_NOMEM);
    cr_assert(count > MACHINE_IO_MAX, "every region of the tree has room");
}

MODE_TEST(io_mem, each_mapped_page_holds_the_region)
{
    struct world world = world_begin(*levels);
    struct io_mem *io = region(DEVICE_BASE, 4 * PAGE_SIZE);
    struct vm_cursor cursor = cursor_open(&world, BASE - 2 * PAGE_SIZE, MIB, VM_CURSOR_CHANGE);
    struct vm_removed removed;
    struct vm_slot slot;
    uint64_t mapped = 0;

    EXPECT_OK(map_io(&cursor, io, 4 * PAGE_SIZE, 0, &mapped));
    EXPECT_EQ(mapped, 4 * PAGE_SIZE);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE + 2 * PAGE_SIZE);
    EXPECT_EQ(io_mem_refs(io), 4);
    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE)));
    EXPECT_OK(vm_cursor_query(&cursor, &slot));
    EXPECT_EQ(slot.item.kind, VM_ITEM_IO);
    EXPECT_EQ(slot.item.pa.raw, DEVICE_BASE + 2 * PAGE_SIZE);
    EXPECT_EQ(slot.item.prop.prot, VM_RW);
    EXPECT_OK(vm_cursor_unmap(&cursor, PAGE_SIZE, &removed));
    EXPECT_EQ(removed.io_pages, 1);
    EXPECT_EQ(removed.ram_pages, 0);
    vm_cursor_close(&cursor);
    EXPECT_EQ(io_mem_refs(io), 3);
    expect_mapped_pa(&world, BASE - 2 * PAGE_SIZE, DEVICE_BASE, VM_RW);
    expect_mapped_pa(&world, BASE + PAGE_SIZE, DEVICE_BASE + 3 * PAGE_SIZE, VM_RW);
    expect_absent(&world, BASE);
    EXPECT_EQ(unmap_at(&world, BASE - GIB, 2 * GIB).io_pages, 3); /* tables and all */
    EXPECT_EQ(io_mem_refs(io), 0);
    world_end(&world);
}

MODE_TEST(io_mem, a_mapping_is_clipped_to_the_region)
{
    struct world world = world_begin(*levels);
    struct io_mem *io = region(DEVICE_BASE, 3 * PAGE_SIZE);
    struct vm_cursor cursor = cursor_open(&world, BASE, 2 * PAGE_SIZE, VM_CURSOR_CHANGE);
    uint64_t mapped = 0;

    /* Longer than the region, and than the cursor: what counts is what is left of the region. */
    EXPECT_OK(map_io(&cursor, io, GIB, PAGE_SIZE, &mapped));
    EXPECT_EQ(mapped, 2 * PAGE_SIZE);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE + 2 * PAGE_SIZE);
    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE)));
    EXPECT_OK(map_io(&cursor, io, UINT64_MAX - PAGE_MASK, 2 * PAGE_SIZE, &mapped));
    EXPECT_EQ(mapped, PAGE_SIZE);
    vm_cursor_close(&cursor);
    expect_mapped_pa(&world, BASE, DEVICE_BASE + 2 * PAGE_SIZE, VM_RW);
    EXPECT_EQ(io_mem_refs(io), 2);
    world_end(&world);
    EXPECT_EQ(io_mem_refs(io), 0);
}

MODE_TEST(io_mem, what_is_refused_changes_nothing)
{
    struct {
        enum vm_prot prot;
        enum vm_mem mem;
        uint64_t len, offset;
        status_t want;
    } rows[] = {
        {VM_RW, VM_MEM_PMA, 0, 0, ERR_INVAL},
        {VM_RW, VM_MEM_PMA, 1, 0, ERR_INVAL},
        {VM_RW, VM_MEM_PMA, PAGE_SIZE, 0x10, ERR_INVAL},
        {VM_RW, VM_MEM_PMA, PAGE_SIZE, 8 * PAGE_SIZE, ERR_RANGE},
        {VM_RW, VM_MEM_PMA, PAGE_SIZE, UINT64_MAX - PAGE_MASK, ERR_RANGE},
        {VM_RW, VM_MEM_PMA, 3 * PAGE_SIZE, 0, ERR_RANGE}, /* does not fit in E - va */
        {VM_PROT_NONE, VM_MEM_PMA, PAGE_SIZE, 0, ERR_INVAL},
        {VM_W, VM_MEM_PMA, PAGE_SIZE, 0, ERR_INVAL},
        {VM_X, VM_MEM_PMA, PAGE_SIZE, 0, ERR_INVAL},
        {VM_RX, VM_MEM_PMA, PAGE_SIZE, 0, ERR_INVAL},
        {VM_RWX, VM_MEM_PMA, PAGE_SIZE, 0, ERR_INVAL},
        {VM_RW, (enum vm_mem)3, PAGE_SIZE, 0, ERR_INVAL},
        {VM_RW, VM_MEM_NC, PAGE_SIZE, 0, ERR_NOTSUP}, /* no Svpbmt */
    };
    struct world world = world_begin(*levels);
    struct io_mem *io = region(DEVICE_BASE, 8 * PAGE_SIZE);
    struct frame *frame = frame_new();
    struct vm_cursor cursor;
    uint64_t mapped = 77;

    map_at(&world, BASE, frame, VM_RX);
    cursor = cursor_open(&world, BASE, 2 * PAGE_SIZE, VM_CURSOR_CHANGE);
    host_events_start();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct vm_prop bad = {rows[i].prot, rows[i].mem};
        status_t got = vm_cursor_map_iomem(&cursor, io, bad, rows[i].len, rows[i].offset,
                                           VM_MAP_REPLACE, &mapped);

        cr_assert(got == rows[i].want, "row %zu gives %s", i, status_name(got));
        EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE);
        EXPECT_EQ(mapped, 77);
        EXPECT_EQ(io_mem_refs(io), 0);
    }
    EXPECT_EQ(host_event_count(), 0);
    vm_cursor_close(&cursor);
    cursor = cursor_open(&world, BASE, PAGE_SIZE, VM_CURSOR_QUERY);
    EXPECT_STATUS(map_io(&cursor, io, PAGE_SIZE, 0, &mapped), ERR_ACCES);
    vm_cursor_close(&cursor);
    expect_mapped(&world, BASE, frame, VM_RX);
    world_end(&world);
}

MODE_TEST(io_mem, exclusive_finds_an_occupied_page_anywhere)
{
    struct world world = world_begin(*levels);
    struct io_mem *io = region(DEVICE_BASE, 8 * PAGE_SIZE);
    struct frame *frame = frame_new();
    struct vm_cursor cursor;
    uint64_t mapped = 77;

    map_at(&world, BASE + 7 * PAGE_SIZE, frame, VM_R);
    cursor = cursor_open(&world, BASE, MIB, VM_CURSOR_CHANGE);
    EXPECT_STATUS(
        vm_cursor_map_iomem(&cursor, io, prop(VM_RW), 8 * PAGE_SIZE, 0, VM_MAP_EXCLUSIVE, &mapped),
        ERR_EXIST);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE);
    EXPECT_EQ(io_mem_refs(io), 0);
    expect_absent(&world, BASE);
    EXPECT_OK(
        vm_cursor_map_iomem(&cursor, io, prop(VM_RW), 7 * PAGE_SIZE, 0, VM_MAP_EXCLUSIVE, &mapped));
    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE)));
    EXPECT_OK(map_io(&cursor, io, 8 * PAGE_SIZE, 0, &mapped)); /* replaces itself and the page */
    EXPECT_EQ(io_mem_refs(io), 8);
    vm_cursor_close(&cursor);
    EXPECT_EQ(frame_refs(frame), 0);
    EXPECT_EQ(io_mem_refs(io), 8);
    expect_mapped_pa(&world, BASE + 7 * PAGE_SIZE, DEVICE_BASE + 7 * PAGE_SIZE, VM_RW);
    world_end(&world);
    EXPECT_EQ(io_mem_refs(io), 0);
}

MODE_TEST(io_mem, no_memory_leaves_everything_as_it_was)
{
    struct world world = world_begin(*levels);
    struct io_mem *io = region(DEVICE_BASE, 8 * PAGE_SIZE);
    struct vm_cursor cursor = cursor_open(&world, BASE - GIB, 2 * GIB, VM_CURSOR_CHANGE);
    uint64_t at = BASE - 4 * PAGE_SIZE; /* the pages lie in two tables of two tables */
    uint64_t free_before = frame_free_count();
    uint64_t mapped = 77;
    status_t status = ERR_NOMEM;

    EXPECT_OK(vm_cursor_jump(&cursor, va(at)));
    for (uint64_t allowed = 0; status == ERR_NOMEM; allowed++) {
        frame_fail_after(allowed);
        status = map_io(&cursor, io, 8 * PAGE_SIZE, 0, &mapped);
        frame_fail_after(UINT64_MAX);
        if (status == ERR_NOMEM) {
            EXPECT_EQ(vm_cursor_va(&cursor).raw, at);
            EXPECT_EQ(io_mem_refs(io), 0);
            EXPECT_EQ(mapped, 77);
            cr_assert(frame_free_count() + 1 >= free_before, "at most the space's counts stay");
            expect_absent(&world, at);
        }
    }
    EXPECT_OK(status);
    EXPECT_EQ(io_mem_refs(io), 8);
    vm_cursor_close(&cursor);
    world_end(&world);
}

MODE_TEST(io_mem, the_region_of_an_address_is_found_while_it_is_mapped)
{
    struct world world = world_begin(*levels);
    struct io_mem *a = region(DEVICE_BASE, 4 * PAGE_SIZE);
    struct io_mem *b = region(DEVICE_BASE + 4 * PAGE_SIZE, 4 * PAGE_SIZE);
    struct io_mem *found = NULL;
    struct vm_space *other;
    struct vm_cursor cursor;
    uint64_t offset = 0;
    uint64_t mapped;

    EXPECT_OK(vm_space_create(NULL, &other));
    EXPECT_STATUS(vm_space_find_iomem(world.space, pa(DEVICE_BASE), &found, &offset), ERR_NOENT);
    cursor = cursor_open(&world, BASE, MIB, VM_CURSOR_CHANGE);
    EXPECT_OK(map_io(&cursor, a, PAGE_SIZE, 2 * PAGE_SIZE, &mapped));
    EXPECT_OK(map_io(&cursor, b, PAGE_SIZE, 0, &mapped));
    vm_cursor_close(&cursor);
    EXPECT_OK(vm_space_find_iomem(world.space, pa(DEVICE_BASE + 2 * PAGE_SIZE), &found, &offset));
    cr_assert(found == a);
    EXPECT_EQ(offset, 2 * PAGE_SIZE);
    EXPECT_OK(vm_space_find_iomem(world.space, pa(DEVICE_BASE + 4 * PAGE_SIZE), &found, &offset));
    cr_assert(found == b);
    EXPECT_EQ(offset, 0);
    EXPECT_STATUS(vm_space_find_iomem(other, pa(DEVICE_BASE), &found, &offset), ERR_NOENT);
    EXPECT_STATUS(
        vm_space_find_iomem(world.space, pa(DEVICE_BASE + 8 * PAGE_SIZE), &found, &offset),
        ERR_NOENT);
    unmap_at(&world, BASE, PAGE_SIZE); /* the last page of a */
    EXPECT_STATUS(vm_space_find_iomem(world.space, pa(DEVICE_BASE), &found, &offset), ERR_NOENT);
    EXPECT_OK(vm_space_find_iomem(world.space, pa(DEVICE_BASE + 4 * PAGE_SIZE), &found, &offset));
    vm_space_put(other);
    reap_all();
    world_end(&world);
    EXPECT_EQ(io_mem_refs(a) + io_mem_refs(b), 0);
}

static void take_write(struct vm_rights *rights, void *context)
{
    enum vm_mem *seen = context;

    *seen = rights->prop.mem;
    rights->prop.prot = VM_R;
}

static void grant_execute(struct vm_rights *rights, void *context)
{
    (void)context;
    rights->prop.prot = VM_RX;
}

/* Device memory by the physical attributes, or by Svpbmt: it says the same through a cursor. */
static void check_memory_types(unsigned levels, uint32_t isa, uint64_t type_bits)
{
    struct world world;
    struct io_mem *io;
    struct vm_cursor cursor;
    struct vm_slot slot;
    struct va_range changed;
    enum vm_mem seen;
    uint64_t mapped;

    machine_default(16 * MIB)->isa = isa;
    machine_boot(levels);
    world = (struct world){.levels = levels, .free_before = frame_free_count()};
    EXPECT_OK(vm_space_create(NULL, &world.space));
    io = region(DEVICE_BASE, PAGE_SIZE);
    cursor = cursor_open(&world, BASE, PAGE_SIZE, VM_CURSOR_CHANGE);
    EXPECT_OK(vm_cursor_map_iomem(&cursor, io, (struct vm_prop){VM_RW, VM_MEM_IO}, PAGE_SIZE, 0,
                                  VM_MAP_REPLACE, &mapped));
    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE)));
    EXPECT_OK(vm_cursor_query(&cursor, &slot));
    EXPECT_EQ(slot.item.prop.mem, VM_MEM_IO);
    EXPECT_EQ(
        walk_access(vm_space_root(world.space).raw, levels, BASE, ORACLE_READ, WALK_USER).entry >>
            61,
        type_bits);
    EXPECT_OK(vm_cursor_protect_next(&cursor, PAGE_SIZE, take_write, &seen, &changed));
    EXPECT_EQ(seen, VM_MEM_IO);
    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE)));
    EXPECT_STATUS(vm_cursor_protect_next(&cursor, PAGE_SIZE, grant_execute, NULL, &changed),
                  ERR_INVAL);
    vm_cursor_close(&cursor);
    expect_mapped_pa(&world, BASE, DEVICE_BASE, VM_R);
    EXPECT_EQ(io_mem_refs(io), 1);
    vm_space_activate(world.space);
    world_end(&world);
    EXPECT_EQ(io_mem_refs(io), 0);
}

static void make_uncached(struct vm_rights *rights, void *context)
{
    (void)context;
    rights->prop.mem = VM_MEM_NC;
}

/* The same rights with another memory type: harts must not go on with the old one. */
MODE_TEST(io_mem, another_memory_type_is_flushed)
{
    struct world world = {.levels = *levels};
    struct io_mem *io;
    struct vm_cursor cursor;
    struct va_range changed;
    uint64_t mapped;

    machine_default(16 * MIB)->isa = MACHINE_ISA_SVPBMT;
    machine_boot(*levels);
    world.free_before = frame_free_count();
    EXPECT_OK(vm_space_create(NULL, &world.space));
    vm_space_activate(world.space);
    io = region(DEVICE_BASE, PAGE_SIZE);
    cursor = cursor_open(&world, BASE, PAGE_SIZE, VM_CURSOR_CHANGE);
    EXPECT_OK(vm_cursor_map_iomem(&cursor, io, (struct vm_prop){VM_RW, VM_MEM_IO}, PAGE_SIZE, 0,
                                  VM_MAP_REPLACE, &mapped));
    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE)));
    host_events_start();
    EXPECT_OK(vm_cursor_protect_next(&cursor, PAGE_SIZE, make_uncached, NULL, &changed));
    vm_cursor_close(&cursor);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_LOCAL), 1);
    EXPECT_EQ(
        walk_access(vm_space_root(world.space).raw, *levels, BASE, ORACLE_READ, WALK_USER).entry >>
            61,
        VM_MEM_NC);
    world_end(&world);
}

MODE_TEST(io_mem, device_memory_without_svpbmt)
{
    check_memory_types(*levels, 0, 0);
}

MODE_TEST(io_mem, device_memory_with_svpbmt)
{
    check_memory_types(*levels, MACHINE_ISA_SVPBMT, 2);
}

MODE_TEST(io_mem, ram_is_never_counted_as_a_device_nor_the_other_way)
{
    struct world world = world_begin(*levels);
    struct io_mem *io = region(DEVICE_BASE, 4 * PAGE_SIZE);
    struct vm_cursor cursor = cursor_open(&world, BASE, 2 * GIB, VM_CURSOR_CHANGE);
    struct vm_removed removed;
    uint64_t mapped;

    EXPECT_OK(vm_cursor_map(&cursor, frame_new(), prop(VM_RW), VM_MAP_REPLACE));
    EXPECT_OK(map_io(&cursor, io, 3 * PAGE_SIZE, 0, &mapped));
    EXPECT_OK(vm_cursor_map(&cursor, frame_new(), prop(VM_RW), VM_MAP_REPLACE));
    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE)));
    EXPECT_OK(vm_cursor_unmap(&cursor, 2 * PAGE_SIZE, &removed)); /* page by page */
    EXPECT_EQ(removed.ram_pages, 1);
    EXPECT_EQ(removed.io_pages, 1);
    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE)));
    EXPECT_OK(vm_cursor_unmap(&cursor, GIB, &removed)); /* with their table */
    EXPECT_EQ(removed.ram_pages, 1);
    EXPECT_EQ(removed.io_pages, 2);
    vm_cursor_close(&cursor);
    EXPECT_EQ(io_mem_refs(io), 0);
    world_end(&world);
}
