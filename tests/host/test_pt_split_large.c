/* SPDX-License-Identifier: MIT */
/*
 * Large entries in which something smaller happens: a table takes the place of each, exactly as far
 * down as that needs, and every address means what it meant.
 */
#include "lib/counter.h"
#include "mm/pt_split.h"
#include "support_held.h"
#include "support_large.h"

#define BASE (4 * GIB)

static struct held held;

/* What pt_split_to says, by a cursor on the page alone. */
static status_t split_to(struct world *world, uint64_t at, unsigned level)
{
    struct vm_cursor cursor = cursor_open(world, at, PAGE_SIZE, VM_CURSOR_EDIT);
    status_t status = pt_split_to(&cursor, va(at), level);

    vm_cursor_close(&cursor);
    world_check(world);
    return status;
}

/* ---- what a part of it is unmapped from ---- */

MODE_TEST(pt_split_large, unmapping_a_page_leaves_the_others)
{
    struct world world = world_begin(*levels);
    struct frame *block = map_large(&world, BASE, 1, VM_RW);
    uint64_t charged = vm_space_charged(world.space);
    uint64_t split = counter_read(COUNTER_entries_split);

    expect_extent(&world, BASE, VM_ITEM_RAM, 2 * MIB);
    host_events_start();
    EXPECT_EQ(unmap_at(&world, BASE + 7 * PAGE_SIZE, PAGE_SIZE).ram_pages, 1);
    cr_assert(flushes_of(true) >= 1); /* not by address alone */
    EXPECT_EQ(counter_read(COUNTER_entries_split), split + 1);
    expect_absent(&world, BASE + 7 * PAGE_SIZE);
    for (unsigned i = 0; i < PARTS; i++) {
        if (i != 7) {
            expect_mapped(&world, BASE + i * PAGE_SIZE, block + i, VM_RW);
            expect_extent(&world, BASE + i * PAGE_SIZE, VM_ITEM_RAM, PAGE_SIZE);
        }
    }
    EXPECT_EQ(vm_space_charged(world.space), charged + 1 - 1); /* a table more, a page less */
    EXPECT_EQ(refs_of(block, 1), 0);
    EXPECT_EQ(refs_of(block, 0), 1);
    EXPECT_EQ(refs_of(block + 7, 0), 0);
    EXPECT_EQ(refs_of(block + 511, 0), 1);
    world_check(&world);
    world_end(&world);
}

MODE_TEST(pt_split_large, a_gigabyte_is_split_just_around_the_page)
{
    struct world world = world_with_room(*levels, 2);
    struct frame *block = map_large(&world, BASE, 2, VM_RW);
    uint64_t at = BASE + 700 * MIB; /* the first page of 2 MiB: only its end is inside */

    EXPECT_EQ(unmap_at(&world, at, PAGE_SIZE).ram_pages, 1);
    expect_absent(&world, at);
    expect_extent(&world, at + PAGE_SIZE, VM_ITEM_RAM, PAGE_SIZE);
    expect_extent(&world, at - 1, VM_ITEM_RAM, 2 * MIB);
    expect_extent(&world, at + 2 * MIB, VM_ITEM_RAM, 2 * MIB);
    expect_mapped(&world, at + PAGE_SIZE, block + 700 * 256 + 1, VM_RW);
    expect_mapped(&world, BASE, block, VM_RW);
    EXPECT_EQ(refs_of(block, 2), 0);
    EXPECT_EQ(refs_of(block, 1), 1);
    EXPECT_EQ(refs_of(block + 700 * 256, 1), 0);
    EXPECT_EQ(refs_of(block + 700 * 256, 0), 0);
    world_check(&world);
    world_end(&world);
}

