/* SPDX-License-Identifier: MIT */
/*
 * Touching pages of memory objects: which frame comes, whose it is, what is left of the mark, and
 * that nothing has changed when memory or a budget runs out on the way.
 */
#include "mm/cursor_priv.h"
#include "mm/vm_fault.h"
#include "support_mark.h"
#include "support_object.h"
#include "support_touch.h"

#define PAGES 512U

static struct vm_mark paged(struct mem_object *object, uint64_t page, enum vm_prot prot,
                            enum vm_share share)
{
    return (struct vm_mark){
        .kind = VM_ITEM_PAGED, .prot = prot, .object = object, .object_page = page, .share = share};
}

/* [BASE, BASE + 8 pages) means the first pages of the object. */
static struct world world_of(struct mem_object **object, unsigned levels, enum vm_prot prot,
                             enum vm_share share)
{
    struct world world = world_with_a_table(levels);

    *object = object_new(NULL, PAGES);
    mark_at(&world, BASE, 8 * PAGE_SIZE, paged(*object, 0, prot, share));
    return world;
}

/* Another space, in which the same addresses mean the same pages. */
static struct vm_space *another_space(struct mem_object *object, enum vm_prot prot,
                                      enum vm_share share)
{
    struct world world = {0};

    EXPECT_OK(vm_space_create(NULL, &world.space));
    mark_at(&world, BASE, 8 * PAGE_SIZE, paged(object, 0, prot, share));
    return world.space;
}

static void finish(struct world *world, struct mem_object *object)
{
    world_check(world);
    mem_object_put(object);
    world_end(world);
}

static enum vm_fault_result fault(const struct world *world, uint64_t at, enum vm_access access)
{
    return vm_space_fault(world->space, va(at), access);
}

/* Touches for somebody who fills the page, whatever it permits; how user_read_to_page does it. */
static status_t fill(const struct world *world, uint64_t at)
{
    struct vm_cursor cursor = {0};
    pte_t entry;
    status_t status;

    EXPECT_OK(vm_cursor_open(&cursor, world->space, va_span(at, PAGE_SIZE), VM_CURSOR_EDIT));
    status = cursor_touch_status(cursor_touch(&cursor, TOUCH_TO_FILL, &entry));
    vm_cursor_close(&cursor);
    return status;
}

static void fill_frame(struct frame *frame, unsigned char byte)
{
    memset(frame_bytes(frame), byte, PAGE_SIZE);
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
    struct mem_object *object = object_new(NULL, PAGES);
    struct frame *there = object_make(object, 0);

    for (unsigned share = VM_SHARE_ALL; share <= VM_SHARE_NONE; share++) {
        struct vm_page page;

        mark_at(&world, BASE, PAGE_SIZE, paged(object, 0, VM_R, (enum vm_share)share));
        EXPECT_OK(vm_space_page_get(world.space, va(BASE), &page));
        cr_assert(page.frame == there);
        EXPECT_EQ(page.sw, expected[share]);
        frame_put(page.frame);
    }
    finish(&world, object);
}

/* ---- private ---- */

MODE_TEST(vm_touch_paged, a_private_read_makes_nothing_in_the_object)
{
    struct mem_object *object;
    struct world world = world_of(&object, *levels, VM_RW, VM_SHARE_NONE);
    struct frame *there = object_make(object, 1);

    EXPECT_EQ(fault(&world, BASE, VM_ACCESS_READ), VM_FAULT_RETRY);
    EXPECT_EQ(fault(&world, BASE + PAGE_SIZE, VM_ACCESS_READ), VM_FAULT_RETRY);
    expect_object(object, PAGES, 1);
    expect_mapped(&world, BASE, frame_zero(), VM_R);
    expect_mapped(&world, BASE + PAGE_SIZE, there, VM_R);
    EXPECT_EQ(pte_sw(entry_at(&world, BASE)), PTE_SW_PENDING);
    EXPECT_EQ(pte_sw(entry_at(&world, BASE + PAGE_SIZE)), PTE_SW_PENDING);
    EXPECT_EQ(frame_refs(there), 2);
    finish(&world, object);
}

MODE_TEST(vm_touch_paged, a_private_page_that_may_only_be_read_is_private)
{
    struct mem_object *object;
    struct world world = world_of(&object, *levels, VM_R, VM_SHARE_NONE);
    struct frame *there = object_make(object, 1);

    EXPECT_EQ(fault(&world, BASE, VM_ACCESS_READ), VM_FAULT_RETRY);
    EXPECT_EQ(fault(&world, BASE + PAGE_SIZE, VM_ACCESS_READ), VM_FAULT_RETRY);
    EXPECT_EQ(pte_sw(entry_at(&world, BASE)), PTE_SW_PRIVATE);
    EXPECT_EQ(pte_sw(entry_at(&world, BASE + PAGE_SIZE)), PTE_SW_PRIVATE);
    EXPECT_EQ(fault(&world, BASE + PAGE_SIZE, VM_ACCESS_WRITE), VM_FAULT_BAD);
    expect_mapped(&world, BASE + PAGE_SIZE, there, VM_R);
    finish(&world, object);
}

