/* SPDX-License-Identifier: MIT */
/*
 * Real threads as harts: large pages are mapped, reserved and made by faults, split by changes of
 * their parts, cloned and folded, while programs read and write them.
 *
 * A program finds zeroes in a page, or what some program has written there: a word that tells the
 * page.  A part of a block that is given back while a hart may use it, a table that is freed under
 * a descent, or two owners of one page are seen by the word, by the TLBs (harts/tlb.c) or by the
 * sanitizer.  In the end every charge and every reference is given back.
 */
#include "harts/rounds.h"
#include "lib/assert.h"
#include "mm/vm_cursor_large.h"

#define ROUNDS 150U
#define BLOCKS 3U
#define PAGES  12U
#define BUDGET 30000U /* frames: more than all spaces ever need */
#define TABLES 64U

static struct vm_space *space;
static struct vm_budget *budget;
static _Thread_local struct frame_making making;

/* Four pages of each block: the first two, one inside, and the last. */
static vaddr_t page_va(unsigned page)
{
    static const uint64_t places[] = {0, 1, 300, 511};

    return (vaddr_t){GIB - 4 * MIB + page / 4 * (2 * MIB) + places[page % 4] * PAGE_SIZE};
}

static uint64_t tag_of(unsigned page)
{
    return UINT64_C(0xace0000) + page;
}

static struct va_range block_of(unsigned page)
{
    vaddr_t start = {align_down(page_va(page).raw, 2 * MIB)};

    return (struct va_range){start, vaddr_add(start, 2 * MIB)};
}

/* An area around the page: it alone, its block, or all blocks. */
static struct va_range area_of(unsigned page)
{
    switch (pick(4)) {
    case 0:
        return (struct va_range){{GIB - 4 * MIB}, {GIB - 4 * MIB + BLOCKS * 2 * MIB}};
    case 1:
        return block_of(page);
    default:
        return (struct va_range){page_va(page), vaddr_add(page_va(page), PAGE_SIZE)};
    }
}

static uint64_t bytes_of(struct va_range area)
{
    return area.end.raw - area.start.raw;
}

static void reserve(struct va_range area)
{
    struct vm_mark mark = {.kind = VM_ITEM_RESERVED, .prot = VM_RW, .page_level = 1};
    struct vm_cursor cursor;
    struct vm_removed removed;

    EXPECT_OK(vm_cursor_open(&cursor, space, area, VM_CURSOR_CHANGE));
    EXPECT_OK(vm_cursor_mark(&cursor, bytes_of(area), mark, VM_MAP_REPLACE, 8192, &removed));
    vm_cursor_close(&cursor);
}

static void unmap(struct va_range area)
{
    struct vm_cursor cursor;
    struct vm_removed removed;

    EXPECT_OK(vm_cursor_open(&cursor, space, area, VM_CURSOR_EDIT));
    EXPECT_OK(vm_cursor_unmap(&cursor, bytes_of(area), &removed));
    vm_cursor_close(&cursor);
}

static void protect(struct va_range area, enum vm_prot prot)
{
    struct vm_cursor cursor;
    uint64_t pages;

    EXPECT_OK(vm_cursor_open(&cursor, space, area, VM_CURSOR_EDIT));
    EXPECT_OK(vm_cursor_protect(&cursor, bytes_of(area), prot, 8192, &pages));
    vm_cursor_close(&cursor);
}

static void fold(struct va_range area)
{
    struct vm_cursor cursor;
    unsigned folded;

    EXPECT_OK(vm_cursor_open(&cursor, space, area, VM_CURSOR_EDIT));
    EXPECT_OK(vm_cursor_fold(&cursor, bytes_of(area), TABLES, &folded));
    vm_cursor_close(&cursor);
}

/* Maps a fresh block, if there is one. */
static void map_block(struct va_range area)
{
    struct frame_making own = {0};
    struct vm_cursor cursor;
    status_t status;

    frame_making_want(&own, 1, NULL);
    do {
        status = frame_making_step(&own);
    } while (status == ERR_AGAIN);
    if (status != OK) {
        return;
    }
    EXPECT_OK(vm_cursor_open(&cursor, space, area, VM_CURSOR_CHANGE));
    EXPECT_OK(vm_cursor_map_block(&cursor, frame_making_take(&own), 1,
                                  (struct vm_prop){VM_RW, VM_MEM_PMA}, VM_MAP_REPLACE));
    vm_cursor_close(&cursor);
}

