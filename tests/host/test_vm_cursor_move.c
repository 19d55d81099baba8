/* SPDX-License-Identifier: MIT */
/*
 * Moving inside a space, entry by entry: what each kind becomes at its new place, that nothing is
 * left at the old one and no hart can use it, where a move stops, and marks that do not fit.
 */
#include "arch/pte_mark.h"
#include "support_move.h"

#define PAGES 7U

static const struct vm_mark RESERVED = {.kind = VM_ITEM_RESERVED, .prot = VM_RW};

/* One page of each kind, from `at` on. */
static void lay_out(struct world *world, uint64_t at, struct frame **shared)
{
    *shared = frame_new();
    frame_get(*shared);
    map_at(world, at, *shared, VM_RW);
    map_at(world, at + PAGE_SIZE, frame_new(), VM_RX);
    (void)page_with(world, at + 2 * PAGE_SIZE, 3);
    protect_at(world, at + 2 * PAGE_SIZE, VM_PROT_NONE);
    reserve(world, at + 3 * PAGE_SIZE, VM_RW);
    put_mark(world, at + 4 * PAGE_SIZE, (struct pte_mark){.kind = PTE_MARK_GUARD});
    (void)page_with(world, at + 6 * PAGE_SIZE, 6);
}

static void expect_laid_out(const struct world *world, uint64_t at, struct frame *shared)
{
    static const enum vm_item_kind kinds[PAGES] = {VM_ITEM_RAM,      VM_ITEM_RAM,   VM_ITEM_HIDDEN,
                                                   VM_ITEM_RESERVED, VM_ITEM_GUARD, VM_ITEM_ABSENT,
                                                   VM_ITEM_RAM};
    static const enum vm_prot prots[PAGES] = {VM_RW,        VM_RX,        VM_PROT_NONE, VM_RW,
                                              VM_PROT_NONE, VM_PROT_NONE, VM_RW};

    for (unsigned i = 0; i < PAGES; i++) {
        struct vm_slot slot = slot_of(world, at + i * PAGE_SIZE);

        EXPECT_EQ(slot.item.kind, kinds[i]);
        EXPECT_EQ(slot.item.prop.prot, prots[i]);
    }
    EXPECT_EQ(frame_refs(shared), 2); /* ours, and one for the entry */
    cr_assert(holds(slot_of(world, at + 2 * PAGE_SIZE).item.frame, 3));
    cr_assert(holds(frame_at(world, at + 6 * PAGE_SIZE), 6));
    EXPECT_EQ(pte_sw(entry_at(world, at)), PTE_SW_RAM);
    EXPECT_EQ(pte_sw(entry_at(world, at + 6 * PAGE_SIZE)), PTE_SW_PRIVATE);
}

static void expect_nothing(const struct world *world, uint64_t at, unsigned pages)
{
    for (unsigned i = 0; i < pages; i++) {
        EXPECT_EQ(slot_of(world, at + i * PAGE_SIZE).item.kind, VM_ITEM_ABSENT);
    }
}

MODE_TEST(vm_cursor_move, everything_means_the_same_at_its_new_place)
{
    static const uint64_t places[] = {BASE + PAGES * PAGE_SIZE, BASE + 2 * MIB, THERE,
                                      BASE - 3 * PAGE_SIZE};
    struct world world = world_begin(*levels);
    struct frame *shared;
    uint64_t at = BASE;

    lay_out(&world, at, &shared);
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        uint64_t charged = vm_space_charged(world.space);

        expect_done(move_inside(&world, at, places[i], PAGES * PAGE_SIZE, 256), OK,
                    PAGES * PAGE_SIZE);
        expect_laid_out(&world, places[i], shared);
        expect_nothing(&world, at, PAGES);
        cr_assert(vm_space_charged(world.space) <= charged + 2 * (*levels - 1), "tables alone");
        world_check(&world);
        at = places[i];
    }
    frame_put(shared);
    world_end(&world);
}

