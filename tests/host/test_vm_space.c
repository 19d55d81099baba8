/* SPDX-License-Identifier: MIT */
/*
 * Address spaces: an empty user half and the shared upper one, references, the reaper's bounded
 * pieces, and which space a hart runs.
 */
#include "mm/vm_space.h"

#include "arch/arch.h"
#include "arch/layout.h"
#include "arch_host/phys_mem.h"
#include "lib/counter.h"
#include "machine/oracle.h"
#include "mm/vm_space_priv.h"
#include "support.h"

#define BASE (4 * GIB)

static uint64_t root_entry(uint64_t root, unsigned index)
{
    uint64_t entry = 0;

    cr_assert(phys_mem_read64(root + index * 8, &entry));
    return entry;
}

MODE_TEST(vm_space, starts_empty_below_and_shared_above)
{
    struct world world = world_begin(*levels);
    uint64_t root = vm_space_root(world.space).raw;

    for (unsigned i = 0; i < 256; i++) {
        EXPECT_EQ(root_entry(root, i), 0);
        EXPECT_EQ(root_entry(mm_kernel_root().raw, i), 0);
    }
    for (unsigned i = 256; i < 512; i++) {
        EXPECT_EQ(root_entry(root, i), root_entry(mm_kernel_root().raw, i));
    }
    expect_absent(&world, 0);
    expect_absent(&world, vm_space_user_limit().raw - 1);
    world_end(&world);
}

MODE_TEST(vm_space, devices_mapped_later_are_seen_in_every_space)
{
    struct world world = world_begin(*levels);
    volatile void *registers = NULL;
    uint64_t device;

    EXPECT_OK(mm_map_device(pa_span(DEVICE_BASE + 0x123, 0x10), &registers));
    EXPECT_EQ((uintptr_t)registers & PAGE_MASK, 0x123);
    for (device = LAYOUT_MMIO; device < LAYOUT_MMIO + MIB; device += PAGE_SIZE) {
        struct walk_result result = walk_access(vm_space_root(world.space).raw, *levels, device,
                                                ORACLE_WRITE, WALK_SUPERVISOR);

        if (result.allowed && result.pa == DEVICE_BASE) {
            break;
        }
    }
    cr_assert(device < LAYOUT_MMIO + MIB, "an older space does not see the device");
    for (unsigned i = 0; i < 256; i++) {
        EXPECT_EQ(root_entry(vm_space_root(world.space).raw, i), 0);
    }
    vm_space_activate(NULL);
    vm_space_put(world.space);
    reap_all();
    EXPECT_OK(frame_check());
}

/* What fails maps nothing: the same call goes through when there is memory again. */
MODE_TEST(vm_space, a_device_without_memory_for_its_tables_is_not_mapped)
{
    struct pa_range device = pa_span(DEVICE_BASE + PAGE_SIZE, 4 * MIB);
    volatile void *registers = NULL;
    status_t status = ERR_NOMEM;
    uint64_t allowed;

    machine_default(16 * MIB);
    machine_boot(*levels);
    for (allowed = 0; status == ERR_NOMEM; allowed++) {
        frame_fail_after(allowed);
        status = mm_map_device(device, &registers);
        frame_fail_after(UINT64_MAX);
        cr_assert(status == OK || registers == NULL);
        cr_assert(status == OK || walk_access(mm_kernel_root().raw, *levels, LAYOUT_MMIO,
                                              ORACLE_READ, WALK_SUPERVISOR)
                                          .end != WALK_LEAF,
                  "a part is mapped");
    }
    EXPECT_OK(status);
    cr_assert(allowed >= 3, "two tables at least");
}

MODE_TEST(vm_space, no_memory_leaks_nothing)
{
    uint64_t free_before;
    status_t status = ERR_NOMEM;
    struct vm_space *space = NULL;
    uint64_t allowed;

    machine_default(16 * MIB);
    machine_boot(*levels);
    free_before = frame_free_count();
    for (allowed = 0; status == ERR_NOMEM; allowed++) {
        frame_fail_after(allowed);
        status = vm_space_create(NULL, &space);
        frame_fail_after(UINT64_MAX);
        if (status == ERR_NOMEM) {
            cr_assert(space == NULL);
            EXPECT_EQ(frame_free_count(), free_before);
        }
    }
    EXPECT_OK(status);
    cr_assert(allowed >= 3, "a record and a root at least");
    vm_space_put(space);
    reap_all();
    EXPECT_EQ(frame_free_count(), free_before);
}

