/* SPDX-License-Identifier: MIT */
/*
 * Cloning: what each kind of entry becomes on both sides, who is fenced, what a write does then,
 * and what is left when something is in the way or memory is out.
 */
#include "arch/pte_mark.h"
#include "mm/vm_budget.h"
#include "mm/vm_fault.h"
#include "support_touch.h"

#define PAGES 6U

/* The two sides; the clone goes to other addresses than it comes from. */
struct sides {
    struct world world;
    struct world clone; /* only `space` and `levels` count */
};

#define THERE (BASE + 8 * GIB + 3 * PAGE_SIZE)

static struct sides sides_begin(unsigned levels)
{
    struct sides sides = {.world = world_begin(levels), .clone = {.levels = levels}};

    EXPECT_OK(vm_space_create(NULL, &sides.clone.space));
    return sides;
}

static void sides_end(struct sides *sides)
{
    EXPECT_OK(vm_space_check(sides->clone.space));
    vm_space_put(sides->clone.space);
    reap_all();
    EXPECT_EQ(frame_refs(frame_zero()), 1);
    world_end(&sides->world);
}

struct result {
    status_t status;
    uint64_t from_done, to_done;
};

/* Clones what lies `at` bytes on, with both cursors opened in the order that one hart may. */
static struct result clone_at(const struct sides *sides, uint64_t at, uint64_t bytes,
                              unsigned max_edits)
{
    struct vm_space *from = sides->world.space;
    struct vm_space *to = sides->clone.space;
    bool from_first = vm_space_root(from).raw < vm_space_root(to).raw;
    struct va_range source_range = va_span(BASE + at, bytes);
    struct vm_cursor source;
    struct vm_cursor target;
    struct result result;

    if (from_first) {
        EXPECT_OK(vm_cursor_open(&source, from, source_range, VM_CURSOR_EDIT));
    }
    EXPECT_OK(vm_cursor_open(&target, to, va_span(THERE + at, bytes), VM_CURSOR_CHANGE));
    if (!from_first) {
        EXPECT_OK(vm_cursor_open(&source, from, source_range, VM_CURSOR_EDIT));
    }
    result.status = vm_cursor_clone(&source, &target, bytes, max_edits);
    result.from_done = vm_cursor_va(&source).raw - BASE;
    result.to_done = vm_cursor_va(&target).raw - THERE;
    vm_cursor_close(&source);
    vm_cursor_close(&target);
    return result;
}

static struct result clone_part(const struct sides *sides, uint64_t bytes, unsigned max_edits)
{
    return clone_at(sides, 0, bytes, max_edits);
}

static void clone_all(const struct sides *sides, uint64_t bytes)
{
    struct result result = clone_part(sides, bytes, 256);

    EXPECT_OK(result.status);
    EXPECT_EQ(result.from_done, bytes);
    EXPECT_EQ(result.to_done, bytes);
}

static struct vm_slot slot_of(const struct sides *sides, uint64_t at)
{
    struct vm_cursor cursor;
    struct vm_slot slot;

    EXPECT_OK(vm_cursor_open(&cursor, sides->clone.space, va_span(at, PAGE_SIZE), VM_CURSOR_QUERY));
    EXPECT_OK(vm_cursor_query(&cursor, &slot));
    vm_cursor_close(&cursor);
    return slot;
}

/* A private page that may be written, with this in it. */
static struct frame *page_with(struct world *world, uint64_t at, unsigned char byte)
{
    struct frame *frame = frame_new();

    memset(frame_bytes(frame), byte, PAGE_SIZE);
    map_at(world, at, frame, VM_RW);
    EXPECT_EQ(pte_sw(entry_at(world, at)), PTE_SW_PRIVATE);
    return frame;
}

static enum vm_fault_result write_to(struct vm_space *space, uint64_t at)
{
    enum vm_fault_result result;

    vm_space_activate(space);
    result = vm_space_fault(space, va(at), VM_ACCESS_WRITE);
    return result;
}