MODE_TEST(vm_cursor_move, one_flush_and_no_hart_may_use_the_old_place)
{
    struct world world = world_begin(*levels);
    uint64_t to = 0;

    (void)page_with(&world, BASE, 1);
    (void)page_with(&world, BASE + PAGE_SIZE, 2);
    another_hart_runs(&world);
    cr_assert(hart_may(1, BASE, ORACLE_WRITE, &to));
    host_events_start();
    expect_done(move_inside(&world, BASE, THERE, 2 * PAGE_SIZE, 256), OK, 2 * PAGE_SIZE);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_REMOTE), 1);
    cr_assert(!hart_may(1, BASE, ORACLE_READ, NULL));
    cr_assert(!hart_may(1, BASE + PAGE_SIZE, ORACLE_READ, NULL));
    cr_assert(hart_may(1, THERE, ORACLE_WRITE, &to));
    EXPECT_EQ(to, frame_pa(frame_at(&world, THERE)).raw);
    /* What hardware knows nothing of owes nothing. */
    protect_at(&world, THERE, VM_PROT_NONE);
    host_events_start();
    expect_done(move_inside(&world, THERE, BASE, PAGE_SIZE, 256), OK, PAGE_SIZE);
    EXPECT_EQ(fences(), 0);
    another_hart_leaves();
    world_end(&world);
}

MODE_TEST(vm_cursor_move, what_hardware_has_set_is_kept)
{
    struct world world = world_begin(*levels);
    struct pte_slot *slot;

    (void)page_with(&world, BASE, 1);
    protect_at(&world, BASE, VM_R);
    slot = &node_at(&world, BASE)->slots[pte_index(va(BASE), 0)];
    pte_slot_clear(slot, PTE_A | PTE_D);
    expect_done(move_inside(&world, BASE, THERE, PAGE_SIZE, 1), OK, PAGE_SIZE);
    EXPECT_EQ(entry_at(&world, THERE).raw & (PTE_A | PTE_D), 0);
    pte_slot_set(&node_at(&world, THERE)->slots[pte_index(va(THERE), 0)], PTE_A | PTE_D);
    expect_done(move_inside(&world, THERE, BASE, PAGE_SIZE, 1), OK, PAGE_SIZE);
    EXPECT_EQ(entry_at(&world, BASE).raw & (PTE_A | PTE_D), PTE_A | PTE_D);
    world_end(&world);
}

MODE_TEST(vm_cursor_move, it_stops_before_what_is_there)
{
    struct world world = world_begin(*levels);

    for (unsigned i = 0; i < PAGES; i++) {
        (void)page_with(&world, BASE + i * PAGE_SIZE, (unsigned char)i);
    }
    map_at(&world, THERE + 3 * PAGE_SIZE, frame_new(), VM_R);
    expect_done(move_inside(&world, BASE, THERE, PAGES * PAGE_SIZE, 256), ERR_EXIST, 3 * PAGE_SIZE);
    EXPECT_EQ(slot_of(&world, BASE + 3 * PAGE_SIZE).item.kind, VM_ITEM_RAM);
    EXPECT_EQ(slot_of(&world, THERE + 4 * PAGE_SIZE).item.kind, VM_ITEM_ABSENT);
    (void)unmap_at(&world, BASE + 3 * PAGE_SIZE, PAGE_SIZE);
    /* What is in the way of nothing does not matter. */
    expect_done(
        move_inside(&world, BASE + 3 * PAGE_SIZE, THERE + 3 * PAGE_SIZE, 4 * PAGE_SIZE, 256), OK,
        4 * PAGE_SIZE);
    cr_assert(holds(frame_at(&world, THERE + 6 * PAGE_SIZE), 6));
    world_end(&world);
}

MODE_TEST(vm_cursor_move, it_is_cut_where_no_edit_is_left)
{
    struct world world = world_begin(*levels);

    for (unsigned i = 0; i < PAGES; i++) {
        (void)page_with(&world, BASE + 2 * i * PAGE_SIZE, (unsigned char)i);
    }
    expect_done(move_inside(&world, BASE, THERE, 2 * PAGES * PAGE_SIZE, 2), OK, 4 * PAGE_SIZE);
    EXPECT_EQ(slot_of(&world, BASE + 4 * PAGE_SIZE).item.kind, VM_ITEM_RAM);
    EXPECT_EQ(slot_of(&world, BASE + 2 * PAGE_SIZE).item.kind, VM_ITEM_ABSENT);
    world_end(&world);
}

