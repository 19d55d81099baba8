/* SPDX-License-Identifier: MIT */
/*
 * For pagers: which pages are used; a page that is taken out, what is left of it, and its way back;
 * what is refused, and when memory is out.
 */
#include "mm/vm_budget.h"
#include "mm/vm_cursor_pager.h"
#include "mm/vm_fault.h"
#include "support_touch.h"

#define COOKIE UINT64_C(0xabcdef0123)
#define THERE  (BASE + 8 * GIB + 3 * PAGE_SIZE)

/* The program, and the pager in whose space the pages are kept. */
struct sides {
    struct world world;
    struct world pager; /* only `space` and `levels` count */
    struct vm_cursor program_cursor, pager_cursor;
};

static struct sides sides_begin(unsigned levels)
{
    struct sides sides = {.world = world_with_a_table(levels), .pager = {.levels = levels}};

    EXPECT_OK(vm_space_create(NULL, &sides.pager.space));
    return sides;
}

static void sides_end(struct sides *sides)
{
    EXPECT_OK(vm_space_check(sides->pager.space));
    vm_space_put(sides->pager.space);
    reap_all();
    world_end(&sides->world);
}

/* The same length on each side, in the order that one hart may. */
static void open_range(struct sides *sides, uint64_t at, uint64_t there, uint64_t bytes)
{
    bool first = vm_space_root(sides->world.space).raw < vm_space_root(sides->pager.space).raw;

    if (first) {
        sides->program_cursor = cursor_open(&sides->world, at, bytes, VM_CURSOR_CHANGE);
    }
    sides->pager_cursor = cursor_open(&sides->pager, there, bytes, VM_CURSOR_CHANGE);
    if (!first) {
        sides->program_cursor = cursor_open(&sides->world, at, bytes, VM_CURSOR_CHANGE);
    }
}

static void open_both(struct sides *sides, uint64_t at, uint64_t there)
{
    open_range(sides, at, there, PAGE_SIZE);
}

static status_t evict(struct sides *sides, uint64_t at, uint64_t there, uint64_t cookie)
{
    status_t status;

    open_both(sides, at, there);
    status = vm_cursor_evict(&sides->program_cursor, &sides->pager_cursor, PAGE_SIZE, 1, cookie);
    vm_cursor_close(&sides->program_cursor);
    vm_cursor_close(&sides->pager_cursor);
    return status;
}

static status_t supply(struct sides *sides, uint64_t there, uint64_t at, uint64_t cookie)
{
    status_t status;

    open_both(sides, at, there);
    status = vm_cursor_supply(&sides->pager_cursor, &sides->program_cursor, PAGE_SIZE, 1, cookie);
    vm_cursor_close(&sides->pager_cursor);
    vm_cursor_close(&sides->program_cursor);
    return status;
}

/* A page of the program's own, all of it 0x5a. */
static struct frame *page_new(struct sides *sides, uint64_t at, enum vm_prot prot)
{
    struct frame *frame = frame_new();

    memset(frame_bytes(frame), 0x5a, PAGE_SIZE);
    map_at(&sides->world, at, frame, prot);
    return frame;
}

static struct vm_item item_at(const struct world *world, uint64_t at)
{
    struct vm_slot slot;
    struct vm_cursor cursor;

    EXPECT_OK(vm_cursor_open(&cursor, world->space, va_span(at, PAGE_SIZE), VM_CURSOR_QUERY));
    EXPECT_OK(vm_cursor_query(&cursor, &slot));
    vm_cursor_close(&cursor);
    return slot.item;
}

/* ---- there and back ---- */