MODE_TEST(vm_cursor_clone, a_private_page_is_shared_until_one_side_writes)
{
    struct sides sides = sides_begin(*levels);
    struct frame *frame = page_with(&sides.world, BASE, 7);

    clone_all(&sides, PAGE_SIZE);
    EXPECT_EQ(frame_refs(frame), 2);
    EXPECT_EQ(pte_sw(entry_at(&sides.world, BASE)), PTE_SW_PENDING);
    EXPECT_EQ(pte_sw(entry_at(&sides.clone, THERE)), PTE_SW_PENDING);
    EXPECT_EQ(slot_of(&sides, THERE).item.prop.prot, VM_RW);
    expect_mapped(&sides.world, BASE, frame, VM_R);
    EXPECT_EQ(write_to(sides.clone.space, THERE), VM_FAULT_RETRY);
    cr_assert(frame_at(&sides.clone, THERE) != frame);
    cr_assert(holds(frame_at(&sides.clone, THERE), 7), "the copy is another");
    EXPECT_EQ(frame_refs(frame), 1);
    /* The one that is left need not copy. */
    EXPECT_EQ(write_to(sides.world.space, BASE), VM_FAULT_RETRY);
    expect_mapped(&sides.world, BASE, frame, VM_RW);
    EXPECT_EQ(pte_sw(entry_at(&sides.world, BASE)), PTE_SW_PRIVATE);
    sides_end(&sides);
}

MODE_TEST(vm_cursor_clone, no_hart_may_store_to_the_page_afterwards)
{
    struct sides sides = sides_begin(*levels);

    (void)page_with(&sides.world, BASE, 1);
    (void)page_with(&sides.world, BASE + PAGE_SIZE, 2);
    another_hart_runs(&sides.world);
    cr_assert(hart_may(1, BASE, ORACLE_WRITE, NULL));
    host_events_start();
    clone_all(&sides, 2 * PAGE_SIZE);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_REMOTE), 1);
    cr_assert(!hart_may(1, BASE, ORACLE_WRITE, NULL));
    cr_assert(!hart_may(1, BASE + PAGE_SIZE, ORACLE_WRITE, NULL));
    cr_assert(hart_may(1, BASE, ORACLE_READ, NULL));
    /* A second clone takes nothing away, and owes nothing. */
    host_events_start();
    EXPECT_STATUS(clone_part(&sides, PAGE_SIZE, 1).status, ERR_EXIST);
    unmap_at(&sides.clone, THERE, 2 * PAGE_SIZE);
    host_events_start();
    clone_all(&sides, 2 * PAGE_SIZE);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_REMOTE), 0);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_LOCAL), 0);
    another_hart_leaves();
    sides_end(&sides);
}

MODE_TEST(vm_cursor_clone, a_copy_of_a_copy_is_shared_by_all_three)
{
    struct sides sides = sides_begin(*levels);
    struct sides third = {.world = sides.world, .clone = {.levels = *levels}};
    struct frame *frame = page_with(&sides.world, BASE, 9);

    EXPECT_OK(vm_space_create(NULL, &third.clone.space));
    clone_all(&sides, PAGE_SIZE);
    clone_all(&third, PAGE_SIZE);
    EXPECT_EQ(frame_refs(frame), 3);
    EXPECT_EQ(write_to(sides.world.space, BASE), VM_FAULT_RETRY);
    EXPECT_EQ(frame_refs(frame), 2);
    EXPECT_EQ(write_to(sides.clone.space, THERE), VM_FAULT_RETRY);
    EXPECT_EQ(write_to(third.clone.space, THERE), VM_FAULT_RETRY);
    cr_assert(frame_at(&third.clone, THERE) == frame, "the last one copied though it was alone");
    vm_space_activate(sides.world.space);
    vm_space_put(third.clone.space);
    sides_end(&sides);
}

