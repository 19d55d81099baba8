/* SPDX-License-Identifier: MIT */
/*
 * Allocation failure at each allocation: a long scenario is run with the n-th allocation failing,
 * for n = 0, 1, 2 ... until it succeeds.  Each time the operation that met the failure says ENOMEM
 * and changes nothing, what was done before it stays right, and in the end every frame is back.
 * The same with a budget of n frames: then whatever is charged may be refused.
 */
#include "support.h"

#include "lib/spinlock.h"
#include "mm/vm_budget.h"

#define BASE        (4 * GIB)
#define PIECES      12U
#define PAGES       6U
#define MARKS       (64 * GIB) /* what is reserved: MARKS_BYTES from here on */
#define MARKS_BYTES (2 * GIB + 3 * PAGE_SIZE)

struct scenario {
    struct world world;
    struct io_mem *io;
    struct vm_space *second;
    struct vm_budget *budget; /* of both spaces, or NULL */
    unsigned touched;         /* reserved pages that have a frame */
    unsigned mapped;          /* pages that are there */
};

/* Where the i-th page of a scenario lies: near boundaries of tables of every level. */
static uint64_t place(unsigned i)
{
    static const uint64_t starts[] = {0, 2 * MIB, GIB, 4 * GIB, 33 * GIB, 100 * GIB};
    uint64_t piece = i / PAGES;
    uint64_t base = starts[piece % ARRAY_LEN(starts)] + piece * 8 * MIB;

    if (piece >= ARRAY_LEN(starts)) {
        base = vm_space_user_limit().raw - base - MIB;
    }
    return base + (i % PAGES) * PAGE_SIZE;
}

static status_t map_one(struct vm_space *space, uint64_t at)
{
    struct vm_cursor cursor;
    struct frame *frame;
    status_t status = vm_cursor_open(&cursor, space, va_span(at, PAGE_SIZE), VM_CURSOR_CHANGE);

    if (status != OK) {
        return status;
    }
    status = frame_alloc(FRAME_USER, &frame);
    if (status == OK) {
        status = vm_cursor_map(&cursor, frame, prop(VM_RW), VM_MAP_REPLACE);
        if (status != OK) {
            EXPECT_EQ(frame_refs(frame), 1);
            EXPECT_EQ(vm_cursor_va(&cursor).raw, at);
            frame_put(frame);
        }
    }
    vm_cursor_close(&cursor);
    return status;
}

static status_t map_device(struct vm_space *space, struct io_mem *io, uint64_t at)
{
    struct vm_cursor cursor;
    uint64_t mapped;
    uint64_t refs = io_mem_refs(io);
    status_t status =
        vm_cursor_open(&cursor, space, va_span(at - 4 * GIB, 8 * GIB), VM_CURSOR_CHANGE);

    if (status != OK) {
        return status;
    }
    EXPECT_OK(vm_cursor_jump(&cursor, va(at)));
    status =
        vm_cursor_map_iomem(&cursor, io, prop(VM_RW), 8 * PAGE_SIZE, 0, VM_MAP_REPLACE, &mapped);
    EXPECT_EQ(io_mem_refs(io), status == OK ? refs + 8 : refs);
    vm_cursor_close(&cursor);
    return status;
}

static status_t reserve(struct vm_space *space)
{
    struct vm_mark mark = {.kind = VM_ITEM_RESERVED, .prot = VM_RW};
    struct vm_removed removed;
    struct vm_cursor cursor;
    status_t status = vm_cursor_open(&cursor, space, va_span(MARKS, MARKS_BYTES), VM_CURSOR_CHANGE);

    if (status != OK) {
        return status;
    }
    status = vm_cursor_mark(&cursor, MARKS_BYTES, mark, VM_MAP_EXCLUSIVE, 1000, &removed);
    vm_cursor_close(&cursor);
    return status;
}