MODE_TEST(vm_cursor_pager, a_page_goes_and_comes_back_with_its_rights)
{
    static const enum vm_prot prots[] = {VM_R, VM_RW, VM_RX, VM_RWX};
    struct sides sides = sides_begin(*levels);

    for (size_t i = 0; i < ARRAY_LEN(prots); i++) {
        uint64_t at = BASE + i * PAGE_SIZE;
        struct frame *frame = page_new(&sides, at, prots[i]);
        uint64_t charged = vm_space_charged(sides.world.space);
        struct vm_item item;

        another_hart_runs(&sides.world);
        host_events_start();
        EXPECT_OK(evict(&sides, at, THERE, COOKIE + i));
        EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_REMOTE), 1);
        expect_absent(&sides.world, at);
        item = item_at(&sides.world, at);
        EXPECT_EQ(item.kind, VM_ITEM_SWAPPED);
        EXPECT_EQ(item.cookie, COOKIE + i);
        EXPECT_EQ(item.prop.prot, prots[i]);
        EXPECT_EQ(vm_space_charged(sides.world.space), charged - 1);
        EXPECT_EQ(vm_space_fault(sides.world.space, va(at), VM_ACCESS_READ), VM_FAULT_BAD);
        another_hart_leaves();
        expect_mapped(&sides.pager, THERE, frame, VM_R);
        EXPECT_EQ(frame_refs(frame), 1);
        EXPECT_OK(supply(&sides, THERE, at, COOKIE + i));
        expect_mapped(&sides.world, at, frame, prots[i]);
        expect_absent(&sides.pager, THERE);
        EXPECT_EQ(vm_space_charged(sides.world.space), charged);
        cr_assert(holds(frame, 0x5a));
        world_check(&sides.world);
    }
    unmap_at(&sides.world, BASE, ARRAY_LEN(prots) * PAGE_SIZE);
    sides_end(&sides);
}

/* Who shares the frame with the page keeps his contents, whoever writes after it is back. */
MODE_TEST(vm_cursor_pager, a_page_that_others_share_comes_back_pending)
{
    struct sides sides = sides_begin(*levels);
    struct frame *frame = page_new(&sides, BASE, VM_RW);

    frame_get(frame); /* somebody else */
    EXPECT_OK(evict(&sides, BASE, THERE, COOKIE));
    EXPECT_OK(supply(&sides, THERE, BASE, COOKIE));
    expect_mapped(&sides.world, BASE, frame, VM_R);
    EXPECT_EQ(item_at(&sides.world, BASE).prop.prot, VM_RW);
    EXPECT_EQ(vm_space_fault(sides.world.space, va(BASE), VM_ACCESS_WRITE), VM_FAULT_RETRY);
    cr_assert(frame_at(&sides.world, BASE) != frame);
    cr_assert(holds(frame_at(&sides.world, BASE), 0x5a));
    EXPECT_EQ(frame_refs(frame), 1);
    frame_put(frame);
    unmap_at(&sides.world, BASE, PAGE_SIZE);
    sides_end(&sides);
}

MODE_TEST(vm_cursor_pager, a_hidden_page_goes_without_a_flush_and_comes_back_hidden)
{
    struct sides sides = sides_begin(*levels);
    struct frame *frame = page_new(&sides, BASE, VM_RW);
    struct vm_cursor cursor = cursor_open(&sides.world, BASE, PAGE_SIZE, VM_CURSOR_EDIT);
    uint64_t pages;

    EXPECT_OK(vm_cursor_protect(&cursor, PAGE_SIZE, VM_PROT_NONE, 1, &pages));
    vm_cursor_close(&cursor);
    host_events_start();
    EXPECT_OK(evict(&sides, BASE, THERE, COOKIE));
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_LOCAL), 0);
    expect_mapped(&sides.pager, THERE, frame, VM_R);
    EXPECT_OK(supply(&sides, THERE, BASE, COOKIE));
    EXPECT_EQ(item_at(&sides.world, BASE).kind, VM_ITEM_HIDDEN);
    expect_absent(&sides.world, BASE);
    unmap_at(&sides.world, BASE, PAGE_SIZE);
    sides_end(&sides);
}

/* Rights that the program gives itself meanwhile count. */
MODE_TEST(vm_cursor_pager, rights_of_a_swapped_page_change_and_unmap_forgets_it)
{
    struct sides sides = sides_begin(*levels);
    struct frame *frame = page_new(&sides, BASE, VM_RW);
    struct vm_removed removed;
    struct vm_cursor cursor;
    uint64_t pages;

    EXPECT_OK(evict(&sides, BASE, THERE, COOKIE));
    cursor = cursor_open(&sides.world, BASE, PAGE_SIZE, VM_CURSOR_EDIT);
    EXPECT_OK(vm_cursor_protect(&cursor, PAGE_SIZE, VM_R, 1, &pages));
    vm_cursor_close(&cursor);
    EXPECT_OK(supply(&sides, THERE, BASE, COOKIE));
    expect_mapped(&sides.world, BASE, frame, VM_R);
    EXPECT_OK(evict(&sides, BASE, THERE, COOKIE));
    removed = unmap_at(&sides.world, BASE, PAGE_SIZE);
    EXPECT_EQ(removed.ram_pages, 0);
    EXPECT_STATUS(supply(&sides, THERE, BASE, COOKIE), ERR_AGAIN);
    expect_mapped(&sides.pager, THERE, frame, VM_R);
    sides_end(&sides);
}