/* One page of each kind, from BASE on. */
static void lay_out(struct world *world, struct frame **shared)
{
    struct vm_cursor cursor;
    uint64_t pages;

    *shared = frame_new();
    frame_get(*shared);
    map_at(world, BASE, *shared, VM_RW);
    map_at(world, BASE + PAGE_SIZE, frame_new(), VM_RX);
    (void)page_with(world, BASE + 2 * PAGE_SIZE, 3);
    cursor = cursor_open(world, BASE + 2 * PAGE_SIZE, PAGE_SIZE, VM_CURSOR_EDIT);
    EXPECT_OK(vm_cursor_protect(&cursor, PAGE_SIZE, VM_PROT_NONE, 1, &pages));
    vm_cursor_close(&cursor);
    reserve(world, BASE + 3 * PAGE_SIZE, VM_RW);
    put_mark(world, BASE + 4 * PAGE_SIZE, (struct pte_mark){.kind = PTE_MARK_GUARD});
}

MODE_TEST(vm_cursor_clone, everything_means_the_same_there)
{
    static const enum vm_item_kind kinds[PAGES] = {VM_ITEM_RAM,      VM_ITEM_RAM,   VM_ITEM_HIDDEN,
                                                   VM_ITEM_RESERVED, VM_ITEM_GUARD, VM_ITEM_ABSENT};
    static const enum vm_prot prots[PAGES] = {VM_RW, VM_RX, VM_PROT_NONE, VM_RW};
    struct sides sides = sides_begin(*levels);
    struct frame *shared;

    lay_out(&sides.world, &shared);
    clone_all(&sides, PAGES * PAGE_SIZE);
    for (unsigned i = 0; i < PAGES; i++) {
        struct vm_slot slot = slot_of(&sides, THERE + i * PAGE_SIZE);

        EXPECT_EQ(slot.item.kind, kinds[i]);
        EXPECT_EQ(slot.item.prop.prot, prots[i]);
    }
    EXPECT_EQ(frame_refs(shared), 3); /* ours, and one for each side */
    EXPECT_EQ(pte_sw(entry_at(&sides.clone, THERE)), PTE_SW_RAM);
    frame_put(shared);
    sides_end(&sides);
}

MODE_TEST(vm_cursor_clone, a_hidden_page_that_is_shown_again_is_not_written_for_both)
{
    struct sides sides = sides_begin(*levels);
    struct frame *frame;
    struct vm_cursor cursor;
    struct frame *shared;
    uint64_t pages;

    lay_out(&sides.world, &shared);
    clone_all(&sides, PAGES * PAGE_SIZE);
    frame = slot_of(&sides, THERE + 2 * PAGE_SIZE).item.frame;
    cursor = cursor_open(&sides.clone, THERE + 2 * PAGE_SIZE, PAGE_SIZE, VM_CURSOR_EDIT);
    EXPECT_OK(vm_cursor_protect(&cursor, PAGE_SIZE, VM_RW, 1, &pages));
    vm_cursor_close(&cursor);
    EXPECT_EQ(pte_sw(entry_at(&sides.clone, THERE + 2 * PAGE_SIZE)), PTE_SW_PENDING);
    EXPECT_EQ(write_to(sides.clone.space, THERE + 2 * PAGE_SIZE), VM_FAULT_RETRY);
    cr_assert(holds(frame_at(&sides.clone, THERE + 2 * PAGE_SIZE), 3));
    EXPECT_EQ(frame_refs(frame), 1);
    vm_space_activate(sides.world.space);
    frame_put(shared);
    sides_end(&sides);
}

/* Reserves so much at BASE, clones it in steps, and counts the marks that it has become. */
static unsigned marks_after(struct sides *sides, uint64_t bytes)
{
    struct vm_mark mark = {.kind = VM_ITEM_RESERVED, .prot = VM_RW};
    struct vm_cursor cursor = cursor_open(&sides->world, BASE, bytes, VM_CURSOR_CHANGE);
    struct vm_removed removed;
    unsigned count = 0;

    EXPECT_OK(vm_cursor_mark(&cursor, bytes, mark, VM_MAP_EXCLUSIVE, 1, &removed));
    vm_cursor_close(&cursor);
    for (uint64_t done = 0; done < bytes;) {
        struct result result = clone_at(sides, done, bytes - done, 256);

        EXPECT_OK(result.status);
        EXPECT_EQ(result.from_done, result.to_done);
        cr_assert(result.to_done > done);
        done = result.to_done;
    }
    for (uint64_t done = 0; done < bytes; count++) {
        struct vm_slot slot = slot_of(sides, THERE + done);

        EXPECT_EQ(slot.item.kind, VM_ITEM_RESERVED);
        EXPECT_EQ(slot.item.prop.prot, VM_RW);
        done = slot.range.end.raw - THERE;
    }
    return count;
}