MODE_TEST(pt_split_large, both_ends_may_lie_in_one)
{
    struct world world = world_with_room(*levels, 2);
    uint64_t split = counter_read(COUNTER_entries_split);

    (void)map_large(&world, BASE, 2, VM_R);
    EXPECT_EQ(unmap_at(&world, BASE + PAGE_SIZE, GIB - 2 * PAGE_SIZE).ram_pages, PARTS * PARTS - 2);
    EXPECT_EQ(counter_read(COUNTER_entries_split), split + 3);
    expect_extent(&world, BASE, VM_ITEM_RAM, PAGE_SIZE);
    expect_extent(&world, BASE + GIB - 1, VM_ITEM_RAM, PAGE_SIZE);
    expect_absent(&world, BASE + PAGE_SIZE);
    expect_absent(&world, BASE + GIB / 2);
    world_check(&world);
    world_end(&world);
}

/* A range that is exactly the page's takes it whole. */
MODE_TEST(pt_split_large, nothing_is_split_at_its_ends)
{
    struct world world = world_begin(*levels);
    uint64_t split = counter_read(COUNTER_entries_split);

    (void)map_large(&world, BASE, 1, VM_RW);
    (void)map_large(&world, BASE + 2 * MIB, 1, VM_RW);
    EXPECT_EQ(unmap_at(&world, BASE + 2 * MIB, 2 * MIB).ram_pages, PARTS);
    EXPECT_EQ(unmap_at(&world, BASE, 2 * MIB).ram_pages, PARTS);
    EXPECT_EQ(counter_read(COUNTER_entries_split), split);
    world_end(&world);
}

/* ---- what stays ---- */

MODE_TEST(pt_split_large, what_hardware_has_set_is_in_all_parts)
{
    static const uint64_t bits[] = {0, PTE_A, PTE_A | PTE_D};
    struct world world = world_begin(*levels);

    for (size_t i = 0; i < ARRAY_LEN(bits); i++) {
        uint64_t at = BASE + i * 2 * MIB;
        struct vm_cursor cursor;
        struct pt_place place;

        (void)map_large(&world, at, 1, VM_RW);
        cursor = cursor_open(&world, at, 2 * MIB, VM_CURSOR_EDIT);
        place = pt_look(&cursor, va(at));
        pte_slot_store(&place.node->slots[place.index],
                       (pte_t){(place.entry.raw & ~(PTE_A | PTE_D)) | bits[i]});
        vm_cursor_issue(&cursor, VM_FLUSH_SPACE, (struct va_range){0});
        vm_cursor_close(&cursor);
        EXPECT_OK(split_to(&world, at + 5 * PAGE_SIZE, 0));
        for (unsigned part = 0; part < PARTS; part += 73) {
            EXPECT_EQ(entry_at(&world, at + part * PAGE_SIZE).raw & (PTE_A | PTE_D), bits[i]);
        }
    }
    world_end(&world);
}

/* Whose it is, and what it grants. */
MODE_TEST(pt_split_large, parts_are_whose_the_whole_was)
{
    static const struct {
        enum vm_prot prot;
        enum pte_sw sw;
    } rows[] = {
        {VM_RW, PTE_SW_RAM}, {VM_RX, PTE_SW_PRIVATE}, {VM_R, PTE_SW_PENDING}, {VM_R, PTE_SW_VIEW}};
    struct world world = world_begin(*levels);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct vm_cursor cursor;
        struct pt_place place;
        pte_t whole;

        (void)map_large(&world, BASE, 1, rows[i].prot);
        cursor = cursor_open(&world, BASE, 2 * MIB, VM_CURSOR_EDIT);
        place = pt_look(&cursor, va(BASE));
        whole = pte_with_sw(place.entry, rows[i].sw);
        pte_slot_store(&place.node->slots[place.index], whole);
        vm_cursor_close(&cursor);
        EXPECT_OK(split_to(&world, BASE, 0));
        EXPECT_EQ(entry_at(&world, BASE).raw, whole.raw);
        EXPECT_EQ(entry_at(&world, BASE + 511 * PAGE_SIZE).raw,
                  pte_leaf_part(whole, 511, PAGE_SIZE).raw);
        EXPECT_EQ(unmap_at(&world, BASE, 2 * MIB).ram_pages, PARTS);
        reap_all();
    }
    world_end(&world);
}

