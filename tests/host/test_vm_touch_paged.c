/* SPDX-License-Identifier: MIT */
/*
 * Touching pages of memory objects that are shared: which frame comes, whose it is, and what is
 * left of the mark.
 */
#include "arch/pte_mark.h"
#include "support_touch_paged.h"

/* Another space, in which the same addresses mean the same pages. */
static struct vm_space *another_space(struct mem_object *object, enum vm_prot prot,
                                      enum vm_share share)
{
    struct world world = {0};

    EXPECT_OK(vm_space_create(NULL, &world.space));
    mark_at(&world, BASE, 8 * PAGE_SIZE, paged(object, 0, share, prot));
    return world.space;
}

/* ---- shared ---- */

MODE_TEST(vm_touch_paged, any_access_maps_the_frame_that_the_object_makes)
{
    static const enum vm_access accesses[] = {VM_ACCESS_READ, VM_ACCESS_WRITE, VM_ACCESS_EXECUTE};
    struct mem_object *object;
    struct world world = world_of(&object, *levels, VM_RWX, VM_SHARE_ALL);

    another_hart_runs(&world);
    for (size_t i = 0; i < ARRAY_LEN(accesses); i++) {
        uint64_t at = BASE + i * PAGE_SIZE;
        uint64_t charged = vm_space_charged(world.space);

        host_events_start();
        EXPECT_EQ(fault(&world, at + 9, accesses[i]), VM_FAULT_RETRY);
        EXPECT_EQ(fences(), 0);
        EXPECT_EQ(host_event_count_of(HOST_EVENT_SLOT), 1);
        EXPECT_EQ(vm_space_charged(world.space), charged + 1);
        expect_mapped(&world, at, object_look(object, i), VM_RWX);
        EXPECT_EQ(pte_sw(entry_at(&world, at)), PTE_SW_RAM);
        EXPECT_EQ(frame_refs(frame_at(&world, at)), 2); /* the object's and the entry's */
        cr_assert(holds(frame_at(&world, at), 0));
    }
    expect_object(object, PAGES, 3);
    another_hart_leaves();
    finish(&world, object);
}

MODE_TEST(vm_touch_paged, spaces_meet_in_the_frame)
{
    struct mem_object *object;
    struct world world = world_of(&object, *levels, VM_RW, VM_SHARE_ALL);
    struct vm_space *other = another_space(object, VM_R, VM_SHARE_ALL);
    struct world reader = {.levels = *levels, .space = other};

    EXPECT_EQ(fault(&reader, BASE + PAGE_SIZE, VM_ACCESS_READ), VM_FAULT_RETRY); /* comes first */
    EXPECT_EQ(fault(&world, BASE + PAGE_SIZE, VM_ACCESS_WRITE), VM_FAULT_RETRY);
    cr_assert(frame_at(&world, BASE + PAGE_SIZE) == frame_at(&reader, BASE + PAGE_SIZE));
    expect_mapped(&reader, BASE + PAGE_SIZE, object_look(object, 1), VM_R);
    EXPECT_EQ(frame_refs(object_look(object, 1)), 3);
    EXPECT_EQ(fault(&reader, BASE + PAGE_SIZE, VM_ACCESS_WRITE), VM_FAULT_BAD);
    EXPECT_EQ(fault(&reader, BASE, VM_ACCESS_WRITE), VM_FAULT_BAD); /* by the mark */
    cr_assert(object_look(object, 0) == NULL);
    vm_space_put(other);
    finish(&world, object);
}

MODE_TEST(vm_touch_paged, what_runs_is_so_in_fact)
{
    struct mem_object *object;
    struct world world = world_of(&object, *levels, VM_RX, VM_SHARE_ALL);

    host_events_start();
    EXPECT_EQ(fault(&world, BASE, VM_ACCESS_READ), VM_FAULT_RETRY);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_CODE_LOCAL), 1);
    finish(&world, object);
}

/* ---- views ---- */

MODE_TEST(vm_touch_paged, a_view_shows_the_frame_and_is_never_filled)
{
    struct mem_object *object;
    struct world world = world_of(&object, *levels, VM_R, VM_SHARE_VIEW);

    EXPECT_EQ(fault(&world, BASE, VM_ACCESS_WRITE), VM_FAULT_BAD);
    EXPECT_STATUS(fill(&world, BASE), ERR_FAULT);
    expect_object(object, PAGES, 0);
    EXPECT_EQ(fault(&world, BASE, VM_ACCESS_READ), VM_FAULT_RETRY);
    expect_mapped(&world, BASE, object_look(object, 0), VM_R);
    EXPECT_EQ(pte_sw(entry_at(&world, BASE)), PTE_SW_VIEW);
    EXPECT_EQ(fault(&world, BASE, VM_ACCESS_WRITE), VM_FAULT_BAD);
    EXPECT_STATUS(fill(&world, BASE), ERR_FAULT);
    finish(&world, object);
}

