/* SPDX-License-Identifier: MIT */
/*
 * Taking large pages away: what is counted, in what order frames come free, and that nothing is
 * done over an entry that is still dying.
 */
#include "lib/counter.h"
#include "mm/reclaim.h"
#include "support_large.h"

#define BASE (4 * GIB)

/* ---- what is counted ---- */

MODE_TEST(unmap_large, a_page_is_one_edit_and_counts_its_4_kib)
{
    struct world world = world_with_room(*levels, 2);
    struct vm_cursor cursor;
    struct vm_removed removed;
    uint64_t charged;

    (void)map_large(&world, BASE, 2, VM_RW);
    (void)map_large(&world, BASE + GIB, 1, VM_RW);
    charged = vm_space_charged(world.space);
    cursor = cursor_open(&world, BASE, 2 * GIB, VM_CURSOR_EDIT);
    host_events_start();
    EXPECT_OK(vm_cursor_unmap_bounded(&cursor, 2 * GIB, 1, &removed));
    EXPECT_EQ(removed.ram_pages, PARTS * PARTS);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE + GIB);
    EXPECT_EQ(vm_space_charged(world.space), charged - PARTS * PARTS);
    EXPECT_OK(vm_cursor_unmap_bounded(&cursor, GIB, 1, &removed));
    EXPECT_EQ(removed.ram_pages, PARTS); /* with its table */
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE + 2 * GIB);
    EXPECT_EQ(vm_space_charged(world.space), charged - PARTS * PARTS - PARTS - 1);
    EXPECT_EQ(flushes_of(false), 0);
    vm_cursor_close(&cursor);
    EXPECT_EQ(flushes_of(true), 1); /* one for both */
    expect_absent(&world, BASE);
    expect_absent(&world, BASE + GIB);
    world_check(&world);
    world_end(&world);
}

MODE_TEST(unmap_large, a_hidden_one_counts_too_and_owes_no_flush)
{
    struct world world = world_begin(*levels);
    struct frame *block = map_large(&world, BASE, 1, VM_RW);
    uint64_t charged = vm_space_charged(world.space);

    hide_at(&world, BASE, 2 * MIB);
    EXPECT_EQ(vm_space_charged(world.space), charged);
    host_events_start();
    {
        struct vm_cursor cursor = cursor_open(&world, BASE, 4 * MIB, VM_CURSOR_EDIT);
        struct vm_removed removed;

        EXPECT_OK(vm_cursor_unmap(&cursor, 4 * MIB, &removed));
        EXPECT_EQ(removed.ram_pages, PARTS);
        vm_cursor_close(&cursor);
    }
    EXPECT_EQ(flushes_of(false), 0);
    EXPECT_EQ(vm_space_charged(world.space), charged - PARTS);
    reap_all();
    EXPECT_EQ(refs_of(block, 0), 0);
    world_check(&world);
    world_end(&world);
}

/* A table is not taken whole where its pages of regions are more edits than are left. */
MODE_TEST(unmap_large, pages_of_a_region_count_by_entry)
{
    struct world world = world_begin(*levels);
    struct io_mem *io = map_region(&world, BASE + 2 * MIB, 8 * MIB);
    struct vm_cursor cursor = cursor_open(&world, BASE, 2 * GIB, VM_CURSOR_EDIT);
    uint64_t parked = counter_read(COUNTER_tables_parked);
    struct vm_removed removed;

    EXPECT_EQ(io_mem_refs(io), 4 * PARTS);
    EXPECT_OK(vm_cursor_unmap_bounded(&cursor, 2 * GIB, 3, &removed));
    EXPECT_EQ(removed.io_pages, 3 * PARTS);
    EXPECT_EQ(removed.ram_pages, 0);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE + 8 * MIB);
    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE)));
    EXPECT_OK(vm_cursor_unmap_bounded(&cursor, 2 * GIB, 2, &removed)); /* the table and one page */
    EXPECT_EQ(removed.io_pages, PARTS);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE + 2 * GIB);
    vm_cursor_close(&cursor);
    EXPECT_EQ(io_mem_refs(io), 0);
    EXPECT_EQ(counter_read(COUNTER_tables_parked), parked + 1);
    world_check(&world);
    world_end(&world);
}

/* ---- in what order ---- */

struct looked {
    const struct frame *block;
    unsigned flushes;
    unsigned refs; /* at the last one */
};

static void look(void *context, struct tlb_op op)
{
    struct looked *looked = context;

    (void)op;
    looked->flushes++;
    looked->refs = refs_of(looked->block, 1);
}

