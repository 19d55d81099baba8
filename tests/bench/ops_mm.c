/* SPDX-License-Identifier: MIT */
/* The operations by mm, as the system calls do them: a cursor a step of so many pages. */
#include "bench/bench.h"
#include "bench/machine.h"
#include "mm/vm_cursor.h"
#include "mm/vm_fault.h"

#define HART_BYTES (UINT64_C(4) << 30)
#define STEP_PAGES UINT64_C(256)

static const struct vm_prop prop_rw = {VM_RW, VM_MEM_PMA};

/* Frames for BENCH_MAP; each keeps a reference of its own. */
static struct frame *kept[BENCH_HARTS_MAX][BENCH_PAGES_MAX];

/* The range `i` of a part: ranges lie apart, so that each has an end of its own. */
static struct va_range range_of(const struct bench_part *part, uint64_t i)
{
    uint64_t bytes = part->shape.pages * PAGE_SIZE;
    uint64_t start = (part->hart + 1) * HART_BYTES + i * 2 * bytes;

    return (struct va_range){{start}, {start + bytes}};
}

static struct va_range step_of(struct va_range range, uint64_t at)
{
    uint64_t left = range.end.raw - at;
    uint64_t bytes = left < STEP_PAGES * PAGE_SIZE ? left : STEP_PAGES * PAGE_SIZE;

    return (struct va_range){{at}, {at + bytes}};
}

static struct vm_cursor open(const struct bench_part *part, struct va_range range,
                             enum vm_cursor_mode mode)
{
    struct vm_cursor cursor;

    EXPECT_OK(vm_cursor_open(&cursor, part->space, range, mode));
    return cursor;
}

static void populate(const struct bench_part *part, struct va_range range)
{
    for (uint64_t at = range.start.raw; at < range.end.raw; at += STEP_PAGES * PAGE_SIZE) {
        struct va_range step = step_of(range, at);
        struct vm_cursor cursor = open(part, step, VM_CURSOR_CHANGE);

        EXPECT_OK(vm_cursor_fill(&cursor, step.end.raw - step.start.raw, prop_rw));
        vm_cursor_close(&cursor);
    }
}

static void map(const struct bench_part *part, struct va_range range)
{
    struct frame **frames = kept[part->hart];

    for (uint64_t at = range.start.raw; at < range.end.raw; at += STEP_PAGES * PAGE_SIZE) {
        struct va_range step = step_of(range, at);
        uint64_t first = (at - range.start.raw) / PAGE_SIZE;
        uint64_t count = (step.end.raw - step.start.raw) / PAGE_SIZE;
        struct vm_cursor cursor = open(part, step, VM_CURSOR_CHANGE);

        EXPECT_OK(vm_cursor_map_frames(&cursor, &frames[first], count, prop_rw, VM_MAP_EXCLUSIVE));
        vm_cursor_close(&cursor);
    }
}

static void protect(const struct bench_part *part, struct va_range range, enum vm_prot prot)
{
    for (uint64_t at = range.start.raw; at < range.end.raw; at += STEP_PAGES * PAGE_SIZE) {
        struct va_range step = step_of(range, at);
        struct vm_cursor cursor = open(part, step, VM_CURSOR_EDIT);
        uint64_t bytes = step.end.raw - step.start.raw;
        uint64_t pages;

        EXPECT_OK(vm_cursor_protect(&cursor, bytes, prot, UINT64_MAX, &pages));
        EXPECT(pages == bytes / PAGE_SIZE);
        vm_cursor_close(&cursor);
    }
}

static void unmap(const struct bench_part *part, struct va_range range, uint64_t pages)
{
    struct vm_cursor cursor = open(part, range, VM_CURSOR_EDIT);
    struct vm_removed removed;

    EXPECT_OK(vm_cursor_unmap(&cursor, range.end.raw - range.start.raw, &removed));
    vm_cursor_close(&cursor);
    EXPECT(removed.ram_pages == pages && removed.io_pages == 0);
    while (vm_space_reap()) {
        continue;
    }
}