MODE_TEST(pt_split_large, hidden_pages_owe_no_flush)
{
    struct world world = world_with_room(*levels, 2);
    struct frame *block = map_large(&world, BASE, 2, VM_RW);
    uint64_t charged;

    hide_at(&world, BASE, GIB);
    expect_extent(&world, BASE, VM_ITEM_HIDDEN, GIB);
    charged = vm_space_charged(world.space);
    host_events_start();
    EXPECT_EQ(unmap_at(&world, BASE + 3 * PAGE_SIZE, PAGE_SIZE).ram_pages, 1);
    EXPECT_EQ(flushes_of(false), 0);
    expect_extent(&world, BASE, VM_ITEM_HIDDEN, PAGE_SIZE);
    expect_extent(&world, BASE + 2 * MIB, VM_ITEM_HIDDEN, 2 * MIB);
    EXPECT_EQ(slot_at(&world, BASE + 5 * PAGE_SIZE).item.pa.raw, frame_pa(block + 5).raw);
    EXPECT_EQ(slot_at(&world, BASE + 6 * MIB).item.pa.raw, frame_pa(block + 6 * 256).raw);
    EXPECT_EQ(refs_of(block + 3, 0), 0);
    EXPECT_EQ(vm_space_charged(world.space), charged + 2 - 1);
    world_check(&world);
    world_end(&world);
}

/* Another owner of the block keeps it whole; this one has a reference of each part. */
MODE_TEST(pt_split_large, a_shared_block_stays_whole_for_the_other)
{
    struct world world = world_begin(*levels);
    struct frame *block = map_large(&world, BASE, 1, VM_RW);

    frame_block_get(block, 1);
    EXPECT_OK(split_to(&world, BASE, 0));
    EXPECT_EQ(refs_of(block, 1), 1);
    expect_parts(block, 1, 2);
    EXPECT_EQ(unmap_at(&world, BASE, PAGE_SIZE).ram_pages, 1);
    EXPECT_EQ(refs_of(block, 0), 1);
    frame_block_put(block, 1);
    reap_all();
    EXPECT_EQ(refs_of(block, 0), 0);
    EXPECT_EQ(refs_of(block + 1, 0), 1);
    world_end(&world);
}

MODE_TEST(pt_split_large, pages_of_a_region_are_counted_as_before)
{
    struct world world = world_begin(*levels);
    struct io_mem *io = map_region(&world, BASE, GIB);
    struct vm_removed removed;

    expect_extent(&world, BASE, VM_ITEM_IO, GIB);
    EXPECT_EQ(io_mem_refs(io), PARTS * PARTS);
    removed = unmap_at(&world, BASE + 2 * MIB + PAGE_SIZE, PAGE_SIZE);
    EXPECT_EQ(removed.io_pages, 1);
    EXPECT_EQ(removed.ram_pages, 0);
    EXPECT_EQ(io_mem_refs(io), PARTS * PARTS - 1);
    expect_mapped_pa(&world, BASE + 2 * MIB, IO_BASE + 2 * MIB, VM_RW);
    expect_mapped_pa(&world, BASE + 4 * MIB, IO_BASE + 4 * MIB, VM_RW);
    expect_extent(&world, BASE + 4 * MIB, VM_ITEM_IO, 2 * MIB);
    world_check(&world);
    EXPECT_EQ(unmap_at(&world, BASE, GIB).io_pages, PARTS * PARTS - 1);
    EXPECT_EQ(io_mem_refs(io), 0);
    world_end(&world);
}

/* ---- just around an address ---- */

