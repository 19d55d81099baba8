/* SPDX-License-Identifier: MIT */
/*
 * The shared parts of the tests of mm/.  The judge is always the independent walker, never a query
 * of the code under test.
 */
#include "support.h"

#include "lib/spinlock.h"
#include "machine/oracle.h"

static struct machine machine;

struct machine *machine_default(uint64_t ram_bytes)
{
    machine = (struct machine){
        .hart_count = 4,
        .timebase_hz = 10000000,
        .levels_cap = 5,
    };
    machine_add_bank(pa_span(RAM_BASE, ram_bytes));
    machine_add_reserved(pa_span(RAM_BASE, IMAGE_START - RAM_BASE), MACHINE_RESERVED_FIRMWARE);
    machine_add_reserved(pa_span(IMAGE_START, IMAGE_BYTES), MACHINE_RESERVED_KERNEL);
    return &machine;
}

void machine_add_reserved(struct pa_range range, enum machine_reserved_kind kind)
{
    cr_assert(machine.reserved_count < MACHINE_RESERVED_MAX);
    machine.reserved[machine.reserved_count++] = (struct machine_reserved){range, kind};
}

void machine_add_bank(struct pa_range range)
{
    cr_assert(machine.bank_count < MACHINE_BANKS_MAX);
    machine.banks[machine.bank_count++] = range;
}

struct mm_image machine_image(void)
{
    return (struct mm_image){
        .start = {IMAGE_START},
        .text_bytes = 0x40000,
        .rodata_bytes = 0x13000,
        .data_bytes = IMAGE_BYTES - 0x53000,
    };
}

void machine_start(unsigned levels)
{
    host_machine_start(&machine, levels);
    host_oracle_start();
}

void machine_boot(unsigned levels)
{
    struct mm_image image = machine_image();

    machine_start(levels);
    EXPECT_OK(mm_init(&machine, &image, host_activate));
}

struct world world_begin(unsigned levels)
{
    return world_begin_with(levels, 16 * MIB);
}

struct world world_begin_with(unsigned levels, uint64_t ram_bytes)
{
    struct world world = {.levels = levels};

    machine_default(ram_bytes);
    machine_boot(levels);
    world.free_before = frame_free_count();
    EXPECT_OK(vm_space_create(NULL, &world.space));
    vm_space_activate(world.space);
    return world;
}

void reap_all(void)
{
    while (vm_space_reap()) {
        continue;
    }
    cr_assert(vm_space_reap_is_done(), "a dead space waits though the reaper said it was done");
}

void world_check(const struct world *world)
{
    EXPECT_EQ(spinlock_held_count(), 0);
    EXPECT_OK(vm_space_check(world->space));
    EXPECT_OK(frame_check());
    oracle_audit();
}

void world_end(struct world *world)
{
    world_check(world);
    vm_space_activate(NULL);
    vm_space_put(world->space);
    reap_all();
    EXPECT_EQ(frame_free_count(), world->free_before);
    EXPECT_OK(frame_check());
    EXPECT_EQ(spinlock_held_count(), 0);
}

struct frame *frame_new(void)
{
    struct frame *frame = NULL;

    EXPECT_OK(frame_alloc(FRAME_USER, &frame));
    return frame;
}

uint32_t frame_refs(const struct frame *frame)
{
    return atomic_load_explicit(&frame->refs, memory_order_relaxed); /* one thread */
}

struct vm_cursor cursor_open(struct world *world, uint64_t start, uint64_t bytes,
                             enum vm_cursor_mode mode)
{
    struct vm_cursor cursor = {0};

    EXPECT_OK(vm_cursor_open(&cursor, world->space, va_span(start, bytes), mode));
    return cursor;
}

void map_at(struct world *world, uint64_t at, struct frame *frame, enum vm_prot prot)
{
    struct vm_cursor cursor = cursor_open(world, at, PAGE_SIZE, VM_CURSOR_CHANGE);

    EXPECT_OK(vm_cursor_map(&cursor, frame, prop(prot), VM_MAP_REPLACE));
    vm_cursor_close(&cursor);
}

struct vm_removed unmap_at(struct world *world, uint64_t at, uint64_t bytes)
{
    struct vm_cursor cursor = cursor_open(world, at, bytes, VM_CURSOR_CHANGE);
    struct vm_removed removed = {0};

    EXPECT_OK(vm_cursor_unmap(&cursor, bytes, &removed));
    EXPECT_EQ(vm_cursor_va(&cursor).raw, at + bytes);
    vm_cursor_close(&cursor);
    return removed;
}

static void expect_access(const struct world *world, uint64_t at, enum oracle_access access,
                          const uint64_t *to)
{
    static const char *const names[] = {"read", "write", "execute"};
    struct walk_result result =
        walk_access(vm_space_root(world->space).raw, world->levels, at, access, WALK_USER);

    if (to == NULL) {
        cr_assert(!result.allowed, "%s at %#lx is allowed, to %#lx", names[access],
                  (unsigned long)at, (unsigned long)result.pa);
        return;
    }
    cr_assert(result.allowed, "%s at %#lx is not allowed, entry %#lx", names[access],
              (unsigned long)at, (unsigned long)result.entry);
    cr_assert(result.pa == *to, "%s at %#lx leads to %#lx, not %#lx", names[access],
              (unsigned long)at, (unsigned long)result.pa, (unsigned long)*to);
}

void expect_mapped_pa(const struct world *world, uint64_t at, uint64_t to, enum vm_prot prot)
{
    expect_access(world, at, ORACLE_READ, (prot & VM_R) != 0 ? &to : NULL);
    expect_access(world, at, ORACLE_WRITE, (prot & VM_W) != 0 ? &to : NULL);
    expect_access(world, at, ORACLE_EXECUTE, (prot & VM_X) != 0 ? &to : NULL);
}

void expect_mapped(const struct world *world, uint64_t at, const struct frame *frame,
                   enum vm_prot prot)
{
    expect_mapped_pa(world, at, frame_pa(frame).raw + (at & PAGE_MASK), prot);
}

void expect_absent(const struct world *world, uint64_t at)
{
    expect_mapped_pa(world, at, 0, VM_PROT_NONE);
}

bool hart_may(hart_idx_t hart, uint64_t at, enum oracle_access access, uint64_t *to)
{
    uint64_t reached;
    bool may = oracle_may_access(hart, at, access, &reached);

    if (to != NULL) {
        *to = reached;
    }
    return may;
}

bool hart_may_fault(hart_idx_t hart, uint64_t at, enum oracle_access access)
{
    struct oracle_outcome outcomes[8];
    size_t count = oracle_outcomes(hart, at, access, outcomes, ARRAY_LEN(outcomes));

    for (size_t i = 0; i < count; i++) {
        if (outcomes[i].faults) {
            return true;
        }
    }
    return false;
}