MODE_TEST(vm_cursor_clone, a_large_mark_is_cut_where_it_does_not_fit)
{
    struct sides sides = sides_begin(*levels);

    /* Three pages off: 509 pages, 511 times 2 MiB, 3 pages. */
    EXPECT_EQ(marks_after(&sides, GIB), 509 + 511 + 3);
    sides_end(&sides);
}

/* Marks side by side are cloned together, those alone that say the same. */
MODE_TEST(vm_cursor_clone, each_of_many_marks_means_the_same_there)
{
    static const struct pte_mark marks[] = {
        {PTE_MARK_RESERVED, PTE_SW_PRIVATE, VM_R, 0, 0},
        {PTE_MARK_GUARD, PTE_SW_RAM, VM_PROT_NONE, 0, 0},
        {PTE_MARK_RESERVED, PTE_SW_PRIVATE, VM_R, 0, 0},
        {PTE_MARK_RESERVED, PTE_SW_PRIVATE, VM_RW, 0, 0},
        {PTE_MARK_RESERVED, PTE_SW_PRIVATE, VM_RW, 0, 0},
        {PTE_MARK_SWAPPED, PTE_SW_PRIVATE, VM_RW, 0, 7},
        {PTE_MARK_SWAPPED, PTE_SW_PRIVATE, VM_RW, 0, 7}, /* of one name, and yet two */
        {PTE_MARK_RESERVED, PTE_SW_PRIVATE, VM_RX, 0, 0},
        {PTE_MARK_RESERVED, PTE_SW_PRIVATE, VM_RX, 0, 0},
    };
    struct sides sides = sides_begin(*levels);
    uint64_t bytes = ARRAY_LEN(marks) * PAGE_SIZE;

    map_at(&sides.world, NEIGHBOUR, frame_new(), VM_R); /* a table */
    for (unsigned i = 0; i < ARRAY_LEN(marks); i++) {
        put_mark(&sides.world, BASE + i * PAGE_SIZE, marks[i]);
    }
    reserve(&sides.world, BASE + bytes, VM_RX); /* behind the end */
    clone_all(&sides, bytes);
    for (unsigned i = 0; i < ARRAY_LEN(marks); i++) {
        EXPECT_EQ(entry_at(&sides.clone, THERE + i * PAGE_SIZE).raw, pte_make_mark(marks[i]).raw);
    }
    EXPECT_EQ(slot_of(&sides, THERE + bytes).item.kind, VM_ITEM_ABSENT);
    sides_end(&sides);
}

MODE_TEST(vm_cursor_clone, device_pages_stay_out)
{
    struct sides sides = sides_begin(*levels);
    struct vm_cursor cursor = cursor_open(&sides.world, BASE, PAGE_SIZE, VM_CURSOR_CHANGE);
    struct io_mem *io;
    uint64_t mapped;

    EXPECT_OK(io_mem_create(pa_span(DEVICE_BASE, PAGE_SIZE), "test,device", &io));
    EXPECT_OK(vm_cursor_map_iomem(&cursor, io, (struct vm_prop){VM_RW, VM_MEM_IO}, PAGE_SIZE, 0,
                                  VM_MAP_EXCLUSIVE, &mapped));
    vm_cursor_close(&cursor);
    (void)page_with(&sides.world, BASE + PAGE_SIZE, 1);
    clone_all(&sides, 2 * PAGE_SIZE);
    EXPECT_EQ(slot_of(&sides, THERE).item.kind, VM_ITEM_ABSENT);
    EXPECT_EQ(slot_of(&sides, THERE + PAGE_SIZE).item.kind, VM_ITEM_RAM);
    sides_end(&sides);
}