MODE_TEST(pt_split_large, to_a_level)
{
    struct world world = world_with_room(*levels, 2);
    uint64_t split = counter_read(COUNTER_entries_split);

    EXPECT_OK(split_to(&world, BASE, 0)); /* nothing is there */
    (void)map_large(&world, BASE, 2, VM_RW);
    EXPECT_OK(split_to(&world, BASE, 2));
    EXPECT_EQ(counter_read(COUNTER_entries_split), split);
    EXPECT_OK(split_to(&world, BASE + 3 * MIB, 1));
    EXPECT_EQ(counter_read(COUNTER_entries_split), split + 1);
    expect_extent(&world, BASE, VM_ITEM_RAM, 2 * MIB);
    EXPECT_OK(split_to(&world, BASE + 3 * MIB, 0));
    expect_extent(&world, BASE + 3 * MIB, VM_ITEM_RAM, PAGE_SIZE);
    expect_extent(&world, BASE, VM_ITEM_RAM, 2 * MIB);
    EXPECT_OK(split_to(&world, BASE + 3 * MIB, 0));
    EXPECT_EQ(counter_read(COUNTER_entries_split), split + 2);
    world_end(&world);
}

/* ---- when memory is out ---- */

MODE_TEST(pt_split_large, the_stock_splits_then_nothing_changes)
{
    struct world world = world_begin(*levels);
    uint64_t charged;
    uint64_t at = BASE;

    for (unsigned i = 0; i < 4; i++) {
        (void)map_large(&world, BASE + i * 2 * MIB, 1, VM_RW);
    }
    charged = vm_space_charged(world.space);
    EXPECT_EQ(vm_space_split_stock(world.space), 2 * (*levels - 1));
    hold_all(&held);
    for (; vm_space_split_stock(world.space) > 0 && at < BASE + 6 * MIB; at += 2 * MIB) {
        EXPECT_OK(split_to(&world, at, 0));
        EXPECT_EQ(vm_space_charged(world.space), charged); /* it went with the tables */
    }
    while (vm_space_split_stock(world.space) > 0) {
        pt_node_destroy(vm_space_stock_take(world.space));
        hold_all(&held);
    }
    charged = vm_space_charged(world.space);
    EXPECT_STATUS(split_to(&world, BASE + 6 * MIB, 0), ERR_NOMEM);
    expect_extent(&world, BASE + 6 * MIB, VM_ITEM_RAM, 2 * MIB);
    EXPECT_EQ(vm_space_charged(world.space), charged);
    let_go(&held);
    EXPECT_OK(split_to(&world, BASE + 6 * MIB, 0));
    world_end(&world);
}

/* Each table of both ends may be the one that is not there. */
MODE_TEST(pt_split_large, each_allocation_may_fail)
{
    struct world world = world_with_room(*levels, 2);
    struct frame *block = map_large(&world, BASE, 2, VM_RW);
    status_t status = ERR_NOMEM;
    unsigned failures = 0;

    while (vm_space_split_stock(world.space) > 0) {
        pt_node_destroy(vm_space_stock_take(world.space));
    }
    for (uint64_t allowed = 0; status == ERR_NOMEM; allowed++) {
        struct vm_cursor cursor = cursor_open(&world, BASE, GIB, VM_CURSOR_EDIT);
        uint64_t charged = vm_space_charged(world.space);
        struct vm_removed removed;

        EXPECT_OK(vm_cursor_jump(&cursor, va(BASE + PAGE_SIZE)));
        frame_fail_after(allowed);
        status = vm_cursor_unmap(&cursor, GIB - 2 * PAGE_SIZE, &removed);
        frame_fail_after(UINT64_MAX);
        EXPECT_EQ(vm_cursor_va(&cursor).raw,
                  status == OK ? BASE + GIB - PAGE_SIZE : BASE + PAGE_SIZE);
        vm_cursor_close(&cursor);
        if (status == ERR_NOMEM) {
            failures++;
            EXPECT_EQ(vm_space_charged(world.space), charged);
            expect_extent(&world, BASE, VM_ITEM_RAM, GIB);
            EXPECT_EQ(refs_of(block, 2), 1);
        }
        world_check(&world);
    }
    EXPECT_OK(status);
    cr_assert(failures >= 3); /* so many tables; their records need memory, too */
    world_end(&world);
}