/* At once, or after the page was read. */
MODE_TEST(vm_touch_paged, a_private_write_is_made_to_a_copy)
{
    struct mem_object *object;
    struct world world = world_of(&object, *levels, VM_RW, VM_SHARE_NONE);
    struct frame *there[2];

    for (uint64_t i = 0; i < 2; i++) {
        there[i] = object_make(object, i);
        fill_frame(there[i], (unsigned char)(0x11 * (i + 1)));
    }
    EXPECT_EQ(fault(&world, BASE + PAGE_SIZE, VM_ACCESS_READ), VM_FAULT_RETRY);
    for (uint64_t i = 0; i < 2; i++) {
        uint64_t at = BASE + i * PAGE_SIZE;

        EXPECT_EQ(fault(&world, at, VM_ACCESS_WRITE), VM_FAULT_RETRY);
        cr_assert(frame_at(&world, at) != there[i]);
        cr_assert(holds(frame_at(&world, at), (unsigned char)(0x11 * (i + 1))));
        EXPECT_EQ(pte_sw(entry_at(&world, at)), PTE_SW_PRIVATE);
        EXPECT_EQ(frame_refs(frame_at(&world, at)), 1);
        EXPECT_EQ(frame_refs(there[i]), 1);
        expect_mapped(&world, at, frame_at(&world, at), VM_RW);
    }
    EXPECT_EQ(fault(&world, BASE + 2 * PAGE_SIZE, VM_ACCESS_WRITE), VM_FAULT_RETRY);
    cr_assert(holds(frame_at(&world, BASE + 2 * PAGE_SIZE), 0));
    cr_assert(object_look(object, 2) == NULL);
    expect_object(object, PAGES, 2);
    finish(&world, object);
}

/* The object's frame is not given away, even where its entry is the only one. */
MODE_TEST(vm_touch_paged, the_object_is_an_owner)
{
    struct mem_object *object;
    struct world world = world_of(&object, *levels, VM_RW, VM_SHARE_NONE);
    struct frame *there = object_make(object, 0);

    EXPECT_EQ(fault(&world, BASE, VM_ACCESS_READ), VM_FAULT_RETRY);
    unmap_at(&world, BASE + PAGE_SIZE, 7 * PAGE_SIZE); /* no mark is left */
    EXPECT_EQ(fault(&world, BASE, VM_ACCESS_WRITE), VM_FAULT_RETRY);
    cr_assert(frame_at(&world, BASE) != there);
    cr_assert(object_look(object, 0) == there);
    finish(&world, object);
}

MODE_TEST(vm_touch_paged, when_the_object_is_gone_its_last_page_is_taken_over)
{
    struct mem_object *object;
    struct world world = world_of(&object, *levels, VM_RW, VM_SHARE_NONE);
    struct frame *there = object_make(object, 0);

    EXPECT_EQ(fault(&world, BASE, VM_ACCESS_READ), VM_FAULT_RETRY);
    unmap_at(&world, BASE + PAGE_SIZE, 7 * PAGE_SIZE);
    mem_object_put(object);
    reap_all();
    EXPECT_EQ(frame_refs(there), 1);
    EXPECT_EQ(fault(&world, BASE, VM_ACCESS_WRITE), VM_FAULT_RETRY);
    cr_assert(frame_at(&world, BASE) == there);
    EXPECT_EQ(pte_sw(entry_at(&world, BASE)), PTE_SW_PRIVATE);
    world_check(&world);
    world_end(&world);
}