MODE_TEST(vm_space, references_keep_it_and_the_last_put_frees_nothing_itself)
{
    struct vm_space *space;
    uint64_t free_before;
    uint64_t free_at_put;

    machine_default(16 * MIB);
    machine_boot(*levels);
    free_before = frame_free_count();
    EXPECT_OK(vm_space_create(NULL, &space));
    vm_space_get(space);
    vm_space_put(space);
    cr_assert(vm_space_reap_is_done());
    free_at_put = frame_free_count();
    vm_space_put(space);
    EXPECT_EQ(frame_free_count(), free_at_put);
    cr_assert(!vm_space_reap_is_done());
    reap_all();
    cr_assert(!vm_space_reap(), "nothing waits");
    EXPECT_EQ(frame_free_count(), free_before);
}

MODE_TEST(vm_space, the_reaper_works_in_bounded_pieces)
{
    struct world world = world_begin(*levels);
    struct frame *shared = frame_new();
    struct vm_cursor cursor;
    unsigned pieces = 0;

    /* 200 tables with a page each, and one with 512 pages, all of one frame. */
    for (uint64_t i = 0; i < 200; i++) {
        frame_get(shared);
        map_at(&world, BASE + i * 2 * MIB, shared, VM_R);
    }
    cursor = cursor_open(&world, BASE + GIB, 2 * MIB, VM_CURSOR_CHANGE);
    for (unsigned i = 0; i < 512; i++) {
        frame_get(shared);
        EXPECT_OK(vm_cursor_map(&cursor, shared, prop(VM_R), VM_MAP_EXCLUSIVE));
    }
    vm_cursor_close(&cursor);
    EXPECT_EQ(frame_refs(shared), 713);
    world_check(&world);
    vm_space_activate(NULL);
    vm_space_put(world.space);
    for (bool more = true; more; pieces++) {
        uint64_t refs = frame_refs(shared);
        uint64_t free_before = frame_free_count();

        more = vm_space_reap();
        cr_assert(refs - frame_refs(shared) <= 256, "more than 256 pages in a piece");
        cr_assert(frame_free_count() - free_before <= 64 + 8, "more than 64 tables in a piece");
        EXPECT_OK(frame_check());
    }
    cr_assert(pieces >= 4);
    EXPECT_EQ(frame_refs(shared), 1);
    frame_put(shared);
    EXPECT_EQ(frame_free_count(), world.free_before);
}

/* A piece that ends right behind the last table below another one stops there. */
MODE_TEST(vm_space, a_piece_of_the_reaper_ends_at_any_table)
{
    machine_default(16 * MIB);
    machine_boot(*levels);
    for (uint64_t first = 60; first <= 64; first++) {
        struct world world = {.levels = *levels, .free_before = frame_free_count()};
        struct frame *shared;

        EXPECT_OK(vm_space_create(NULL, &world.space));
        shared = frame_new();
        for (uint64_t i = 0; i < first + 130; i++) {
            frame_get(shared);
            map_at(&world, BASE + (i < first ? 0 : GIB) + i * 2 * MIB, shared, VM_R);
        }
        vm_space_put(world.space);
        for (bool more = true; more;) {
            uint64_t tables = counter_read(COUNTER_tables_freed);

            more = vm_space_reap();
            cr_assert(counter_read(COUNTER_tables_freed) - tables <= 64,
                      "more than 64 tables in a piece");
        }
        frame_put(shared);
        EXPECT_EQ(frame_free_count(), world.free_before);
    }
}

MODE_TEST(vm_space, many_dead_spaces_are_all_reaped)
{
    struct vm_space *spaces[20];
    struct frame *frame;
    uint64_t free_before;

    machine_default(16 * MIB);
    machine_boot(*levels);
    free_before = frame_free_count();
    frame = frame_new();
    for (size_t i = 0; i < ARRAY_LEN(spaces); i++) {
        struct world world = {.levels = *levels};

        EXPECT_OK(vm_space_create(NULL, &spaces[i]));
        world.space = spaces[i];
        frame_get(frame);
        map_at(&world, BASE * (i + 1), frame, VM_RW);
    }
    for (size_t i = 0; i < ARRAY_LEN(spaces); i++) {
        vm_space_put(spaces[i]);
    }
    reap_all();
    frame_put(frame);
    EXPECT_EQ(frame_free_count(), free_before);
}

MODE_TEST(vm_space, spaces_do_not_see_each_other)
{
    struct world a = world_begin(*levels);
    struct world b = {.levels = *levels};
    struct frame *of_a = frame_new();
    struct frame *of_b = frame_new();

    EXPECT_OK(vm_space_create(NULL, &b.space));
    map_at(&a, BASE, of_a, VM_RW);
    expect_absent(&b, BASE);
    map_at(&b, BASE, of_b, VM_R);
    expect_mapped(&a, BASE, of_a, VM_RW);
    expect_mapped(&b, BASE, of_b, VM_R);
    unmap_at(&a, BASE, PAGE_SIZE);
    expect_mapped(&b, BASE, of_b, VM_R);
    vm_space_put(b.space);
    reap_all();
    world_end(&a);
}