/* Many at once, with one flush; it stops where it must and says how far it came. */
MODE_TEST(vm_cursor_pager, a_range_goes_as_far_as_it_can)
{
    struct sides sides = sides_begin(*levels);
    struct vm_cursor *program = &sides.program_cursor;
    struct vm_cursor *pager = &sides.pager_cursor;

    for (unsigned i = 0; i < 6; i++) {
        if (i != 4) {
            page_new(&sides, BASE + i * PAGE_SIZE, VM_RW);
        }
    }
    another_hart_runs(&sides.world);
    host_events_start();
    open_range(&sides, BASE, THERE, 6 * PAGE_SIZE);
    EXPECT_STATUS(vm_cursor_evict(program, pager, 6 * PAGE_SIZE, 0, COOKIE), ERR_INVAL);
    EXPECT_STATUS(vm_cursor_evict(program, pager, 7 * PAGE_SIZE, 9, COOKIE), ERR_RANGE);
    EXPECT_STATUS(vm_cursor_evict(program, pager, 6 * PAGE_SIZE, 9, (UINT64_C(1) << 40) - 5),
                  ERR_INVAL);
    EXPECT_OK(vm_cursor_evict(program, pager, 6 * PAGE_SIZE, 3, COOKIE));
    EXPECT_EQ(vm_cursor_va(program).raw, BASE + 3 * PAGE_SIZE);
    EXPECT_EQ(vm_cursor_va(pager).raw, THERE + 3 * PAGE_SIZE);
    EXPECT_STATUS(vm_cursor_evict(program, pager, 3 * PAGE_SIZE, 9, COOKIE + 3), ERR_NOENT);
    EXPECT_EQ(vm_cursor_va(program).raw, BASE + 4 * PAGE_SIZE);
    vm_cursor_close(program);
    vm_cursor_close(pager);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_REMOTE), 1);
    another_hart_leaves();
    EXPECT_EQ(item_at(&sides.world, BASE + 3 * PAGE_SIZE).cookie, COOKIE + 3);
    open_range(&sides, BASE, THERE, 6 * PAGE_SIZE);
    EXPECT_STATUS(vm_cursor_supply(pager, program, 6 * PAGE_SIZE, 9, COOKIE), ERR_NOENT);
    EXPECT_EQ(vm_cursor_va(program).raw, BASE + 4 * PAGE_SIZE);
    vm_cursor_close(pager);
    vm_cursor_close(program);
    EXPECT_EQ(item_at(&sides.world, BASE + 3 * PAGE_SIZE).kind, VM_ITEM_RAM);
    unmap_at(&sides.world, BASE, 6 * PAGE_SIZE);
    sides_end(&sides);
}

/* A clone has the cookie too: its page is supplied by itself. */
MODE_TEST(vm_cursor_pager, a_clone_has_the_cookie_too)
{
    struct sides sides = sides_begin(*levels);
    struct vm_item item;

    page_new(&sides, BASE, VM_RW);
    EXPECT_OK(evict(&sides, BASE, THERE, COOKIE));
    open_both(&sides, BASE, THERE + PAGE_SIZE);
    EXPECT_OK(vm_cursor_clone(&sides.program_cursor, &sides.pager_cursor, PAGE_SIZE, 1));
    vm_cursor_close(&sides.program_cursor);
    vm_cursor_close(&sides.pager_cursor);
    item = item_at(&sides.pager, THERE + PAGE_SIZE);
    EXPECT_EQ(item.kind, VM_ITEM_SWAPPED);
    EXPECT_EQ(item.cookie, COOKIE);
    EXPECT_EQ(item.prop.prot, VM_RW);
    sides_end(&sides);
}

/* Pages side by side that were taken out under one cookie, at the end of one table and the start of
 * the next, are cloned and moved one by one. */