/* Reserves so much at BASE, moves it to `there` in steps, and counts the marks it has become. */
static unsigned marks_after(struct world *world, uint64_t bytes, uint64_t there)
{
    unsigned count = 0;

    mark_range(world, BASE, bytes, RESERVED);
    for (uint64_t done = 0; done < bytes;) {
        struct result result = move_inside(world, BASE + done, there + done, bytes - done, 256);

        EXPECT_OK(result.status);
        EXPECT_EQ(result.from_done, result.to_done);
        cr_assert(result.to_done > 0);
        done += result.to_done;
        for (uint64_t at = 0; at < done;) {
            struct vm_slot slot = slot_of(world, BASE + at);

            EXPECT_EQ(slot.item.kind, VM_ITEM_ABSENT);
            at = slot.range.end.raw - BASE;
        }
        if (done < bytes) {
            EXPECT_EQ(slot_of(world, BASE + done).item.kind, VM_ITEM_RESERVED);
            EXPECT_EQ(slot_of(world, BASE + bytes - PAGE_SIZE).item.kind, VM_ITEM_RESERVED);
        }
        world_check(world);
    }
    for (uint64_t done = 0; done < bytes; count++) {
        struct vm_slot slot = slot_of(world, there + done);

        EXPECT_EQ(slot.item.kind, VM_ITEM_RESERVED);
        EXPECT_EQ(slot.item.prop.prot, VM_RW);
        done = slot.range.end.raw - there;
    }
    return count;
}

MODE_TEST(vm_cursor_move, a_large_mark_goes_as_large_as_it_fits)
{
    struct world world = world_begin(*levels);

    EXPECT_EQ(marks_after(&world, GIB, BASE + 8 * GIB), 1);
    world_end(&world);
}

MODE_TEST(vm_cursor_move, a_large_mark_is_cut_where_it_does_not_fit)
{
    struct world world = world_begin(*levels);

    /* Three pages off: 509 pages, 511 times 2 MiB, 3 pages. */
    EXPECT_EQ(marks_after(&world, GIB, THERE), 509 + 511 + 3);
    world_end(&world);
}

MODE_TEST(vm_cursor_move, a_part_of_a_large_mark_leaves_the_rest)
{
    struct world world = world_begin(*levels);

    mark_range(&world, BASE, 2 * MIB, RESERVED);
    expect_done(move_inside(&world, BASE + PAGE_SIZE, THERE, 2 * PAGE_SIZE, 256), OK,
                2 * PAGE_SIZE);
    EXPECT_EQ(slot_of(&world, BASE).item.kind, VM_ITEM_RESERVED);
    expect_nothing(&world, BASE + PAGE_SIZE, 2);
    EXPECT_EQ(slot_of(&world, BASE + 3 * PAGE_SIZE).item.kind, VM_ITEM_RESERVED);
    EXPECT_EQ(slot_of(&world, THERE + PAGE_SIZE).item.kind, VM_ITEM_RESERVED);
    EXPECT_EQ(slot_of(&world, THERE + 2 * PAGE_SIZE).item.kind, VM_ITEM_ABSENT);
    /* Into a hole of itself. */
    expect_done(move_inside(&world, BASE + 3 * PAGE_SIZE, BASE + 2 * PAGE_SIZE, PAGE_SIZE, 256), OK,
                PAGE_SIZE);
    EXPECT_EQ(slot_of(&world, BASE + 2 * PAGE_SIZE).item.kind, VM_ITEM_RESERVED);
    EXPECT_EQ(slot_of(&world, BASE + 3 * PAGE_SIZE).item.kind, VM_ITEM_ABSENT);
    world_end(&world);
}

MODE_TEST(vm_cursor_move, a_page_of_a_region_stays_one)
{
    struct world world = world_begin(*levels);
    struct vm_cursor cursor = cursor_open(&world, BASE, PAGE_SIZE, VM_CURSOR_CHANGE);
    struct io_mem *io;
    struct io_mem *found;
    uint64_t mapped;
    uint64_t refs;

    EXPECT_OK(io_mem_create(pa_span(DEVICE_BASE, PAGE_SIZE), "test,device", &io));
    EXPECT_OK(vm_cursor_map_iomem(&cursor, io, (struct vm_prop){VM_RW, VM_MEM_IO}, PAGE_SIZE, 0,
                                  VM_MAP_EXCLUSIVE, &mapped));
    vm_cursor_close(&cursor);
    refs = io_mem_refs(io);
    expect_done(move_inside(&world, BASE, THERE, PAGE_SIZE, 1), OK, PAGE_SIZE);
    EXPECT_EQ(slot_of(&world, THERE).item.kind, VM_ITEM_IO);
    EXPECT_EQ(slot_of(&world, THERE).item.pa.raw, DEVICE_BASE);
    EXPECT_EQ(io_mem_refs(io), refs);
    EXPECT_OK(vm_space_find_iomem(world.space, pa(DEVICE_BASE), &found, &mapped));
    EXPECT_EQ(unmap_at(&world, THERE, PAGE_SIZE).io_pages, 1);
    EXPECT_STATUS(vm_space_find_iomem(world.space, pa(DEVICE_BASE), &found, &mapped), ERR_NOENT);
    world_end(&world);
}