static status_t touch(struct vm_space *space, uint64_t at, enum vm_access access)
{
    struct vm_cursor cursor;
    status_t status = vm_cursor_open(&cursor, space, va_span(at, PAGE_SIZE), VM_CURSOR_CHANGE);

    if (status != OK) {
        return status;
    }
    status = vm_cursor_touch(&cursor, access);
    vm_cursor_close(&cursor);
    return status;
}

/* Takes a page out of the middle of what is reserved, or its rights away and back. */
static status_t split(struct vm_space *space, uint64_t at, enum vm_prot prot)
{
    struct vm_removed removed;
    struct vm_cursor cursor;
    uint64_t pages;
    status_t status = vm_cursor_open(&cursor, space, va_span(at, PAGE_SIZE), VM_CURSOR_EDIT);

    if (status != OK) {
        return status;
    }
    status = prot == VM_RW ? vm_cursor_unmap(&cursor, PAGE_SIZE, &removed)
                           : vm_cursor_protect(&cursor, PAGE_SIZE, prot, 1, &pages);
    vm_cursor_close(&cursor);
    return status;
}

/* Reserved memory: touched in places, split in others. */
static status_t use_reserved(struct scenario *scenario)
{
    static const uint64_t places[] = {MARKS, MARKS + GIB + 7 * PAGE_SIZE, MARKS + 2 * GIB};
    struct vm_space *space = scenario->world.space;
    status_t status = reserve(space);

    for (unsigned i = 0; status == OK && i < ARRAY_LEN(places); i++) {
        status = touch(space, places[i], i == 1 ? VM_ACCESS_READ : VM_ACCESS_WRITE);
        scenario->touched += status == OK ? 1 : 0;
    }
    if (status == OK) {
        status = touch(space, places[1], VM_ACCESS_WRITE); /* a frame of its own */
    }
    if (status == OK) {
        status = split(space, places[0], VM_PROT_NONE);
    }
    if (status == OK) {
        status = split(space, MARKS + 30 * MIB, VM_PROT_NONE);
    }
    if (status == OK) {
        status = split(space, MARKS + GIB + 30 * MIB, VM_RW);
    }
    return status;
}

/* Runs until the first failure. */
static status_t scenario_run(struct scenario *scenario)
{
    struct vm_space *space = NULL;
    status_t status = vm_space_create(scenario->budget, &space);

    if (status != OK) {
        return status;
    }
    scenario->world.space = space;
    vm_space_activate(space);
    while (status == OK && scenario->mapped < PIECES * PAGES) {
        status = map_one(space, place(scenario->mapped));
        scenario->mapped += status == OK ? 1 : 0;
    }
    if (status == OK) {
        status = map_device(space, scenario->io, 50 * GIB - 4 * PAGE_SIZE);
    }
    if (status == OK) {
        status = map_one(space, place(3)); /* a replacement */
    }
    if (status == OK) {
        status = use_reserved(scenario);
    }
    if (status == OK) {
        status = vm_space_create(scenario->budget, &scenario->second);
    }
    for (unsigned i = 0; status == OK && i < 20; i++) {
        status = map_one(scenario->second, place(i * 3));
    }
    if (status == OK) {
        status = map_device(scenario->second, scenario->io, 50 * GIB);
    }
    return status;
}

/* What is said to be there is there, and nothing else. */
static void scenario_check(struct scenario *scenario)
{
    for (unsigned i = 0; i < PIECES * PAGES; i++) {
        struct walk_result result =
            walk_access(vm_space_root(scenario->world.space).raw, scenario->world.levels, place(i),
                        ORACLE_WRITE, WALK_USER);

        cr_assert(result.allowed == (i < scenario->mapped), "page %u of %u", i, scenario->mapped);
    }
    world_check(&scenario->world);
}