MODE_TEST(vm_cursor_pager, pages_of_one_cookie_are_not_taken_for_one)
{
    uint64_t at = BASE + 2 * MIB - 2 * PAGE_SIZE;
    struct sides sides = sides_begin(*levels);

    for (unsigned i = 0; i < 4; i++) {
        page_new(&sides, at + i * PAGE_SIZE, VM_RW);
        EXPECT_OK(evict(&sides, at + i * PAGE_SIZE, THERE + i * PAGE_SIZE, COOKIE));
    }
    open_range(&sides, at, BASE, 4 * PAGE_SIZE);
    EXPECT_OK(vm_cursor_clone(&sides.program_cursor, &sides.pager_cursor, 4 * PAGE_SIZE, 9));
    EXPECT_EQ(vm_cursor_va(&sides.program_cursor).raw, at + 4 * PAGE_SIZE);
    vm_cursor_close(&sides.program_cursor);
    vm_cursor_close(&sides.pager_cursor);
    open_range(&sides, at, BASE + 4 * PAGE_SIZE, 4 * PAGE_SIZE);
    EXPECT_OK(vm_cursor_move(&sides.program_cursor, &sides.pager_cursor, 4 * PAGE_SIZE, 9));
    EXPECT_EQ(vm_cursor_va(&sides.program_cursor).raw, at + 4 * PAGE_SIZE);
    vm_cursor_close(&sides.program_cursor);
    vm_cursor_close(&sides.pager_cursor);
    for (unsigned i = 0; i < 8; i++) {
        EXPECT_EQ(item_at(&sides.pager, BASE + i * PAGE_SIZE).cookie, COOKIE);
    }
    sides_end(&sides);
}

MODE_TEST(vm_cursor_pager, one_page_may_be_marked_as_swapped)
{
    struct vm_mark mark = {.kind = VM_ITEM_SWAPPED, .prot = VM_R, .cookie = COOKIE};
    struct sides sides = sides_begin(*levels);
    struct vm_removed removed;
    struct vm_cursor cursor = cursor_open(&sides.world, BASE, 2 * PAGE_SIZE, VM_CURSOR_CHANGE);

    EXPECT_STATUS(vm_cursor_mark(&cursor, 2 * PAGE_SIZE, mark, VM_MAP_REPLACE, 9, &removed),
                  ERR_INVAL);
    EXPECT_OK(vm_cursor_mark(&cursor, PAGE_SIZE, mark, VM_MAP_REPLACE, 9, &removed));
    mark.cookie = UINT64_C(1) << 40;
    EXPECT_STATUS(vm_cursor_mark(&cursor, PAGE_SIZE, mark, VM_MAP_REPLACE, 9, &removed), ERR_INVAL);
    vm_cursor_close(&cursor);
    EXPECT_EQ(item_at(&sides.world, BASE).cookie, COOKIE);
    EXPECT_EQ(item_at(&sides.world, BASE + PAGE_SIZE).kind, VM_ITEM_ABSENT);
    sides_end(&sides);
}

/* ---- refused ---- */

MODE_TEST(vm_cursor_pager, what_cannot_go_is_refused_and_nothing_changes)
{
    struct sides sides = sides_begin(*levels);
    struct frame *shared = frame_new();
    struct frame *frame = page_new(&sides, BASE + PAGE_SIZE, VM_RW);

    frame_get(shared);
    map_at(&sides.world, BASE, shared, VM_RW);
    reserve(&sides.world, BASE + 2 * PAGE_SIZE, VM_RW);
    EXPECT_STATUS(evict(&sides, BASE, THERE, COOKIE), ERR_NOENT);
    EXPECT_STATUS(evict(&sides, BASE + 2 * PAGE_SIZE, THERE, COOKIE), ERR_NOENT);
    EXPECT_STATUS(evict(&sides, BASE + 3 * PAGE_SIZE, THERE, COOKIE), ERR_NOENT);
    EXPECT_STATUS(evict(&sides, BASE + PAGE_SIZE, THERE, UINT64_C(1) << 40), ERR_INVAL);
    EXPECT_STATUS(evict(&sides, BASE + PAGE_SIZE, THERE, UINT64_MAX), ERR_INVAL);
    EXPECT_OK(evict(&sides, BASE + PAGE_SIZE, THERE, COOKIE));
    EXPECT_STATUS(evict(&sides, BASE + PAGE_SIZE, THERE + PAGE_SIZE, COOKIE), ERR_NOENT);
    page_new(&sides, BASE + 4 * PAGE_SIZE, VM_R);
    EXPECT_STATUS(evict(&sides, BASE + 4 * PAGE_SIZE, THERE, COOKIE), ERR_EXIST);
    EXPECT_STATUS(supply(&sides, THERE, BASE + PAGE_SIZE, COOKIE - 1), ERR_AGAIN);
    EXPECT_STATUS(supply(&sides, THERE, BASE + 2 * PAGE_SIZE, COOKIE), ERR_AGAIN);
    EXPECT_STATUS(supply(&sides, THERE + PAGE_SIZE, BASE + PAGE_SIZE, COOKIE), ERR_NOENT);
    expect_mapped(&sides.pager, THERE, frame, VM_R);
    frame_put(shared);
    unmap_at(&sides.world, BASE, 5 * PAGE_SIZE);
    sides_end(&sides);
}

