/* SPDX-License-Identifier: MIT */
/*
 * Touching: what the first access to a reserved page and a write to a pending one make of it, what
 * that costs in fences, and what is left when there is no memory.  The marks here are put into a
 * node of level 0 by hand.
 */
#include <string.h>

#include "arch/pte_mark.h"
#include "lib/counter.h"
#include "mm/user_copy.h"
#include "mm/vm_budget.h"
#include "mm/vm_fault.h"
#include "support_touch.h"

static enum vm_fault_result fault(const struct world *world, uint64_t at, enum vm_access access)
{
    return vm_space_fault(world->space, va(at), access);
}

MODE_TEST(vm_cursor_touch, a_write_gives_a_frame_of_zeroes_and_fences_nobody)
{
    struct world world = world_with_a_table(*levels);
    uint64_t free_before = frame_free_count();
    struct frame *frame;

    another_hart_runs(&world);
    reserve(&world, BASE, VM_RW);
    host_events_start();
    EXPECT_EQ(fault(&world, BASE + 17, VM_ACCESS_WRITE), VM_FAULT_RETRY);
    EXPECT_EQ(fences(), 0);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_SLOT), 1);
    frame = frame_at(&world, BASE);
    cr_assert(frame != frame_zero());
    cr_assert(holds(frame, 0));
    EXPECT_EQ(frame_refs(frame), 1);
    EXPECT_EQ(pte_sw(entry_at(&world, BASE)), PTE_SW_PRIVATE);
    EXPECT_EQ(frame_free_count(), free_before - 1);
    expect_mapped(&world, BASE, frame, VM_RW);
    another_hart_leaves();
    world_end(&world);
}

MODE_TEST(vm_cursor_touch, reads_share_the_frame_of_zeroes)
{
    static const enum vm_prot prots[] = {VM_R, VM_RW, VM_RX, VM_RWX, VM_X};
    struct world world = world_with_a_table(*levels);
    uint64_t free_before = frame_free_count();

    for (size_t i = 0; i < ARRAY_LEN(prots); i++) {
        uint64_t at = BASE + i * PAGE_SIZE;
        enum vm_access access = prots[i] == VM_X ? VM_ACCESS_EXECUTE : VM_ACCESS_READ;

        reserve(&world, at, prots[i]);
        host_events_start();
        EXPECT_EQ(fault(&world, at, access), VM_FAULT_RETRY);
        EXPECT_EQ(fences(), 0);
        /* What is to be executed is so in fact. */
        EXPECT_EQ(host_event_count_of(HOST_EVENT_CODE_LOCAL), (prots[i] & VM_X) != 0 ? 1 : 0);
        expect_mapped(&world, at, frame_zero(), prots[i] & VM_RX);
        EXPECT_EQ(pte_sw(entry_at(&world, at)),
                  (prots[i] & VM_W) != 0 ? PTE_SW_PENDING : PTE_SW_PRIVATE);
        EXPECT_EQ(frame_refs(frame_zero()), i + 2);
    }
    EXPECT_EQ(frame_free_count(), free_before);
    unmap_at(&world, BASE, ARRAY_LEN(prots) * PAGE_SIZE);
    EXPECT_EQ(frame_refs(frame_zero()), 1);
    world_end(&world);
}

static void grant_write(struct vm_rights *rights, void *context)
{
    (void)context;
    cr_assert((rights->prop.prot & VM_W) != 0); /* what is pending is granted already */
    rights->prop.prot = VM_RW;
}

MODE_TEST(vm_cursor_touch, granting_write_page_by_page_does_not_give_shared_frames_away)
{
    struct world world = world_with_a_table(*levels);
    struct vm_cursor cursor;
    struct va_range changed;

    reserve(&world, BASE, VM_RW);
    EXPECT_EQ(fault(&world, BASE, VM_ACCESS_READ), VM_FAULT_RETRY);
    EXPECT_OK(vm_cursor_open(&cursor, world.space, va_span(BASE, PAGE_SIZE), VM_CURSOR_EDIT));
    EXPECT_OK(vm_cursor_protect_next(&cursor, PAGE_SIZE, grant_write, NULL, &changed));
    vm_cursor_close(&cursor);
    expect_mapped(&world, BASE, frame_zero(), VM_R);
    EXPECT_EQ(pte_sw(entry_at(&world, BASE)), PTE_SW_PENDING);
    unmap_at(&world, BASE, PAGE_SIZE);
    world_end(&world);
}