MODE_TEST(vm_touch_paged, filling_a_private_page_leaves_the_object_alone)
{
    struct mem_object *object;
    struct world world = world_of(&object, *levels, VM_R, VM_SHARE_NONE);
    struct frame *there = object_make(object, 0);

    fill_frame(there, 0x77);
    EXPECT_OK(fill(&world, BASE));
    expect_mapped(&world, BASE, frame_at(&world, BASE), VM_R);
    cr_assert(frame_at(&world, BASE) != there);
    cr_assert(holds(frame_at(&world, BASE), 0x77));
    EXPECT_OK(fill(&world, BASE + PAGE_SIZE));
    cr_assert(frame_at(&world, BASE + PAGE_SIZE) != frame_zero());
    expect_object(object, PAGES, 1);
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
    struct mem_object *object = object_new(NULL, MEM_OBJECT_PAGES_MAX);
    uint64_t first = (UINT64_C(1) << 30) + 3; /* of the object */

    mark_at(&world, BASE, GIB, paged(object, first, VM_RW, VM_SHARE_ALL));
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

/* ---- no memory ---- */

/* Touches the page of a large mark with fewer and fewer allocations failing. */
static void fail_each(struct world *world, enum vm_share share, enum vm_access access,
                      bool is_there)
{
    struct mem_object *object = object_new(NULL, MEM_OBJECT_PAGES_MAX);
    uint64_t page = 300 * PAGES + 7;
    uint64_t frames = is_there ? 1 : 0;
    enum vm_fault_result result = VM_FAULT_NOMEM;
    uint64_t allowed = 0;

    if (is_there) {
        (void)object_make(object, page);
    }
    mark_at(world, BASE, GIB, paged(object, 0, share == VM_SHARE_VIEW ? VM_R : VM_RW, share));
    for (; result != VM_FAULT_RETRY; allowed++) {
        struct vm_slot slot;

        frame_fail_after(allowed);
        result = fault(world, BASE + page * PAGE_SIZE, access);
        frame_fail_after(UINT64_MAX);
        cr_assert(result == VM_FAULT_RETRY || result == VM_FAULT_NOMEM);
        world_check(world);
        slot = slot_at(world, BASE + page * PAGE_SIZE);
        EXPECT_EQ(slot.item.kind, result == VM_FAULT_RETRY ? VM_ITEM_RAM : VM_ITEM_PAGED);
        if (result == VM_FAULT_NOMEM) {
            cr_assert(slot.item.object == object);
            EXPECT_EQ(slot.item.object_page +
                          (BASE + page * PAGE_SIZE - slot.range.start.raw) / PAGE_SIZE,
                      page);
            EXPECT_EQ(mem_object_state(object).frames, frames);
        }
    }
    cr_assert(allowed >= 2, "at least one allocation has failed");
    unmap_at(world, BASE, GIB);
    mem_object_put(object);
    reap_all();
}

MODE_TEST(vm_touch_paged, what_cannot_be_had_leaves_the_mark)
{
    struct world world = world_begin(*levels);

    fail_each(&world, VM_SHARE_ALL, VM_ACCESS_WRITE, false);
    fail_each(&world, VM_SHARE_ALL, VM_ACCESS_READ, true);
    fail_each(&world, VM_SHARE_VIEW, VM_ACCESS_READ, false);
    fail_each(&world, VM_SHARE_NONE, VM_ACCESS_READ, false);
    fail_each(&world, VM_SHARE_NONE, VM_ACCESS_WRITE, false);
    fail_each(&world, VM_SHARE_NONE, VM_ACCESS_WRITE, true);
    world_end(&world);
}

/* The maker of the object pays for its frames, the space for its entries; either may run out. */
Test(vm_touch_paged, each_pays_for_his_own)
{
    struct world world = world_with_a_table(4);
    struct vm_budget *makers = NULL;
    struct vm_budget *users = NULL;
    struct vm_space *space;
    struct mem_object *object;
    uint64_t before;

    EXPECT_OK(vm_budget_create(NULL, 3, &makers)); /* record, table, page */
    EXPECT_OK(vm_budget_create(NULL, 100, &users));
    object = object_new(makers, PAGES);
    EXPECT_OK(vm_space_create(users, &space));
    mark_at(&(struct world){.space = space}, BASE, 8 * PAGE_SIZE,
            paged(object, 0, VM_RW, VM_SHARE_ALL));
    before = vm_budget_state(users).used;
    EXPECT_EQ(vm_space_fault(space, va(BASE + PAGE_SIZE), VM_ACCESS_WRITE), VM_FAULT_RETRY);
    EXPECT_EQ(vm_budget_state(users).used, before + 1);
    EXPECT_EQ(vm_budget_state(makers).used, 3);
    EXPECT_EQ(vm_space_fault(space, va(BASE + 2 * PAGE_SIZE), VM_ACCESS_WRITE), VM_FAULT_NOMEM);
    EXPECT_EQ(vm_budget_state(users).used, before + 1);
    vm_budget_set_limit(makers, 100);
    vm_budget_set_limit(users, before + 1);
    EXPECT_EQ(vm_space_fault(space, va(BASE + 2 * PAGE_SIZE), VM_ACCESS_WRITE), VM_FAULT_NOMEM);
    EXPECT_EQ(vm_budget_state(makers).used, 3); /* nothing is made that cannot be mapped */
    vm_budget_set_limit(users, before + 2);
    EXPECT_EQ(vm_space_fault(space, va(BASE + 2 * PAGE_SIZE), VM_ACCESS_WRITE), VM_FAULT_RETRY);
    EXPECT_EQ(vm_budget_state(makers).used, 4);
    EXPECT_OK(vm_space_check(space));
    mem_object_put(object);
    vm_space_put(space);
    vm_budget_put(users);
    vm_budget_put(makers);
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