static void scenario_end(struct scenario *scenario)
{
    uint64_t limit = vm_space_user_limit().raw;

    if (scenario->second != NULL) {
        vm_space_put(scenario->second);
    }
    if (scenario->world.space != NULL) {
        scenario_check(scenario);
        if (scenario->mapped % 2 == 0) { /* sometimes emptied first, sometimes not */
            EXPECT_EQ(unmap_at(&scenario->world, 0, limit).ram_pages,
                      scenario->mapped + scenario->touched);
        }
        vm_space_activate(NULL);
        vm_space_put(scenario->world.space);
    }
    reap_all();
    EXPECT_EQ(frame_free_count(), scenario->world.free_before);
    EXPECT_EQ(spinlock_held_count(), 0);
    EXPECT_EQ(io_mem_refs(scenario->io), 0);
    EXPECT_OK(frame_check());
}

MODE_TEST(oom_sweep, every_allocation_may_fail, .timeout = 240)
{
    status_t status = ERR_NOMEM;
    struct io_mem *io = NULL;
    uint64_t allowed;

    machine_default(16 * MIB);
    machine_boot(*levels);
    EXPECT_OK(io_mem_create(pa_span(DEVICE_BASE, 8 * PAGE_SIZE), "x", &io));
    for (allowed = 0; status == ERR_NOMEM; allowed++) {
        struct scenario scenario = {.world = {.levels = *levels, .free_before = frame_free_count()},
                                    .io = io};

        frame_fail_after(allowed);
        status = scenario_run(&scenario);
        frame_fail_after(UINT64_MAX);
        cr_assert(status == OK || status == ERR_NOMEM, "allocation %lu: %s", (unsigned long)allowed,
                  status_name(status));
        scenario_end(&scenario);
    }
    EXPECT_OK(status);
    cr_assert(allowed > PIECES * PAGES, "only %lu allocations", (unsigned long)allowed);
}

MODE_TEST(oom_sweep, every_charge_may_be_refused, .timeout = 240)
{
    status_t status = ERR_NOMEM;
    struct io_mem *io = NULL;
    uint64_t limit;

    machine_default(16 * MIB);
    machine_boot(*levels);
    EXPECT_OK(io_mem_create(pa_span(DEVICE_BASE, 8 * PAGE_SIZE), "x", &io));
    for (limit = 0; status == ERR_NOMEM; limit++) {
        struct scenario scenario = {.world = {.levels = *levels, .free_before = frame_free_count()},
                                    .io = io};

        EXPECT_OK(vm_budget_create(NULL, limit, &scenario.budget));
        status = scenario_run(&scenario);
        cr_assert(status == OK || status == ERR_NOMEM, "limit %lu: %s", (unsigned long)limit,
                  status_name(status));
        cr_assert(vm_budget_state(scenario.budget).used <= limit);
        vm_budget_put(
            scenario.budget); /* the spaces keep it, and give it up with nothing charged */
        scenario_end(&scenario);
    }
    EXPECT_OK(status);
    cr_assert(limit > PIECES * PAGES, "a budget of %lu was enough", (unsigned long)limit);
}

/* Memory that really runs out: all goes on after some of it is given back. */
MODE_TEST(oom_sweep, a_full_machine_lives_on)
{
    struct world world = world_begin(*levels);
    uint64_t pages = 0;
    uint64_t removed = 0;

    for (unsigned round = 0; round < 3; round++) {
        while (map_one(world.space, BASE + pages * (64 * KIB + PAGE_SIZE)) == OK) {
            pages++;
        }
        cr_assert(frame_free_count() <= 1);
        world_check(&world);
        /* the last tenth goes, and comes again */
        removed = unmap_at(&world, BASE + (pages - pages / 10) * (64 * KIB + PAGE_SIZE), 8 * GIB)
                      .ram_pages;
        EXPECT_EQ(removed, pages / 10);
        pages -= removed;
        world_check(&world);
    }
    EXPECT_EQ(unmap_at(&world, 0, vm_space_user_limit().raw).ram_pages, pages);
    world_end(&world);
}