/* The steps on the slot and the fences between them. */
static void expect_break_before_make(const struct world *world, bool is_shared)
{
    size_t at = 0;
    size_t stores = 0;

    for (; at < host_event_count() && stores < 2; at++) {
        const struct host_event *event = host_event_at(at);

        if (event->kind == HOST_EVENT_SLOT) {
            EXPECT_EQ(event->after & PTE_V, stores == 0 ? 0 : PTE_V);
            stores++;
        } else if (event->kind == HOST_EVENT_FLUSH_LOCAL ||
                   event->kind == HOST_EVENT_FLUSH_REMOTE) {
            EXPECT_EQ(stores, 1);
            EXPECT_EQ(event->op.va.raw, BASE);
            EXPECT_EQ(event->op.bytes, PAGE_SIZE);
        }
    }
    EXPECT_EQ(stores, 2);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_SLOT), 2);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_LOCAL), 1);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_REMOTE), is_shared ? 1 : 0);
    expect_mapped(world, BASE, frame_at(world, BASE), VM_RW);
}

/* A page that was read is written, while another hart runs the space or none does. */
static void replace_the_frame_of_zeroes(unsigned levels, bool is_shared)
{
    struct world world = world_with_a_table(levels);

    reserve(&world, BASE, VM_RW);
    EXPECT_EQ(fault(&world, BASE, VM_ACCESS_READ), VM_FAULT_RETRY);
    if (is_shared) {
        another_hart_runs(&world);
        cr_assert(hart_may(1, BASE, ORACLE_READ, NULL));
    }
    host_events_start();
    EXPECT_EQ(fault(&world, BASE, VM_ACCESS_WRITE), VM_FAULT_RETRY);
    expect_break_before_make(&world, is_shared);
    cr_assert(frame_at(&world, BASE) != frame_zero());
    cr_assert(holds(frame_at(&world, BASE), 0));
    EXPECT_EQ(pte_sw(entry_at(&world, BASE)), PTE_SW_PRIVATE);
    EXPECT_EQ(frame_refs(frame_zero()), 1);
    another_hart_leaves();
    world_end(&world);
}

MODE_TEST(vm_cursor_touch, a_write_replaces_the_frame_of_zeroes)
{
    replace_the_frame_of_zeroes(*levels, false);
}

MODE_TEST(vm_cursor_touch, replacing_it_fences_harts_that_run_the_space)
{
    replace_the_frame_of_zeroes(*levels, true);
}

MODE_TEST(vm_cursor_touch, a_sole_owner_just_writes)
{
    struct world world = world_begin(*levels);
    struct frame *frame = frame_new();

    memset(frame_bytes(frame), 0x5a, PAGE_SIZE);
    map_at(&world, BASE, frame, VM_RX);
    make_pending(&world, BASE);
    another_hart_runs(&world);
    host_events_start();
    EXPECT_EQ(fault(&world, BASE, VM_ACCESS_WRITE), VM_FAULT_RETRY);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_SLOT), 1);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_LOCAL), 1);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_REMOTE), 0);
    EXPECT_EQ(pte_sw(entry_at(&world, BASE)), PTE_SW_PRIVATE);
    expect_mapped(&world, BASE, frame, VM_RWX);
    cr_assert(holds(frame, 0x5a));
    another_hart_leaves();
    world_end(&world);
}

MODE_TEST(vm_cursor_touch, what_others_name_too_is_copied)
{
    struct world world = world_begin(*levels);
    struct frame *frame = frame_new();

    memset(frame_bytes(frame), 0x5a, PAGE_SIZE);
    frame_get(frame);
    map_at(&world, BASE, frame, VM_R);
    make_pending(&world, BASE);
    host_events_start();
    EXPECT_EQ(fault(&world, BASE, VM_ACCESS_WRITE), VM_FAULT_RETRY);
    expect_break_before_make(&world, false);
    cr_assert(frame_at(&world, BASE) != frame);
    cr_assert(holds(frame_at(&world, BASE), 0x5a));
    EXPECT_EQ(frame_refs(frame), 1);
    EXPECT_EQ(frame_refs(frame_at(&world, BASE)), 1);
    frame_put(frame);
    world_end(&world);
}