MODE_TEST(unmap_large, frames_go_after_the_flush)
{
    struct world world = world_begin(*levels);
    struct looked looked = {.block = map_large(&world, BASE, 1, VM_RW)};
    struct vm_slot slot;
    struct vm_cursor cursor = cursor_open(&world, BASE, 4 * MIB, VM_CURSOR_EDIT);
    struct vm_removed removed;

    host_on_flush(look, &looked);
    EXPECT_OK(vm_cursor_unmap(&cursor, 2 * MIB, &removed));
    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE + PAGE_SIZE)));
    EXPECT_OK(vm_cursor_query(&cursor, &slot));
    EXPECT_EQ(slot.item.kind, VM_ITEM_ABSENT); /* already */
    EXPECT_EQ(looked.flushes, 0);
    vm_cursor_close(&cursor);
    host_on_flush(NULL, NULL);
    EXPECT_EQ(looked.flushes, 1);
    EXPECT_EQ(looked.refs, 1);
    EXPECT_EQ(refs_of(looked.block + 5, 0), 1); /* until it is reaped */
    reap_all();
    EXPECT_EQ(refs_of(looked.block + 5, 0), 0);
    world_end(&world);
}

/* ---- over what is dying ---- */

/* What comes into its place under the same cursor waits for the flush. */
static void map_page(struct vm_cursor *cursor)
{
    EXPECT_OK(vm_cursor_map(cursor, frame_new(), prop(VM_R), VM_MAP_EXCLUSIVE));
}

static void replace_page(struct vm_cursor *cursor)
{
    EXPECT_OK(vm_cursor_map(cursor, frame_new(), prop(VM_R), VM_MAP_REPLACE));
}

static void fill_page(struct vm_cursor *cursor)
{
    EXPECT_OK(vm_cursor_fill(cursor, PAGE_SIZE, prop(VM_R)));
}

static void mark_page(struct vm_cursor *cursor)
{
    struct vm_removed removed;

    EXPECT_OK(vm_cursor_mark(cursor, PAGE_SIZE, RESERVED_RW, VM_MAP_EXCLUSIVE, UINT_MAX, &removed));
    EXPECT_EQ(removed.ram_pages, 0);
}

static void map_block(struct vm_cursor *cursor)
{
    EXPECT_OK(vm_cursor_jump(cursor, va(BASE)));
    EXPECT_OK(vm_cursor_map_made(cursor, block_new(1), 1, prop(VM_R), VM_MAP_EXCLUSIVE));
}

MODE_TEST(unmap_large, nothing_comes_into_its_place_before_the_flush)
{
    static const struct {
        void (*act)(struct vm_cursor *cursor);
        enum vm_item_kind kind;
    } rows[] = {{map_page, VM_ITEM_RAM},
                {replace_page, VM_ITEM_RAM},
                {fill_page, VM_ITEM_RAM},
                {mark_page, VM_ITEM_RESERVED},
                {map_block, VM_ITEM_RAM}};
    struct world world = world_begin(*levels);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct vm_cursor cursor;
        struct vm_removed removed;

        (void)map_large(&world, BASE, 1, VM_RW);
        cursor = cursor_open(&world, BASE, 4 * MIB, VM_CURSOR_CHANGE);
        EXPECT_OK(vm_cursor_unmap(&cursor, 2 * MIB, &removed));
        EXPECT_EQ(removed.ram_pages, PARTS);
        EXPECT_OK(vm_cursor_jump(&cursor, va(BASE + 9 * PAGE_SIZE)));
        host_events_start();
        rows[i].act(&cursor);
        EXPECT_EQ(flushes_of(true), 1);
        vm_cursor_close(&cursor);
        EXPECT_EQ(slot_at(&world, BASE + 9 * PAGE_SIZE).item.kind, rows[i].kind);
        world_check(&world);
        (void)unmap_at(&world, BASE, 2 * MIB);
        reap_all();
    }
    world_end(&world);
}

/* Removing it again counts nothing; a mark counts it as a slot. */
MODE_TEST(unmap_large, what_is_dying_is_not_removed_twice)
{
    struct world world = world_begin(*levels);
    struct vm_cursor cursor;
    struct vm_removed removed;
    uint64_t tables;

    (void)map_large(&world, BASE, 1, VM_RW);
    (void)map_large(&world, BASE + 2 * MIB, 1, VM_RW);
    tables = counter_read(COUNTER_tables_allocated);
    cursor = cursor_open(&world, BASE, 4 * MIB, VM_CURSOR_CHANGE);
    EXPECT_OK(vm_cursor_unmap(&cursor, 2 * MIB, &removed));
    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE)));
    EXPECT_OK(vm_cursor_unmap(&cursor, PAGE_SIZE, &removed)); /* nor is it split */
    EXPECT_EQ(removed.ram_pages, 0);
    EXPECT_EQ(counter_read(COUNTER_tables_allocated), tables);
    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE)));
    EXPECT_OK(vm_cursor_unmap_bounded(&cursor, 4 * MIB, 1, &removed));
    EXPECT_EQ(removed.ram_pages, PARTS);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE + 4 * MIB);
    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE)));
    EXPECT_OK(vm_cursor_mark(&cursor, 4 * MIB, GUARD, VM_MAP_REPLACE, 1, &removed));
    EXPECT_EQ(removed.ram_pages, 0);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE + 2 * MIB);
    vm_cursor_close(&cursor);
    expect_slot(&world, BASE, VM_ITEM_GUARD, BASE, 2 * MIB);
    world_check(&world);
    world_end(&world);
}

