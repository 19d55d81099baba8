/* SPDX-License-Identifier: MIT */
/*
 * Real threads as harts: sub-trees of several levels are detached and parked over and over, and
 * empty tables swept, while other harts descend through them without locks, and every hart reaps.
 * A table that is freed too early is met by a descent: its frame is another's then, or its record,
 * which the sanitizer sees.
 *
 * Harts stay in the kernel for different numbers of calls, so that snapshots meet them inside.
 */
#include "harts/harts.h"
#include "lib/assert.h"
#include "mm/vm_fault.h"

#define ROUNDS 5000U
#define PAGES  24U

static struct vm_space *space;

/* Each in a table of its own, eight of them in each of three parents. */
static vaddr_t page_va(unsigned page)
{
    return (vaddr_t){page / 8 * GIB + page % 8 * (2 * MIB) + page * (uint64_t)PAGE_SIZE};
}

static void detach(void)
{
    uint64_t bytes = pick(2) == 0 ? GIB : 2 * MIB;
    vaddr_t start = {align_down(page_va((unsigned)pick(PAGES)).raw, bytes)};
    struct vm_cursor cursor;
    struct vm_removed removed;

    EXPECT_OK(vm_cursor_open(&cursor, space, (struct va_range){start, vaddr_add(start, bytes)},
                             VM_CURSOR_EDIT));
    EXPECT_OK(vm_cursor_unmap(&cursor, bytes, &removed));
    vm_cursor_close(&cursor);
}

/* Leaves an empty table for others to sweep. */
static void empty_one(void)
{
    vaddr_t va = page_va((unsigned)pick(PAGES));
    struct vm_cursor cursor;
    struct vm_removed removed;

    EXPECT_OK(vm_cursor_open(&cursor, space, (struct va_range){va, vaddr_add(va, PAGE_SIZE)},
                             VM_CURSOR_EDIT));
    EXPECT_OK(vm_cursor_unmap(&cursor, PAGE_SIZE, &removed));
    vm_cursor_close(&cursor);
}

static void sweep(void)
{
    vaddr_t va = page_va((unsigned)pick(PAGES));

    (void)vm_space_sweep(space, &va);
}

static void link(void)
{
    vaddr_t va = page_va((unsigned)pick(PAGES));
    struct vm_cursor cursor;

    EXPECT_OK(vm_cursor_open(&cursor, space, (struct va_range){va, vaddr_add(va, PAGE_SIZE)},
                             VM_CURSOR_CHANGE));
    EXPECT_OK(vm_cursor_map(&cursor, frame_with(va.raw), (struct vm_prop){VM_RW, VM_MEM_PMA},
                            VM_MAP_REPLACE));
    vm_cursor_close(&cursor);
}

/* A descent that only looks. */
static void look(void)
{
    vaddr_t va = page_va((unsigned)pick(PAGES));
    struct vm_cursor cursor;
    struct vm_slot slot;

    EXPECT_OK(vm_cursor_open(&cursor, space, (struct va_range){va, vaddr_add(va, PAGE_SIZE)},
                             VM_CURSOR_QUERY));
    EXPECT_OK(vm_cursor_query(&cursor, &slot));
    EXPECT(slot.item.kind == VM_ITEM_ABSENT ||
           atomic_load_explicit((_Atomic(uint64_t) *)frame_bytes(slot.item.frame),
                                memory_order_relaxed) == va.raw); /* under the cursor */
    vm_cursor_close(&cursor);
}

static void run(hart_idx_t hart)
{
    for (unsigned round = 0; round < ROUNDS;) {
        kernel_enter();
        for (uint64_t calls = 1 + pick(4 + 8 * hart); calls > 0; calls--, round++) {
            switch (pick(9)) {
            case 0:
                detach();
                break;
            case 1:
            case 2:
                link();
                break;
            case 3:
                empty_one();
                break;
            case 4:
                sweep();
                break;
            default:
                look();
            }
            (void)vm_space_reap();
        }
        kernel_leave();
    }
}

static void program(const struct harts_config *config)
{
    harts_begin(config);
    EXPECT_OK(vm_space_create(NULL, &space));
    harts_run(run);
    EXPECT_OK(vm_space_check(space));
    vm_space_put(space);
    harts_end();
}

int main(void)
{
    static const struct harts_config configs[] = {{4, 3, 0}, {3, 5, 0}};

    return harts_for_each(configs, ARRAY_LEN(configs), program);
}