MODE_TEST(vm_cursor_touch, the_marks_rights_decide)
{
    static const enum vm_prot prots[] = {VM_PROT_NONE, VM_R, VM_X, VM_RW, VM_RX, VM_RWX};
    static const enum vm_prot needs[] = {
        [VM_ACCESS_READ] = VM_R, [VM_ACCESS_WRITE] = VM_W, [VM_ACCESS_EXECUTE] = VM_X};
    struct world world = world_with_a_table(*levels);
    uint64_t at = BASE;

    for (size_t i = 0; i < ARRAY_LEN(prots); i++) {
        for (int access = VM_ACCESS_READ; access <= VM_ACCESS_EXECUTE; access++) {
            bool allowed = (prots[i] & needs[access]) != 0;
            pte_t mark;

            reserve(&world, at, prots[i]);
            mark = entry_at(&world, at);
            EXPECT_EQ(fault(&world, at, (enum vm_access)access),
                      allowed ? VM_FAULT_RETRY : VM_FAULT_BAD);
            EXPECT_EQ(entry_at(&world, at).raw == mark.raw, !allowed);
            put_mark(&world, at + PAGE_SIZE, (struct pte_mark){.kind = PTE_MARK_GUARD});
            EXPECT_EQ(fault(&world, at + PAGE_SIZE, (enum vm_access)access), VM_FAULT_BAD);
            at += 2 * PAGE_SIZE;
        }
    }
    world_check(&world);
    /* Marks go with their table. */
    unmap_at(&world, BASE, 2 * MIB);
    world_end(&world);
}

/* The second of two harts that fault on one page finds it there. */
MODE_TEST(vm_cursor_touch, a_page_is_made_once)
{
    struct world world = world_with_a_table(*levels);
    uint64_t demand = counter_read(COUNTER_demand_faults);
    uint64_t spurious = counter_read(COUNTER_spurious_faults);
    pte_t entry;

    another_hart_runs(&world);
    reserve(&world, BASE, VM_RW);
    EXPECT_EQ(fault(&world, BASE, VM_ACCESS_WRITE), VM_FAULT_RETRY);
    entry = entry_at(&world, BASE);
    host_hart_set(1);
    host_events_start();
    EXPECT_EQ(fault(&world, BASE, VM_ACCESS_WRITE), VM_FAULT_RETRY);
    EXPECT_EQ(fault(&world, BASE, VM_ACCESS_READ), VM_FAULT_RETRY);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_SLOT), 0);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_FLUSH_REMOTE), 0);
    host_hart_set(0);
    EXPECT_EQ(entry_at(&world, BASE).raw, entry.raw);
    EXPECT_EQ(counter_read(COUNTER_demand_faults), demand + 1);
    EXPECT_EQ(counter_read(COUNTER_spurious_faults), spurious + 2);
    another_hart_leaves();
    world_end(&world);
}

/* ---- when there is nothing to give ---- */

MODE_TEST(vm_cursor_touch, no_frame_leaves_everything_as_it_was)
{
    struct world world = world_with_a_table(*levels);
    uint64_t free_before = frame_free_count();
    pte_t before;

    reserve(&world, BASE, VM_RW);
    before = entry_at(&world, BASE);
    frame_fail_after(0);
    EXPECT_EQ(fault(&world, BASE, VM_ACCESS_WRITE), VM_FAULT_NOMEM);
    EXPECT_EQ(entry_at(&world, BASE).raw, before.raw);
    world_check(&world);
    frame_fail_after(0);
    EXPECT_EQ(fault(&world, BASE, VM_ACCESS_READ), VM_FAULT_RETRY); /* takes none */
    before = entry_at(&world, BASE);
    host_events_start();
    EXPECT_EQ(fault(&world, BASE, VM_ACCESS_WRITE), VM_FAULT_NOMEM);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_SLOT) + fences(), 0);
    EXPECT_EQ(entry_at(&world, BASE).raw, before.raw);
    EXPECT_EQ(frame_free_count(), free_before);
    EXPECT_EQ(fault(&world, BASE, VM_ACCESS_WRITE), VM_FAULT_RETRY);
    EXPECT_EQ(frame_free_count(), free_before - 1);
    world_end(&world);
}