/* ---- tables that are detached ---- */

/* Some pages of a table are dying when the table goes, some are hidden, one is of a region. */
MODE_TEST(unmap_large, a_table_goes_with_all_sorts)
{
    struct world world = world_begin(*levels);
    struct frame *blocks[3];
    struct io_mem *io;
    struct vm_cursor cursor;
    struct vm_removed removed;
    uint64_t charged;

    map_at(&world, BASE + GIB, frame_new(), VM_R); /* keeps the tables above */
    charged = vm_space_charged(world.space);
    for (unsigned i = 0; i < 3; i++) {
        blocks[i] = map_large(&world, BASE + i * 2 * MIB, 1, VM_RW);
    }
    charged += vm_space_split_stock(world.space);
    hide_at(&world, BASE + 2 * MIB, 2 * MIB);
    io = map_region(&world, BASE + 6 * MIB, 2 * MIB);
    map_at(&world, BASE + 8 * MIB, frame_new(), VM_RW);
    cursor = cursor_open(&world, BASE, GIB, VM_CURSOR_EDIT);
    EXPECT_OK(vm_cursor_unmap(&cursor, 2 * MIB, &removed));
    EXPECT_EQ(removed.ram_pages, PARTS);
    EXPECT_OK(vm_cursor_jump(&cursor, va(BASE)));
    EXPECT_OK(vm_cursor_unmap(&cursor, GIB, &removed));
    EXPECT_EQ(removed.ram_pages, 2 * PARTS + 1);
    EXPECT_EQ(removed.io_pages, PARTS);
    EXPECT_EQ(io_mem_refs(io), PARTS);
    EXPECT_EQ(vm_space_charged(world.space), charged);
    vm_cursor_close(&cursor);
    EXPECT_EQ(io_mem_refs(io), 0); /* before the space can go */
    reap_all();
    for (unsigned i = 0; i < 3; i++) {
        EXPECT_EQ(refs_of(blocks[i], 1), 0);
        EXPECT_EQ(refs_of(blocks[i] + 511, 0), 0);
    }
    world_check(&world);
    world_end(&world);
}

/* A piece of reaping releases a bounded number of large pages. */
MODE_TEST(unmap_large, a_dead_space_gives_them_back_in_pieces)
{
    struct world world = world_begin(*levels);
    struct vm_space *space;
    struct vm_cursor cursor;
    struct io_mem *io = NULL;
    uint64_t mapped;
    unsigned pieces = 0;

    EXPECT_OK(vm_space_create(NULL, &space));
    EXPECT_OK(io_mem_create(pa_span(IO_BASE, 4 * GIB), "test,large", &io));
    EXPECT_OK(vm_cursor_open(&cursor, space, va_span(4 * MIB, 4 * GIB), VM_CURSOR_CHANGE));
    EXPECT_OK(vm_cursor_map_iomem(&cursor, io, (struct vm_prop){VM_RW, VM_MEM_IO}, 4 * GIB, 0,
                                  VM_MAP_EXCLUSIVE, &mapped)); /* not aligned alike above 2 MiB */
    vm_cursor_close(&cursor);
    EXPECT_EQ(io_mem_refs(io), 4 * PARTS * PARTS);
    vm_space_put(space);
    while (!vm_space_reap_is_done()) {
        uint64_t refs = io_mem_refs(io);

        cr_assert(vm_space_reap());
        cr_assert(refs - io_mem_refs(io) <= RECLAIM_LEAVES * PARTS);
        pieces++;
    }
    cr_assert(pieces >= 4 * PARTS / RECLAIM_LEAVES);
    EXPECT_EQ(io_mem_refs(io), 0);
    world_end(&world);
}

MODE_TEST(unmap_large, a_dead_space_may_have_all_sorts)
{
    struct world world = world_with_room(*levels, 2);

    (void)map_large(&world, BASE, 2, VM_RW);
    (void)map_large(&world, BASE + GIB, 1, VM_RW);
    (void)map_large(&world, BASE + GIB + 2 * MIB, 1, VM_R);
    hide_at(&world, BASE + GIB, 2 * MIB);
    (void)map_region(&world, BASE + 2 * GIB, GIB + 2 * MIB);
    (void)unmap_at(&world, BASE + GIB + 4 * MIB - PAGE_SIZE, PAGE_SIZE);
    world_end(&world); /* every frame is back */
}
