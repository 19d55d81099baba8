/* SPDX-License-Identifier: MIT */
/*
 * Moving between spaces: what each kind of entry becomes, whose harts are fenced, which tables
 * change hands, and where a move stops.
 */
#include "support_move_spaces.h"

static bool knows_device(const struct world *world)
{
    struct io_mem *io;
    uint64_t offset;

    return vm_space_find_iomem(world->space, pa(DEVICE_BASE), &io, &offset) == OK;
}

MODE_TEST(vm_move_spaces, everything_means_the_same_there)
{
    static const uint64_t places[] = {THERE, NEW};
    struct sides sides = sides_begin(*levels);
    struct mem_object *object = object_new(16);
    struct frame *shared;

    lay_out(&sides.world, &shared, object);
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        uint64_t charged = vm_space_charged(sides.world.space);

        expect_done(move_all(&sides, places[i], STEP), OK, STEP);
        expect_laid_out(&sides.other, places[i], object);
        EXPECT_EQ(slot_of(&sides.world, BASE).item.kind, VM_ITEM_ABSENT);
        EXPECT_EQ(frame_refs(shared), 2); /* ours, and one for the entry */
        EXPECT_EQ(pte_sw(entry_at(&sides.other, places[i])), PTE_SW_RAM);
        EXPECT_EQ(pte_sw(entry_at(&sides.other, places[i] + PAGE_SIZE)), PTE_SW_PRIVATE);
        cr_assert(knows_device(&sides.other) && !knows_device(&sides.world));
        /* Three pages of RAM, and the table of objects, which stays. */
        EXPECT_EQ(vm_space_charged(sides.world.space), charged - 3);
        world_check(&sides.world);
        EXPECT_OK(vm_space_check(sides.other.space));
        expect_done(move_between(&sides.other, places[i], &sides.world, BASE, STEP, 256), OK, STEP);
        expect_laid_out(&sides.world, BASE, object);
    }
    mem_object_put(object);
    frame_put(shared);
    sides_end(&sides);
}

MODE_TEST(vm_move_spaces, a_table_of_pages_goes_as_it_is)
{
    struct sides sides = sides_begin(*levels);
    struct pt_node *node;
    uint64_t charged[2];

    (void)page_with(&sides.world, BASE, 1);
    (void)page_with(&sides.world, BASE + STEP - PAGE_SIZE, 2);
    protect_at(&sides.world, BASE + STEP - PAGE_SIZE, VM_PROT_NONE);
    map_at(&sides.other, NEW + STEP, frame_new(), VM_R);
    node = node_at(&sides.world, BASE);
    charged[0] = vm_space_charged(sides.world.space);
    charged[1] = vm_space_charged(sides.other.space);
    expect_done(move_between(&sides.world, BASE, &sides.other, NEW, STEP, 1), OK, STEP);
    cr_assert(node_at(&sides.other, NEW) == node);
    cr_assert(node->space == sides.other.space && node->base.raw == NEW);
    EXPECT_EQ(vm_space_charged(sides.world.space), charged[0] - 3);
    EXPECT_EQ(vm_space_charged(sides.other.space), charged[1] + 3);
    cr_assert(holds(frame_at(&sides.other, NEW), 1));
    EXPECT_EQ(slot_of(&sides.other, NEW + STEP - PAGE_SIZE).item.kind, VM_ITEM_HIDDEN);
    /* It ends with the space that has it now. */
    vm_space_put(sides.other.space);
    reap_all();
    EXPECT_OK(vm_space_create(NULL, &sides.other.space));
    sides_end(&sides);
}

MODE_TEST(vm_move_spaces, one_with_a_region_or_an_object_is_gone_into)
{
    struct sides sides = sides_begin(*levels);
    struct mem_object *object = object_new(16);
    struct frame *shared;
    struct pt_node *node;

    lay_out(&sides.world, &shared, object);
    node = node_at(&sides.world, BASE);
    expect_done(move_all(&sides, NEW, STEP), OK, STEP);
    cr_assert(node_at(&sides.world, BASE) == node);
    cr_assert(node_at(&sides.other, NEW) != node);
    (void)unmap_at(&sides.other, NEW + 5 * PAGE_SIZE, PAGE_SIZE);
    mem_object_put(object); /* the last one: neither space names it any more */
    frame_put(shared);
    sides_end(&sides);
}

/* The page of its object that an address is of. */
static uint64_t page_of(const struct world *world, uint64_t at)
{
    struct vm_slot slot = slot_of(world, at);

    EXPECT_EQ(slot.item.kind, VM_ITEM_PAGED);
    return slot.item.object_page + (at - slot.range.start.raw) / PAGE_SIZE;
}