MODE_TEST(vm_cursor_clone, it_stops_before_what_is_there)
{
    struct sides sides = sides_begin(*levels);
    struct result result;

    for (unsigned i = 0; i < PAGES; i++) {
        (void)page_with(&sides.world, BASE + i * PAGE_SIZE, 1);
    }
    map_at(&sides.clone, THERE + 3 * PAGE_SIZE, frame_new(), VM_R);
    result = clone_part(&sides, PAGES * PAGE_SIZE, 256);
    EXPECT_STATUS(result.status, ERR_EXIST);
    EXPECT_EQ(result.from_done, 3 * PAGE_SIZE);
    EXPECT_EQ(result.to_done, 3 * PAGE_SIZE);
    EXPECT_EQ(pte_sw(entry_at(&sides.world, BASE + 3 * PAGE_SIZE)), PTE_SW_PRIVATE);
    EXPECT_EQ(slot_of(&sides, THERE + 4 * PAGE_SIZE).item.kind, VM_ITEM_ABSENT);
    sides_end(&sides);
}

MODE_TEST(vm_cursor_clone, what_left_before_it_under_one_cursor_makes_room)
{
    struct sides sides = sides_begin(*levels);
    struct vm_cursor pair[2];
    struct vm_removed removed;
    uint64_t pages;
    bool from_first = vm_space_root(sides.world.space).raw < vm_space_root(sides.clone.space).raw;

    (void)page_with(&sides.world, BASE, 1);
    map_at(&sides.clone, THERE, frame_new(), VM_RW);
    for (unsigned i = 0; i < 2; i++) {
        if ((i == 0) == from_first) {
            pair[0] = cursor_open(&sides.world, BASE, PAGE_SIZE, VM_CURSOR_EDIT);
        } else {
            pair[1] = cursor_open(&sides.clone, THERE, PAGE_SIZE, VM_CURSOR_CHANGE);
        }
    }
    /* Hidden, and told to all; then removed, which owes no flush. */
    EXPECT_OK(vm_cursor_protect(&pair[1], PAGE_SIZE, VM_PROT_NONE, 1, &pages));
    vm_cursor_sync(&pair[1]);
    EXPECT_OK(vm_cursor_jump(&pair[1], va(THERE)));
    EXPECT_OK(vm_cursor_unmap(&pair[1], PAGE_SIZE, &removed));
    EXPECT_EQ(removed.ram_pages, 1);
    EXPECT_OK(vm_cursor_jump(&pair[1], va(THERE)));
    EXPECT_OK(vm_cursor_clone(&pair[0], &pair[1], PAGE_SIZE, 1));
    vm_cursor_close(&pair[0]);
    vm_cursor_close(&pair[1]);
    EXPECT_EQ(slot_of(&sides, THERE).item.kind, VM_ITEM_RAM);
    sides_end(&sides);
}

MODE_TEST(vm_cursor_clone, it_is_cut_where_no_edit_is_left)
{
    struct sides sides = sides_begin(*levels);
    struct result result;

    for (unsigned i = 0; i < PAGES; i++) {
        (void)page_with(&sides.world, BASE + i * PAGE_SIZE, 1);
    }
    result = clone_part(&sides, PAGES * PAGE_SIZE, 2);
    EXPECT_OK(result.status);
    EXPECT_EQ(result.from_done, 2 * PAGE_SIZE);
    EXPECT_EQ(result.to_done, 2 * PAGE_SIZE);
    EXPECT_EQ(pte_sw(entry_at(&sides.world, BASE + 2 * PAGE_SIZE)), PTE_SW_PRIVATE);
    sides_end(&sides);
}