MODE_TEST(vm_space, activating_the_active_one_costs_nothing)
{
    struct world world = world_begin(*levels);

    cr_assert(vm_space_active() == world.space);
    EXPECT_EQ(arch_active_root().raw, vm_space_root(world.space).raw);
    host_events_start();
    vm_space_activate(world.space);
    EXPECT_EQ(host_event_count(), 0);
    vm_space_activate(NULL);
    cr_assert(vm_space_active() == NULL);
    EXPECT_EQ(arch_active_root().raw, mm_kernel_root().raw);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_ACTIVATE), 1);
    vm_space_activate(NULL);
    EXPECT_EQ(host_event_count_of(HOST_EVENT_ACTIVATE), 1);
    world_end(&world);
}

struct switch_watch {
    struct vm_space *from, *to;
    unsigned flushes;
};

static uint64_t harts_of(struct vm_space *space)
{
    return shared_load(&space->word, memory_order_relaxed) & 0xffff;
}

static void on_switch(void *context, struct tlb_op op)
{
    struct switch_watch *watch = context;

    EXPECT_EQ(op.bytes, 0);
    watch->flushes++;
    EXPECT_EQ(harts_of(watch->from), 1); /* it may still walk the old tables */
    EXPECT_EQ(harts_of(watch->to), 1);   /* and walks the new ones already   */
}

/* Whoever flushes a space while a hart switches to or from it must not miss the hart. */
MODE_TEST(vm_space, a_hart_is_in_the_word_of_each_space_it_could_walk)
{
    struct world world = world_begin(*levels);
    struct switch_watch watch = {.from = world.space};

    EXPECT_OK(vm_space_create(NULL, &watch.to));
    EXPECT_EQ(harts_of(watch.to), 0);
    host_on_flush(on_switch, &watch);
    vm_space_activate(watch.to);
    host_on_flush(NULL, NULL);
    EXPECT_EQ(watch.flushes, 1);
    EXPECT_EQ(harts_of(watch.from), 0);
    EXPECT_EQ(harts_of(watch.to), 1);
    vm_space_activate(NULL);
    EXPECT_EQ(harts_of(watch.to), 0);
    vm_space_put(watch.to);
    world_end(&world);
}

MODE_TEST(vm_space, each_hart_has_its_own_active_one)
{
    struct world world = world_begin(*levels);

    host_hart_set(5);
    cr_assert(vm_space_active() == NULL);
    vm_space_activate(world.space);
    host_hart_set(0);
    vm_space_activate(NULL);
    host_hart_set(5);
    cr_assert(vm_space_active() == world.space);
    vm_space_activate(NULL);
    host_hart_set(0);
    world_end(&world);
}

MODE_TEST(vm_space, the_audit_notices_a_damaged_entry)
{
    struct world world = world_begin(*levels);
    struct walk walk;
    uint64_t *entry;
    uint64_t saved;

    map_at(&world, BASE, frame_new(), VM_RW);
    EXPECT_OK(vm_space_check(world.space));
    walk = walk_from(vm_space_root(world.space).raw, *levels, BASE);
    entry = phys_mem_pointer(walk.slots[0]);
    saved = *entry;
    *entry = 0; /* the count is wrong */
    EXPECT_STATUS(vm_space_check(world.space), ERR_INVAL);
    *entry = saved;
    *entry ^= 1; /* V: and the rest is no state */
    EXPECT_STATUS(vm_space_check(world.space), ERR_INVAL);
    *entry ^= 1 | UINT64_C(1) << 54; /* a reserved bit */
    EXPECT_STATUS(vm_space_check(world.space), ERR_INVAL);
    *entry ^= UINT64_C(1) << 54 | 0x10; /* U */
    EXPECT_STATUS(vm_space_check(world.space), ERR_INVAL);
    *entry ^= 0x10;
    EXPECT_OK(vm_space_check(world.space));
    world_end(&world);
}

MODE_TEST(vm_space, the_audit_notices_a_page_of_nobody)
{
    struct world world = world_begin(*levels);
    struct frame *frame = frame_new();

    map_at(&world, BASE, frame, VM_RW);
    oracle_off();     /* it would end the test at the next line          */
    frame_put(frame); /* one too many: the page is mapped and free */
    EXPECT_STATUS(vm_space_check(world.space), ERR_INVAL);
}

MODE_TEST(vm_space, putting_the_active_one_last_panics, .signal = SIGABRT)
{
    struct world world = world_begin(*levels);

    vm_space_put(world.space);
}