/* Splits a block, and folds it unless somebody has spoilt it meanwhile. */
static void split_and_fold(unsigned page)
{
    protect((struct va_range){page_va(page), vaddr_add(page_va(page), PAGE_SIZE)}, VM_R);
    pause_maybe();
    protect(block_of(page), VM_RW);
    fold(block_of(page));
}

/* A clone of the area in a space that lives for a moment. */
static void clone(struct va_range area)
{
    struct vm_space *other;
    struct vm_cursor from;
    struct vm_cursor to;

    EXPECT_OK(vm_space_create(budget, &other));
    if (vm_space_root(space).raw < vm_space_root(other).raw) {
        EXPECT_OK(vm_cursor_open(&from, space, area, VM_CURSOR_EDIT));
        EXPECT_OK(vm_cursor_open(&to, other, area, VM_CURSOR_CHANGE));
    } else {
        EXPECT_OK(vm_cursor_open(&to, other, area, VM_CURSOR_CHANGE));
        EXPECT_OK(vm_cursor_open(&from, space, area, VM_CURSOR_EDIT));
    }
    EXPECT_OK(vm_cursor_clone(&from, &to, bytes_of(area), 8192));
    vm_cursor_close(&from);
    vm_cursor_close(&to);
    pause_maybe();
    vm_space_put(other);
}

/* Keeps what an address leads to for a while, so that the space is not its only owner. */
static void borrow(unsigned page)
{
    struct vm_cursor cursor;
    struct vm_slot slot;

    EXPECT_OK(vm_cursor_open(&cursor, space, block_of(page), VM_CURSOR_QUERY));
    EXPECT_OK(vm_cursor_jump(&cursor, page_va(page)));
    EXPECT_OK(vm_cursor_query_get(&cursor, &slot));
    vm_cursor_close(&cursor);
    if (slot.item.kind == VM_ITEM_RAM || slot.item.kind == VM_ITEM_HIDDEN) {
        pause_maybe();
        frame_block_put(slot.item.frame, slot.item.level);
    }
}

static void change_something(void)
{
    unsigned page = (unsigned)pick(PAGES);

    switch (pick(11)) {
    case 0:
        unmap(area_of(page));
        break;
    case 1:
        protect(area_of(page), VM_PROT_NONE);
        break;
    case 2:
        protect(area_of(page), VM_R);
        break;
    case 3:
        fold(area_of(page));
        break;
    case 4:
    case 5:
        map_block(block_of(page));
        break;
    case 6:
    case 7:
        split_and_fold(page);
        break;
    case 8:
        clone(area_of(page));
        break;
    case 9:
        borrow(page);
        break;
    default:
        reserve(area_of(page));
    }
}

/* A program's access. */
static void access_page(struct vm_space *in)
{
    enum vm_access access = pick(2) == 0 ? VM_ACCESS_READ : VM_ACCESS_WRITE;
    unsigned page = (unsigned)pick(PAGES);
    uint64_t word = tag_of(page);
    bool done;

    EXPECT(rounds_access(in, page_va(page), access, &making, &word, &done) != VM_FAULT_NOMEM);
    EXPECT(!done || word == 0 || word == tag_of(page));
}

static void run(hart_idx_t hart)
{
    static const struct rounds rounds = {ROUNDS, 12, change_something, access_page};

    (void)hart;
    rounds_run(&rounds, space);
    kernel_enter();
    frame_making_drop(&making);
    kernel_leave();
}

static void program(const struct harts_config *config)
{
    harts_begin(config);
    EXPECT_OK(vm_budget_create(NULL, BUDGET, &budget));
    EXPECT_OK(vm_space_create(budget, &space));
    reserve((struct va_range){{0}, {2 * GIB}});
    harts_run(run);
    rounds_end_spaces(&space, 1);
    rounds_end_budget(budget);
    harts_end();
}

int main(void)
{
    return rounds_main(program);
}
