/* SPDX-License-Identifier: MIT */
/*
 * Real threads as harts: programs run in shared spaces while others unmap, map and tighten what
 * they use, and harts switch between more spaces than there are identifiers.
 *
 * Whatever is mapped at page p of space s holds the number of (s, p), so a translation of another
 * space or page shows in what a program reads; a translation to a freed frame ends the run (tlb.c),
 * and a program that writes through one races with the frame's next owner.
 */
#include "harts/harts.h"
#include "harts/tlb.h"
#include "lib/assert.h"
#include "mm/vm_budget.h"
#include "mm/vm_fault.h"

#define ROUNDS     2500U
#define SPACES_MAX 24U
#define PAGES      6U

static struct vm_space *spaces[SPACES_MAX];
static unsigned space_count;

/* In three tables, two of which share one. */
static vaddr_t page_va(unsigned page)
{
    return (vaddr_t){page % 3 * (2 * MIB) + page % 2 * GIB + page * (uint64_t)PAGE_SIZE};
}

static uint64_t tag_of(unsigned space, unsigned page)
{
    return (space + 1) * UINT64_C(1000) + page;
}

static struct vm_cursor open_page(unsigned space, unsigned page)
{
    struct vm_cursor cursor;
    struct va_range range = {page_va(page), vaddr_add(page_va(page), PAGE_SIZE)};

    EXPECT_OK(vm_cursor_open(&cursor, spaces[space], range, VM_CURSOR_CHANGE));
    return cursor;
}

static void map_page(unsigned space, unsigned page)
{
    struct vm_cursor cursor = open_page(space, page);
    struct vm_prop prop = {pick(4) == 0 ? VM_R : VM_RW, VM_MEM_PMA};

    EXPECT_OK(vm_cursor_map(&cursor, frame_with(tag_of(space, page)), prop, VM_MAP_REPLACE));
    vm_cursor_close(&cursor);
}

static void unmap_some(unsigned space, unsigned page)
{
    uint64_t bytes = pick(3) == 0 ? 2 * MIB : PAGE_SIZE;
    vaddr_t start = {align_down(page_va(page).raw, bytes)};
    struct vm_cursor cursor;
    struct vm_removed removed;

    EXPECT_OK(vm_cursor_open(&cursor, spaces[space],
                             (struct va_range){start, vaddr_add(start, bytes)}, VM_CURSOR_EDIT));
    EXPECT_OK(vm_cursor_unmap(&cursor, bytes, &removed));
    vm_cursor_close(&cursor);
}

static void toggle_write(struct vm_rights *rights, void *context)
{
    (void)context;
    rights->prop.prot ^= (unsigned)VM_W;
}

static void protect_page(unsigned space, unsigned page)
{
    struct vm_cursor cursor = open_page(space, page);
    struct va_range changed;
    status_t status = vm_cursor_protect_next(&cursor, PAGE_SIZE, toggle_write, NULL, &changed);

    EXPECT(status == OK || status == ERR_NOENT);
    vm_cursor_close(&cursor);
}

/* A program's access; a fault goes to the kernel, which says whether it is the program's. */
static void access_page(unsigned space, unsigned page)
{
    enum vm_access access = pick(2) == 0 ? VM_ACCESS_READ : VM_ACCESS_WRITE;
    uint64_t word = 0;
    bool done = access == VM_ACCESS_READ ? program_load(page_va(page), &word)
                                         : program_store(page_va(page), tag_of(space, page));

    EXPECT(!done || word == 0 || word == tag_of(space, page));
    if (!done) {
        kernel_enter();
        (void)vm_space_fault(spaces[space], page_va(page), access);
        kernel_leave();
    }
}

static void change_something(void)
{
    unsigned space = (unsigned)pick(space_count);
    unsigned page = (unsigned)pick(PAGES);

    switch (pick(5)) {
    case 0:
        unmap_some(space, page);
        break;
    case 1:
        protect_page(space, page);
        break;
    default:
        map_page(space, page);
    }
}

/* Now and then another space, or none; in between programs run on for a while, so that others'
 * flushes and new epochs meet them. */
static void run(hart_idx_t hart)
{
    unsigned space = 0;
    bool is_idle = true;

    (void)hart;
    for (unsigned round = 0; round < ROUNDS; round++) {
        kernel_enter();
        change_something();
        if (pick(3) == 0) {
            space = (unsigned)pick(space_count);
            is_idle = pick(16) == 0;
            vm_space_activate(is_idle ? NULL : spaces[space]);
        }
        (void)vm_space_reap();
        kernel_leave();
        for (uint64_t times = pick(12); !is_idle && times > 0; times--) {
            access_page(space, (unsigned)pick(PAGES));
        }
    }
    kernel_enter();
    vm_space_activate(NULL);
    kernel_leave();
}

/* What is charged to the budget that all spaces share is what is charged for them. */
static void check_budget(const struct vm_budget *budget)
{
    uint64_t charged = 0;

    for (unsigned i = 0; i < space_count; i++) {
        charged += vm_space_charged(spaces[i]);
    }
    EXPECT(vm_budget_state(budget).used == charged);
}

static void program(const struct harts_config *config)
{
    struct vm_budget *outer;
    struct vm_budget *budget;

    /* Few spaces share more; many make identifiers start over. */
    space_count = config->asid_bits == 4 ? SPACES_MAX : 3;
    harts_begin(config);
    EXPECT_OK(vm_budget_create(NULL, UINT64_MAX, &outer));
    EXPECT_OK(vm_budget_create(outer, UINT64_MAX, &budget));
    for (unsigned i = 0; i < space_count; i++) {
        EXPECT_OK(vm_space_create(budget, &spaces[i]));
    }
    harts_run(run);
    check_budget(budget);
    check_budget(outer);
    vm_budget_put(outer);
    vm_budget_put(budget); /* the spaces keep it until they are taken apart: then it is empty */
    for (unsigned i = 0; i < space_count; i++) {
        EXPECT_OK(vm_space_check(spaces[i]));
        vm_space_put(spaces[i]);
    }
    harts_end();
}

int main(void)
{
    static const struct harts_config configs[] = {
        {4, 3, 0}, {4, 3, 16}, {4, 4, 4}, {6, 3, 4}, {2, 5, 9}};

    return harts_for_each(configs, ARRAY_LEN(configs), program);
}