/* A page is charged when it comes, by whatever access, and what it becomes later costs no more. */
MODE_TEST(vm_cursor_touch, the_charge_comes_with_the_page)
{
    struct world world = world_begin(*levels);
    struct vm_space *bare = world.space;
    struct vm_budget *budget;
    uint64_t used;

    EXPECT_OK(vm_budget_create(NULL, 100, &budget));
    EXPECT_OK(vm_space_create(budget, &world.space));
    vm_space_activate(world.space);
    map_at(&world, NEIGHBOUR, frame_new(), VM_R);
    used = vm_budget_state(budget).used;
    vm_budget_set_limit(budget, used + 1);
    reserve(&world, BASE, VM_RW);
    reserve(&world, BASE + PAGE_SIZE, VM_RW);
    EXPECT_EQ(vm_budget_state(budget).used, used);
    EXPECT_EQ(fault(&world, BASE, VM_ACCESS_READ), VM_FAULT_RETRY);
    EXPECT_EQ(vm_budget_state(budget).used, used + 1);
    EXPECT_EQ(fault(&world, BASE + PAGE_SIZE, VM_ACCESS_WRITE), VM_FAULT_NOMEM);
    EXPECT_EQ(fault(&world, BASE + PAGE_SIZE, VM_ACCESS_READ), VM_FAULT_NOMEM);
    EXPECT_EQ(fault(&world, BASE, VM_ACCESS_WRITE), VM_FAULT_RETRY);
    EXPECT_EQ(vm_budget_state(budget).used, used + 1);
    EXPECT_OK(vm_space_check(world.space));
    unmap_at(&world, BASE, PAGE_SIZE);
    EXPECT_EQ(fault(&world, BASE + PAGE_SIZE, VM_ACCESS_WRITE), VM_FAULT_RETRY);
    /* A charge for which there is no frame is given back. */
    reserve(&world, BASE, VM_RW);
    vm_budget_set_limit(budget, used + 2);
    frame_fail_after(0);
    EXPECT_EQ(fault(&world, BASE, VM_ACCESS_WRITE), VM_FAULT_NOMEM);
    EXPECT_EQ(vm_budget_state(budget).used, used + 1);
    unmap_at(&world, BASE, 2 * MIB);
    vm_space_activate(bare);
    vm_space_put(world.space);
    reap_all();
    EXPECT_EQ(vm_budget_state(budget).used, 0);
    vm_budget_put(budget);
    world.space = bare;
    vm_space_activate(bare);
    world_end(&world);
}

/* ---- the call itself ---- */

MODE_TEST(vm_cursor_touch, the_call_says_what_is_wrong)
{
    struct world world = world_with_a_table(*levels);
    struct vm_cursor cursor = cursor_open(&world, BASE, PAGE_SIZE, VM_CURSOR_EDIT);
    struct vm_removed removed;

    EXPECT_STATUS(vm_cursor_touch(&cursor, VM_ACCESS_READ), ERR_ACCES);
    vm_cursor_close(&cursor);
    reserve(&world, BASE, VM_R);
    cursor = cursor_open(&world, BASE, 2 * PAGE_SIZE, VM_CURSOR_CHANGE);
    EXPECT_STATUS(vm_cursor_touch(&cursor, VM_ACCESS_WRITE), ERR_FAULT);
    EXPECT_OK(vm_cursor_touch(&cursor, VM_ACCESS_READ));
    EXPECT_OK(vm_cursor_touch(&cursor, VM_ACCESS_READ));
    EXPECT_STATUS(vm_cursor_touch(&cursor, VM_ACCESS_WRITE), ERR_FAULT);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE);
    EXPECT_OK(vm_cursor_unmap(&cursor, PAGE_SIZE, &removed));
    EXPECT_STATUS(vm_cursor_touch(&cursor, VM_ACCESS_READ), ERR_FAULT);
    EXPECT_OK(vm_cursor_unmap(&cursor, PAGE_SIZE, &removed));
    EXPECT_STATUS(vm_cursor_touch(&cursor, VM_ACCESS_READ), ERR_RANGE);
    vm_cursor_close(&cursor);
    world_end(&world);
}

MODE_TEST(vm_cursor_touch, a_copy_touches_and_says_when_memory_is_out)
{
    struct world world = world_with_a_table(*levels);
    struct user_span span;
    uint64_t words[3] = {1, 2, 3};
    uint64_t done;

    reserve(&world, BASE, VM_RW);
    reserve(&world, BASE + PAGE_SIZE, VM_RW);
    EXPECT_OK(user_read_object(world.space, va(BASE), words, sizeof(words[0])));
    EXPECT_EQ(words[0], 0);
    EXPECT_OK(user_span_make(world.space, va(BASE + PAGE_SIZE - 8), sizeof(words), &span));
    frame_fail_after(1);
    EXPECT_STATUS(user_write(&span, words, sizeof(words), &done), ERR_NOMEM);
    EXPECT_EQ(done, 8);
    EXPECT_EQ(span.va.raw, BASE + PAGE_SIZE);
    EXPECT_OK(user_write(&span, words, 16, &done));
    EXPECT_EQ(done, 16);
    world_end(&world);
}