MODE_TEST(vm_cursor_move, what_left_under_the_same_cursors_makes_room)
{
    struct world world = world_begin(*levels);
    struct va_range ranges[2] = {va_span(BASE, 3 * PAGE_SIZE), va_span(THERE, 3 * PAGE_SIZE)};
    struct vm_cursor pair[2];
    struct vm_removed removed;

    for (unsigned i = 0; i < 3; i++) {
        (void)page_with(&world, BASE + i * PAGE_SIZE, (unsigned char)i);
    }
    (void)page_with(&world, THERE + 2 * PAGE_SIZE, 9);
    EXPECT_OK(vm_cursor_open_two(pair, world.space, ranges, VM_CURSOR_CHANGE));
    EXPECT_OK(vm_cursor_jump(&pair[0], va(BASE + PAGE_SIZE)));
    EXPECT_OK(vm_cursor_unmap(&pair[0], PAGE_SIZE, &removed));
    EXPECT_OK(vm_cursor_unmap(&pair[1], 3 * PAGE_SIZE, &removed));
    EXPECT_OK(vm_cursor_jump(&pair[0], va(BASE)));
    EXPECT_OK(vm_cursor_jump(&pair[1], va(THERE)));
    /* Two edits: what was unmapped is not there any more. */
    EXPECT_OK(vm_cursor_move(&pair[0], &pair[1], 3 * PAGE_SIZE, 2));
    EXPECT_EQ(vm_cursor_va(&pair[1]).raw, THERE + 3 * PAGE_SIZE);
    vm_cursor_close_two(pair);
    expect_nothing(&world, BASE, 3);
    EXPECT_EQ(slot_of(&world, THERE + PAGE_SIZE).item.kind, VM_ITEM_ABSENT);
    cr_assert(holds(frame_at(&world, THERE + 2 * PAGE_SIZE), 2));
    world_end(&world);
}

MODE_TEST(vm_cursor_move, what_makes_no_sense_is_refused)
{
    struct world world = world_begin(*levels);
    struct va_range ranges[2] = {va_span(BASE, PAGE_SIZE), va_span(BASE + GIB, PAGE_SIZE)};
    struct vm_cursor pair[2];

    EXPECT_OK(vm_cursor_open_two(pair, world.space, ranges, VM_CURSOR_CHANGE));
    EXPECT_STATUS(vm_cursor_move(&pair[0], &pair[1], 2 * PAGE_SIZE, 1), ERR_RANGE);
    EXPECT_STATUS(vm_cursor_move(&pair[0], &pair[1], 1, 1), ERR_INVAL);
    EXPECT_STATUS(vm_cursor_move(&pair[0], &pair[1], PAGE_SIZE, 0), ERR_INVAL);
    EXPECT_STATUS(vm_cursor_move(&pair[0], &pair[0], PAGE_SIZE, 1), ERR_INVAL);
    EXPECT_OK(vm_cursor_move(&pair[1], &pair[0], 0, 1));
    vm_cursor_close_two(pair);
    EXPECT_OK(vm_cursor_open_two(pair, world.space, ranges, VM_CURSOR_EDIT));
    EXPECT_STATUS(vm_cursor_move(&pair[0], &pair[1], PAGE_SIZE, 1), ERR_ACCES);
    vm_cursor_close_two(pair);
    EXPECT_OK(vm_cursor_open_two(pair, world.space, ranges, VM_CURSOR_QUERY));
    EXPECT_STATUS(vm_cursor_move(&pair[0], &pair[1], PAGE_SIZE, 1), ERR_ACCES);
    vm_cursor_close_two(pair);
    EXPECT_OK(vm_cursor_open(&pair[0], world.space, ranges[0], VM_CURSOR_CHANGE));
    EXPECT_OK(vm_cursor_open(&pair[1], world.space, ranges[1], VM_CURSOR_CHANGE));
    EXPECT_STATUS(vm_cursor_move(&pair[0], &pair[1], PAGE_SIZE, 1), ERR_INVAL);
    vm_cursor_close(&pair[1]);
    vm_cursor_close(&pair[0]);
    world_end(&world);
}