MODE_TEST(vm_touch_paged, who_reads_a_page_is_told_whose_it_is)
{
    static const enum pte_sw expected[] = {[VM_SHARE_ALL] = PTE_SW_RAM,
                                           [VM_SHARE_VIEW] = PTE_SW_VIEW,
                                           [VM_SHARE_NONE] = PTE_SW_PRIVATE};
    struct world world = world_with_a_table(*levels);
    struct mem_object *object = object_new(PAGES);
    struct frame *there = object_make(object, 0);

    for (unsigned share = VM_SHARE_ALL; share <= VM_SHARE_NONE; share++) {
        struct vm_page page;

        mark_at(&world, BASE, PAGE_SIZE, paged(object, 0, (enum vm_share)share, VM_R));
        EXPECT_OK(vm_space_page_get(world.space, va(BASE), &page));
        cr_assert(page.frame == there);
        EXPECT_EQ(page.sw, expected[share]);
        frame_put(page.frame);
    }
    finish(&world, object);
}

/* ---- the mark ---- */

/* The object goes when no mark and no handle names it; what is mapped stays. */
MODE_TEST(vm_touch_paged, the_last_mark_that_is_touched_gives_the_object_up)
{
    struct mem_object *object;
    struct world world = world_of(&object, *levels, VM_RW, VM_SHARE_ALL);

    mem_object_put(object); /* the space has it still */
    for (uint64_t i = 0; i < 8; i++) {
        cr_assert(vm_space_reap_is_done());
        EXPECT_EQ(fault(&world, BASE + i * PAGE_SIZE, VM_ACCESS_WRITE), VM_FAULT_RETRY);
        fill_frame(frame_at(&world, BASE + i * PAGE_SIZE), (unsigned char)i);
    }
    cr_assert(!vm_space_reap_is_done());
    reap_all();
    for (uint64_t i = 0; i < 8; i++) {
        EXPECT_EQ(frame_refs(frame_at(&world, BASE + i * PAGE_SIZE)), 1);
        cr_assert(holds(frame_at(&world, BASE + i * PAGE_SIZE), (unsigned char)i));
    }
    world_check(&world);
    world_end(&world);
}

MODE_TEST(vm_touch_paged, each_page_inside_a_large_mark_is_the_right_one)
{
    static const uint64_t pages[] = {0, 1, 511, 512, 77777, (1 << 18) - 1};
    struct world world = world_begin(*levels);
    struct mem_object *object = object_new(MEM_OBJECT_PAGES_MAX);
    uint64_t first = (UINT64_C(1) << 30) + 3; /* of the object */

    mark_at(&world, BASE, GIB, paged(object, first, VM_SHARE_ALL, VM_RW));
    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        uint64_t at = BASE + pages[i] * PAGE_SIZE;

        EXPECT_EQ(fault(&world, at, VM_ACCESS_WRITE), VM_FAULT_RETRY);
        expect_mapped(&world, at, object_look(object, first + pages[i]), VM_RW);
        expect_object(object, MEM_OBJECT_PAGES_MAX, i + 1);
        world_check(&world);
    }
    unmap_at(&world, BASE, GIB);
    EXPECT_EQ(object_resize(object, 0), 1); /* no space names it, nothing is mapped */
    finish(&world, object);
}

MODE_TEST(vm_touch_paged, what_somebody_keeps_is_refused)
{
    struct world world = world_with_a_table(*levels);

    put_mark(&world, BASE,
             (struct pte_mark){
                 .kind = PTE_MARK_SWAPPED, .sw = PTE_SW_PRIVATE, .prot = VM_RW, .place = 7});
    EXPECT_EQ(fault(&world, BASE, VM_ACCESS_READ), VM_FAULT_BAD);
    EXPECT_STATUS(fill(&world, BASE), ERR_FAULT);
    world_end(&world);
}

/* ---- resizing what is mapped ---- */

MODE_TEST(vm_touch_paged, an_object_shrinks_no_further_than_it_is_named_or_mapped)
{
    struct mem_object *object;
    struct world world = world_of(&object, *levels, VM_RW, VM_SHARE_ALL);

    EXPECT_STATUS(mem_object_resize(object, 7), ERR_BUSY); /* by marks */
    EXPECT_EQ(object_resize(object, 8), 1);
    for (uint64_t i = 0; i < 8; i++) {
        EXPECT_EQ(fault(&world, BASE + i * PAGE_SIZE, VM_ACCESS_READ), VM_FAULT_RETRY);
    }
    EXPECT_STATUS(mem_object_resize(object, 7), ERR_BUSY); /* by the page that is mapped */
    expect_object(object, 8, 8);
    unmap_at(&world, BASE + 3 * PAGE_SIZE, 5 * PAGE_SIZE);
    EXPECT_STATUS(mem_object_resize(object, 2), ERR_BUSY);
    expect_object(object, 3, 3);
    unmap_at(&world, BASE, 8 * PAGE_SIZE);
    EXPECT_EQ(object_resize(object, 0), 1);
    finish(&world, object);
}