MODE_TEST(vm_cursor_clone, what_makes_no_sense_is_refused)
{
    struct sides sides = sides_begin(*levels);
    struct va_range ranges[2] = {va_span(BASE, PAGE_SIZE), va_span(BASE + GIB, PAGE_SIZE)};
    struct vm_cursor pair[2];

    EXPECT_OK(vm_cursor_open_two(pair, sides.world.space, ranges, VM_CURSOR_CHANGE));
    EXPECT_STATUS(vm_cursor_clone(&pair[0], &pair[1], PAGE_SIZE, 1), ERR_INVAL); /* one space */
    EXPECT_STATUS(vm_cursor_clone(&pair[0], &pair[1], 2 * PAGE_SIZE, 1), ERR_RANGE);
    EXPECT_STATUS(vm_cursor_clone(&pair[0], &pair[1], 1, 1), ERR_INVAL);
    vm_cursor_close_two(pair);
    EXPECT_OK(vm_cursor_open_two(pair, sides.world.space, ranges, VM_CURSOR_QUERY));
    EXPECT_STATUS(vm_cursor_clone(&pair[0], &pair[1], PAGE_SIZE, 1), ERR_ACCES);
    vm_cursor_close_two(pair);
    EXPECT_OK(vm_cursor_open_two(pair, sides.world.space, ranges, VM_CURSOR_EDIT));
    EXPECT_STATUS(vm_cursor_clone(&pair[0], &pair[1], PAGE_SIZE, 1), ERR_ACCES);
    vm_cursor_close_two(pair);
    EXPECT_STATUS(clone_part(&sides, PAGE_SIZE, 0).status, ERR_INVAL);
    sides_end(&sides);
}

MODE_TEST(vm_cursor_clone, without_memory_it_stops_and_nothing_is_lost)
{
    struct sides sides = sides_begin(*levels);
    struct frame *frame = page_with(&sides.world, BASE, 5);
    struct vm_cursor target =
        cursor_open(&sides.clone, THERE, 2 * PAGE_SIZE, VM_CURSOR_CHANGE); /* links its way */
    unsigned fails = 0;

    vm_cursor_close(&target);
    for (;; fails++) {
        struct result result;

        frame_fail_after(fails);
        result = clone_part(&sides, PAGE_SIZE, 256);
        frame_fail_after(UINT64_MAX);
        if (result.status == OK) {
            break;
        }
        EXPECT_STATUS(result.status, ERR_NOMEM);
        EXPECT_EQ(result.from_done, 0);
        EXPECT_EQ(result.to_done, 0);
        EXPECT_EQ(pte_sw(entry_at(&sides.world, BASE)), PTE_SW_PRIVATE);
        EXPECT_EQ(frame_refs(frame), 1);
        EXPECT_OK(vm_space_check(sides.clone.space));
    }
    EXPECT_EQ(frame_refs(frame), 2);
    sides_end(&sides);
}

MODE_TEST(vm_cursor_clone, the_clone_pays_for_what_it_holds)
{
    struct sides sides = sides_begin(*levels);
    struct vm_budget *budget;

    vm_space_put(sides.clone.space); /* for one with a budget */
    reap_all();
    EXPECT_OK(vm_budget_create(NULL, 64, &budget));
    EXPECT_OK(vm_space_create(budget, &sides.clone.space));
    map_at(&sides.clone, THERE + 100 * PAGE_SIZE, frame_new(), VM_R); /* its tables */
    vm_budget_set_limit(budget, vm_budget_state(budget).used + 1);
    (void)page_with(&sides.world, BASE, 1);
    (void)page_with(&sides.world, BASE + 2 * PAGE_SIZE, 1);
    EXPECT_STATUS(clone_part(&sides, 3 * PAGE_SIZE, 256).status, ERR_NOMEM);
    EXPECT_EQ(pte_sw(entry_at(&sides.world, BASE + 2 * PAGE_SIZE)), PTE_SW_PRIVATE);
    EXPECT_EQ(slot_of(&sides, THERE).item.kind, VM_ITEM_RAM);
    /* And not again when it writes, though the budget is spent. */
    EXPECT_EQ(write_to(sides.clone.space, THERE), VM_FAULT_RETRY);
    vm_space_activate(sides.world.space);
    vm_budget_put(budget);
    sides_end(&sides);
}