static uint64_t query(const struct bench_part *part, struct va_range range)
{
    struct vm_cursor cursor = open(part, range, VM_CURSOR_QUERY);
    struct vm_slot slot;
    uint64_t present = 0;

    while (vm_cursor_next(&cursor, &slot) == OK) {
        present += slot.item.kind == VM_ITEM_RAM ? 1 : 0;
    }
    vm_cursor_close(&cursor);
    return present;
}

static void find(const struct bench_part *part, struct va_range range)
{
    struct vm_cursor cursor = open(part, range, VM_CURSOR_QUERY);
    vaddr_t found = {0};

    EXPECT_OK(vm_cursor_find_next(&cursor, range.end.raw - range.start.raw, &found));
    EXPECT(found.raw == range.end.raw - PAGE_SIZE);
    vm_cursor_close(&cursor);
}

static void fault(const struct bench_part *part, struct va_range range)
{
    for (uint64_t at = range.start.raw; at < range.end.raw; at += PAGE_SIZE) {
        EXPECT(vm_space_fault(part->space, (vaddr_t){at}, VM_ACCESS_READ) == VM_FAULT_RETRY);
    }
}

static void run_one(const struct bench_part *part, enum bench_op op, struct va_range range)
{
    struct vm_cursor cursor;

    switch (op) {
    case BENCH_OPEN:
        cursor = open(part, range, VM_CURSOR_QUERY);
        vm_cursor_close(&cursor);
        return;
    case BENCH_POPULATE:
        populate(part, range);
        return;
    case BENCH_QUERY:
        EXPECT(query(part, range) == part->shape.pages);
        return;
    case BENCH_FIND:
        find(part, range);
        return;
    case BENCH_FAULT:
        fault(part, range);
        return;
    case BENCH_TIGHTEN:
        protect(part, range, VM_R);
        return;
    case BENCH_LOOSEN:
        protect(part, range, VM_RW);
        return;
    case BENCH_UNMAP:
        unmap(part, range, part->shape.pages);
        return;
    case BENCH_MAP:
        map(part, range);
        return;
    case BENCH_OP_COUNT:
        break;
    }
    EXPECT(false);
}

void bench_mm_run(const struct bench_part *part, enum bench_op op)
{
    for (uint64_t i = 0; i < part->shape.ranges; i++) {
        run_one(part, op, range_of(part, i));
    }
}

/* All pages of a range but the last; none if there is one page. */
static struct va_range all_but_last(struct va_range range)
{
    return (struct va_range){range.start, {range.end.raw - PAGE_SIZE}};
}

void bench_mm_prepare(const struct bench_part *part, enum bench_op op)
{
    uint64_t pages = part->shape.pages;

    for (uint64_t i = 0; i < part->shape.ranges && op == BENCH_FIND && pages > 1; i++) {
        unmap(part, all_but_last(range_of(part, i)), pages - 1);
    }
    for (uint64_t i = 0; i < pages && op == BENCH_MAP; i++) {
        EXPECT_OK(frame_alloc(FRAME_USER, &kept[part->hart][i]));
        for (uint64_t range = 0; range < part->shape.ranges; range++) {
            frame_get(kept[part->hart][i]);
        }
    }
}

void bench_mm_check(const struct bench_part *part, enum bench_op op)
{
    uint64_t pages = part->shape.pages;

    for (uint64_t i = 0; i < part->shape.ranges; i++) {
        struct va_range range = range_of(part, i);

        if (op == BENCH_FIND && pages > 1) {
            populate(part, all_but_last(range));
        }
        EXPECT(query(part, range) == (op == BENCH_UNMAP ? 0 : pages));
        if (op == BENCH_MAP) {
            unmap(part, range, pages);
        }
    }
    for (uint64_t i = 0; i < pages && op == BENCH_MAP; i++) {
        frame_put(kept[part->hart][i]);
    }
}