MODE_TEST(vm_move_spaces, large_marks_of_objects_find_a_slot_there)
{
    struct sides sides = sides_begin(*levels);
    struct mem_object *object = object_new(4096);
    struct mem_object *first = object_new(1);
    struct vm_mark mark = {.kind = VM_ITEM_PAGED,
                           .prot = VM_R,
                           .object = object,
                           .object_page = 100,
                           .share = VM_SHARE_VIEW};

    /* The first slot there is another object's. */
    mark_range(&sides.other, BASE, PAGE_SIZE,
               (struct vm_mark){.kind = VM_ITEM_PAGED, .prot = VM_R, .object = first});
    mem_object_put(first);
    mark_range(&sides.world, BASE, 2 * STEP, mark);
    mem_object_put(object);
    expect_done(move_all(&sides, NEW, 2 * STEP), OK, 2 * STEP);
    EXPECT_EQ(slot_of(&sides.other, NEW + STEP).range.end.raw, NEW + 2 * STEP);
    EXPECT_EQ(page_of(&sides.other, NEW + STEP), 100 + 512);
    EXPECT_EQ(slot_of(&sides.other, NEW).item.share, VM_SHARE_VIEW);
    cr_assert(slot_of(&sides.other, NEW + STEP).item.object == object);
    EXPECT_EQ(slot_of(&sides.world, BASE).item.kind, VM_ITEM_ABSENT);
    /* A part of one, to where it does not fit. */
    expect_done(move_between(&sides.other, NEW + PAGE_SIZE, &sides.world, BASE, STEP, 1024), OK,
                STEP);
    EXPECT_EQ(page_of(&sides.world, BASE + STEP - PAGE_SIZE), 100 + 512);
    EXPECT_EQ(page_of(&sides.other, NEW), 100);
    EXPECT_EQ(page_of(&sides.other, NEW + STEP + PAGE_SIZE), 100 + 513);
    sides_end(&sides);
}

/* Moves two pages, of one table or as one, while hart 1 runs the space they come from. */
static void expect_fenced(unsigned levels, uint64_t there)
{
    struct sides sides = sides_begin(levels);

    (void)page_with(&sides.world, BASE, 1);
    (void)page_with(&sides.world, BASE + PAGE_SIZE, 2);
    another_hart_runs(&sides.world);
    cr_assert(hart_may(1, BASE, ORACLE_WRITE, NULL));
    host_events_start();
    expect_done(move_all(&sides, there, STEP), OK, STEP);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_REMOTE), 1);
    cr_assert(!hart_may(1, BASE, ORACLE_READ, NULL));
    cr_assert(!hart_may(1, BASE + PAGE_SIZE, ORACLE_READ, NULL));
    another_hart_leaves();
    sides_end(&sides);
}

MODE_TEST(vm_move_spaces, harts_of_the_space_that_entries_leave_are_fenced)
{
    expect_fenced(*levels, THERE);
}

MODE_TEST(vm_move_spaces, harts_of_the_space_that_a_table_leaves_are_fenced)
{
    expect_fenced(*levels, NEW);
}

/* fence.i that a move owes to a hart that runs the space it goes to. */
static size_t fences_of_code(const struct sides *sides, uint64_t at, uint64_t there)
{
    host_events_start();
    expect_done(move_between(&sides->world, at, &sides->other, there, STEP, 256), OK, STEP);
    return host_event_count_of(HOST_EVENT_CODE_REMOTE);
}

MODE_TEST(vm_move_spaces, what_may_be_executed_is_so_in_fact)
{
    struct sides sides = sides_begin(*levels);

    map_at(&sides.world, BASE, frame_new(), VM_RX);
    map_at(&sides.world, BASE + STEP, frame_new(), VM_RW);
    map_at(&sides.world, BASE + 2 * STEP, frame_new(), VM_RX);
    another_hart_runs(&sides.other);
    EXPECT_EQ(fences_of_code(&sides, BASE, THERE), 1);
    EXPECT_EQ(fences_of_code(&sides, BASE + STEP, THERE + STEP), 0);
    /* What is in a table is not looked at. */
    EXPECT_EQ(fences_of_code(&sides, BASE + 2 * STEP, NEW), 1);
    /* Inside a space those that run it have fetched from it before. */
    host_events_start();
    expect_done(move_inside(&sides.other, NEW, NEW + STEP, STEP, 256), OK, STEP);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_CODE_REMOTE), 0);
    another_hart_leaves();
    sides_end(&sides);
}

MODE_TEST(vm_move_spaces, what_is_pending_stays_pending)
{
    struct sides sides = sides_begin(*levels);
    struct frame *frame = page_with(&sides.world, BASE, 4);

    frame_get(frame); /* another owner */
    protect_at(&sides.world, BASE, VM_R);
    protect_at(&sides.world, BASE, VM_RW);
    EXPECT_EQ(pte_sw(entry_at(&sides.world, BASE)), PTE_SW_PENDING);
    expect_done(move_all(&sides, THERE, PAGE_SIZE), OK, PAGE_SIZE);
    EXPECT_EQ(pte_sw(entry_at(&sides.other, THERE)), PTE_SW_PENDING);
    EXPECT_EQ(frame_refs(frame), 2);
    vm_space_activate(sides.other.space);
    EXPECT_EQ(vm_space_fault(sides.other.space, va(THERE), VM_ACCESS_WRITE), VM_FAULT_RETRY);
    vm_space_activate(sides.world.space);
    EXPECT_EQ(frame_refs(frame), 1);
    cr_assert(frame_at(&sides.other, THERE) != frame && holds(frame_at(&sides.other, THERE), 4));
    frame_put(frame);
    sides_end(&sides);
}

MODE_TEST(vm_move_spaces, it_stops_before_what_is_there)
{
    struct sides sides = sides_begin(*levels);

    for (unsigned i = 0; i < PAGES; i++) {
        (void)page_with(&sides.world, BASE + i * PAGE_SIZE, (unsigned char)i);
    }
    map_at(&sides.other, THERE + 3 * PAGE_SIZE, frame_new(), VM_R);
    expect_done(move_all(&sides, THERE, PAGES * PAGE_SIZE), ERR_EXIST, 3 * PAGE_SIZE);
    EXPECT_EQ(slot_of(&sides.world, BASE + 3 * PAGE_SIZE).item.kind, VM_ITEM_RAM);
    EXPECT_EQ(slot_of(&sides.other, THERE + 4 * PAGE_SIZE).item.kind, VM_ITEM_ABSENT);
    sides_end(&sides);
}
