/* SPDX-License-Identifier: MIT */
/*
 * Real threads as harts: spaces are created, shared, run, left and put away by several harts, so
 * that the last reference goes anywhere; identifiers start over meanwhile, and look at what harts
 * run; I/O regions are held by their mappings, to the last.
 */
#include "harts/harts.h"
#include "harts/tlb.h"
#include "lib/assert.h"
#include "lib/spinlock.h"

#define ROUNDS    1500U
#define PLACES    6U /* spaces that all harts know */
#define IO_PAGES  4U
#define IO_BASE   UINT64_C(0x10000000)
#define PAGE_VA   ((vaddr_t){GIB})
#define DEVICE_VA ((vaddr_t){2 * GIB})

static struct spinlock lock = SPINLOCK_INIT(LOCK_HANDLES);
static struct vm_space *known[PLACES]; /* (l) one reference each */
static struct io_mem *io;

static void map_page(struct vm_space *space)
{
    struct va_range page = {PAGE_VA, vaddr_add(PAGE_VA, PAGE_SIZE)};
    struct vm_cursor cursor;

    EXPECT_OK(vm_cursor_open(&cursor, space, page, VM_CURSOR_CHANGE));
    EXPECT_OK(vm_cursor_map(&cursor, frame_with((uint64_t)(uintptr_t)space),
                            (struct vm_prop){VM_RW, VM_MEM_PMA}, VM_MAP_REPLACE));
    vm_cursor_close(&cursor);
}

/* Another space in one of the places; the reference of the one before goes. */
static void replace(void)
{
    struct vm_space *space, *before;
    uint64_t place = pick(PLACES);

    EXPECT_OK(vm_space_create(NULL, &space));
    map_page(space);
    spinlock_acquire(&lock);
    before = known[place];
    known[place] = space;
    spinlock_release(&lock);
    if (before != NULL) {
        vm_space_put(before);
    }
}

static struct vm_space *get_known(void)
{
    struct vm_space *space;

    spinlock_acquire(&lock);
    space = known[pick(PLACES)];
    if (space != NULL) {
        vm_space_get(space);
    }
    spinlock_release(&lock);
    return space;
}

/* Each hart has device pages of its own in every space, which come and go; the region is known as
 * long as one is mapped.  The first in a space makes its counts, and two may be the first. */
static void map_device(struct vm_space *space, hart_idx_t hart)
{
    vaddr_t start = vaddr_add(DEVICE_VA, (uint64_t)hart * 2 * MIB);
    struct va_range range = {start, vaddr_add(start, IO_PAGES * PAGE_SIZE)};
    struct vm_cursor cursor;
    struct vm_removed removed;
    struct io_mem *found = NULL;
    uint64_t offset, mapped;

    EXPECT_OK(vm_cursor_open(&cursor, space, range, VM_CURSOR_CHANGE));
    EXPECT_OK(vm_cursor_map_iomem(&cursor, io, (struct vm_prop){VM_RW, VM_MEM_IO},
                                  IO_PAGES * PAGE_SIZE, 0, VM_MAP_REPLACE, &mapped));
    EXPECT(mapped == IO_PAGES * PAGE_SIZE);
    EXPECT_OK(vm_space_find_iomem(space, (paddr_t){IO_BASE + PAGE_SIZE}, &found, &offset));
    EXPECT(found == io && offset == PAGE_SIZE);
    if (pick(2) == 0) {
        EXPECT_OK(vm_cursor_jump(&cursor, start));
        EXPECT_OK(vm_cursor_unmap(&cursor, IO_PAGES * PAGE_SIZE, &removed));
        EXPECT(removed.io_pages == IO_PAGES);
    }
    vm_cursor_close(&cursor);
}

/* Runs a space for a while, as a scheduler does: with a reference of the hart's own. */
static void run_space(struct vm_space **active, hart_idx_t hart)
{
    struct vm_space *space = get_known();

    vm_space_activate(space);
    if (*active != NULL) {
        vm_space_put(*active);
    }
    *active = space;
    if (space != NULL && pick(3) == 0) {
        map_device(space, hart);
    }
}

static void run(hart_idx_t hart)
{
    struct vm_space *active = NULL;
    uint64_t word = 0;

    for (unsigned round = 0; round < ROUNDS; round++) {
        kernel_enter();
        if (pick(3) == 0) {
            replace();
        }
        run_space(&active, hart);
        (void)vm_space_reap();
        kernel_leave();
        if (active != NULL) {
            EXPECT(program_load(PAGE_VA, &word) && word == (uint64_t)(uintptr_t)active);
        }
    }
    kernel_enter();
    vm_space_activate(NULL);
    if (active != NULL) {
        vm_space_put(active);
    }
    kernel_leave();
}

static void program(const struct harts_config *config)
{
    struct pa_range registers = {{IO_BASE}, {IO_BASE + IO_PAGES * PAGE_SIZE}};

    harts_begin(config);
    EXPECT_OK(io_mem_create(registers, "race", &io));
    harts_run(run);
    for (unsigned i = 0; i < PLACES; i++) {
        if (known[i] != NULL) {
            vm_space_put(known[i]);
        }
    }
    harts_end();
    EXPECT(io_mem_refs(io) == 0);
}

int main(void)
{
    static const struct harts_config configs[] = {{4, 3, 0}, {4, 3, 4}, {3, 4, 9}};

    return harts_for_each(configs, ARRAY_LEN(configs), program);
}