/* Each allocation fails once; a budget, too. */
MODE_TEST(vm_cursor_pager, without_memory_nothing_has_moved)
{
    struct sides sides = sides_begin(*levels);
    struct frame *frame = page_new(&sides, BASE, VM_RW);
    struct vm_budget *budget;
    status_t status = ERR_NOMEM;

    for (uint64_t successes = 0; status != OK; successes++) {
        open_both(&sides, BASE, THERE);
        frame_fail_after(successes);
        status = vm_cursor_evict(&sides.program_cursor, &sides.pager_cursor, PAGE_SIZE, 1, COOKIE);
        frame_fail_after(UINT64_MAX);
        vm_cursor_close(&sides.program_cursor);
        vm_cursor_close(&sides.pager_cursor);
        cr_assert(status == OK || status == ERR_NOMEM);
        if (status != OK) {
            expect_mapped(&sides.world, BASE, frame, VM_RW);
        }
        EXPECT_OK(vm_space_check(sides.pager.space));
        world_check(&sides.world);
    }
    EXPECT_OK(supply(&sides, THERE, BASE, COOKIE));
    vm_space_put(sides.pager.space);
    reap_all();
    EXPECT_OK(vm_budget_create(NULL, *levels, &budget));
    EXPECT_OK(vm_space_create(budget, &sides.pager.space));
    EXPECT_STATUS(evict(&sides, BASE, THERE, COOKIE),
                  ERR_NOMEM); /* there is room for tables only */
    expect_mapped(&sides.world, BASE, frame, VM_RW);
    vm_budget_put(budget);
    unmap_at(&sides.world, BASE, PAGE_SIZE);
    sides_end(&sides);
}

/* ---- which pages are used ---- */

MODE_TEST(vm_cursor_pager, accessed_bits_are_taken_and_come_again)
{
    struct sides sides = sides_begin(*levels);
    struct vm_cursor cursor;
    uint64_t accessed;
    uint64_t to;

    for (unsigned i = 0; i < 3; i++) {
        page_new(&sides, BASE + 2 * i * PAGE_SIZE, VM_RW);
    }
    another_hart_runs(&sides.world);
    (void)hart_may(1, BASE, ORACLE_READ, &to);
    cursor = cursor_open(&sides.world, BASE, 8 * PAGE_SIZE, VM_CURSOR_EDIT);
    EXPECT_STATUS(vm_cursor_clear_accessed(&cursor, PAGE_SIZE, 0, &accessed), ERR_INVAL);
    EXPECT_OK(vm_cursor_clear_accessed(&cursor, 8 * PAGE_SIZE, 2, &accessed));
    EXPECT_EQ(accessed, 2);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE + 3 * PAGE_SIZE);
    EXPECT_OK(vm_cursor_clear_accessed(&cursor, 5 * PAGE_SIZE, 2, &accessed));
    EXPECT_EQ(accessed, 1);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE + 8 * PAGE_SIZE);
    host_events_start();
    vm_cursor_close(&cursor);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_REMOTE), 1);
    another_hart_leaves();
    for (unsigned i = 0; i < 3; i++) {
        cr_assert(!item_at(&sides.world, BASE + 2 * i * PAGE_SIZE).accessed);
    }
    EXPECT_EQ(vm_space_fault(sides.world.space, va(BASE), VM_ACCESS_READ), VM_FAULT_RETRY);
    cr_assert(item_at(&sides.world, BASE).accessed);
    cursor = cursor_open(&sides.world, BASE, 8 * PAGE_SIZE, VM_CURSOR_EDIT);
    EXPECT_OK(vm_cursor_clear_accessed(&cursor, 8 * PAGE_SIZE, 8, &accessed));
    EXPECT_EQ(accessed, 1);
    vm_cursor_close(&cursor);
    unmap_at(&sides.world, BASE, 8 * PAGE_SIZE);
    sides_end(&sides);
}
