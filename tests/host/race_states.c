/* SPDX-License-Identifier: MIT */
/*
 * Real threads as harts: programs touch reserved pages while others touch the same ones, reserve
 * whole areas anew, unmap them, hide them, bring them back and sweep their tables.
 *
 * A program finds zeroes in a page, or what some program has written there: a word that tells the
 * page.  A frame that is somebody else's, or one that is freed while a hart may use it, is seen by
 * its word, by the TLBs (harts/tlb.c) or by the sanitizer.  In the end the frame of zeroes is full
 * of zeroes, and nobody names it but the kernel.
 */
#include "harts/rounds.h"
#include "lib/assert.h"

#define ROUNDS 400U
#define PAGES  12U
#define BUDGET 4000U /* frames: more than the space ever needs */

static struct vm_space *space;
static struct vm_budget *budget;
static uint32_t zero_refs;

/* Pages of three tables, which lie side by side below two parents. */
static vaddr_t page_va(unsigned page)
{
    return (vaddr_t){GIB - 4 * MIB + page / 4 * (2 * MIB) + page % 4 * (uint64_t)PAGE_SIZE};
}

static uint64_t tag_of(unsigned page)
{
    return UINT64_C(0xace0000) + page;
}

/* An area around the page: it alone, its table, or all tables of the pages. */
static struct va_range area_of(unsigned page)
{
    vaddr_t va = page_va(page);
    uint64_t bytes = pick(3) == 0 ? 2 * MIB : PAGE_SIZE;
    vaddr_t start = {align_down(va.raw, bytes)};

    if (pick(8) == 0) {
        return (struct va_range){{GIB - 4 * MIB}, {GIB + 2 * MIB}};
    }
    return (struct va_range){start, vaddr_add(start, bytes)};
}

static uint64_t bytes_of(struct va_range area)
{
    return area.end.raw - area.start.raw;
}

static void reserve(struct va_range area)
{
    struct vm_mark mark = {.kind = VM_ITEM_RESERVED, .prot = pick(4) == 0 ? VM_R : VM_RW};
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

static void sweep(void)
{
    vaddr_t va = {0};

    do {
        (void)vm_space_sweep(space, &va);
    } while (va.raw != 0);
}

/* Keeps a reference on a page's frame for a while, so that the space is not its only owner. */
static void borrow(unsigned page)
{
    struct va_range range = {page_va(page), vaddr_add(page_va(page), PAGE_SIZE)};
    struct vm_cursor cursor;
    struct vm_slot slot;

    EXPECT_OK(vm_cursor_open(&cursor, space, range, VM_CURSOR_QUERY));
    EXPECT_OK(vm_cursor_query_get(&cursor, &slot));
    vm_cursor_close(&cursor);
    if (slot.item.kind == VM_ITEM_RAM || slot.item.kind == VM_ITEM_HIDDEN) {
        pause_maybe();
        frame_put(slot.item.frame);
    }
}

static void change_something(void)
{
    unsigned page = (unsigned)pick(PAGES);

    switch (pick(9)) {
    case 0:
        unmap(area_of(page));
        break;
    case 1:
        protect(area_of(page), VM_PROT_NONE);
        break;
    case 2:
    case 3:
        protect(area_of(page), VM_RW);
        break;
    case 4:
        protect(area_of(page), VM_R);
        break;
    case 5:
        sweep();
        break;
    case 6:
        borrow(page);
        break;
    case 7:
        (void)frame_zero_ahead();
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

    EXPECT(rounds_access(in, page_va(page), access, NULL, &word, &done) != VM_FAULT_NOMEM);
    EXPECT(!done || word == 0 || word == tag_of(page));
}

static void run(hart_idx_t hart)
{
    static const struct rounds rounds = {ROUNDS, 12, change_something, access_page};

    (void)hart;
    rounds_run(&rounds, space);
}

static void check_zero_frame(void)
{
    const uint64_t *words = frame_bytes(frame_zero());

    for (unsigned i = 0; i < PAGE_SIZE / sizeof(*words); i++) {
        EXPECT(words[i] == 0);
    }
    /* Relaxed: the other threads have ended. */
    EXPECT(atomic_load_explicit(&frame_zero()->refs, memory_order_relaxed) == zero_refs);
}

static void program(const struct harts_config *config)
{
    harts_begin(config);
    zero_refs = atomic_load_explicit(&frame_zero()->refs, memory_order_relaxed); /* one thread */
    EXPECT_OK(vm_budget_create(NULL, BUDGET, &budget));
    EXPECT_OK(vm_space_create(budget, &space));
    reserve((struct va_range){{0}, {2 * GIB}});
    harts_run(run);
    rounds_end_spaces(&space, 1);
    rounds_end_budget(budget);
    check_zero_frame();
    harts_end();
}

int main(void)
{
    return rounds_main(program);
}
