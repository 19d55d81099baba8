/* SPDX-License-Identifier: MIT */
/*
 * Real threads as harts, in two spaces: some move tables and parts of them between places, inside a
 * space and to the other, while others read and write the pages, change their rights, look, reserve
 * what is empty, and sweep.
 *
 * A page keeps its index in its table wherever it goes, and says so; nothing else is ever found
 * under an address.  In the end each page is in exactly one place, and every charge is given back.
 */
#include "harts/rounds.h"
#include "lib/assert.h"
#include "lib/counter.h"

#define ROUNDS 1000U
#define PLACES 6U
#define TABLES 4U
#define PAGES  3U
#define BUDGET 2000U
#define TABLE  (2 * MIB)

static struct vm_space *spaces[2];
static struct vm_budget *budget;

/* Two at an end of 1 GiB, so that whole tables of level 1 move as well. */
static const uint64_t places[PLACES] = {GIB - TABLE,     GIB,     GIB + TABLE,
                                        2 * GIB - TABLE, 3 * GIB, 3 * GIB + 5 * TABLE};
static const unsigned indices[PAGES] = {0, 7, 511};

static struct va_range span(uint64_t start, uint64_t bytes)
{
    return (struct va_range){{start}, {start + bytes}};
}

/* Which page it is, in its second word; the first says its index, too, whatever is stored to it. */
static uint64_t tag_of(unsigned table, unsigned index)
{
    return (uint64_t)table << 16 | index;
}

static unsigned index_of(uint64_t at)
{
    return (unsigned)(at / PAGE_SIZE % 512);
}

/* Moves between the spaces; both cursors are opened in the order that a hart may. */
static void move_between(unsigned source, uint64_t at, uint64_t there, uint64_t bytes)
{
    struct vm_space *from = spaces[source];
    struct vm_space *to = spaces[1 - source];
    bool from_first = vm_space_root(from).raw < vm_space_root(to).raw;
    struct vm_cursor cursors[2];
    status_t status;

    for (unsigned i = 0; i < 2; i++) {
        if ((i == 0) == from_first) {
            EXPECT_OK(vm_cursor_open(&cursors[0], from, span(at, bytes), VM_CURSOR_EDIT));
        } else {
            EXPECT_OK(vm_cursor_open(&cursors[1], to, span(there, bytes), VM_CURSOR_CHANGE));
        }
    }
    status = vm_cursor_move(&cursors[0], &cursors[1], bytes, 256);
    EXPECT(status == OK || status == ERR_EXIST);
    pause_maybe();
    vm_cursor_close(&cursors[0]);
    vm_cursor_close(&cursors[1]);
}

static void move_inside(unsigned which, uint64_t at, uint64_t there, uint64_t bytes)
{
    struct va_range ranges[2] = {span(at, bytes), span(there, bytes)};
    struct vm_cursor pair[2];
    status_t status;

    EXPECT_OK(vm_cursor_open_two(pair, spaces[which], ranges, VM_CURSOR_CHANGE));
    status = vm_cursor_move(&pair[0], &pair[1], bytes, 256);
    EXPECT(status == OK || status == ERR_EXIST);
    pause_maybe();
    vm_cursor_close_two(pair);
}

static void move_something(void)
{
    unsigned which = (unsigned)pick(2);
    uint64_t at = places[pick(PLACES)];
    uint64_t there = places[pick(PLACES)];
    uint64_t bytes = TABLE;

    switch (pick(4)) {
    case 0: /* 1 GiB */
        at = at / GIB * GIB;
        there = there / GIB * GIB;
        bytes = GIB;
        break;
    case 1: /* a part of a table, entry by entry */
        at += PAGE_SIZE;
        there += PAGE_SIZE;
        bytes -= PAGE_SIZE;
        break;
    default:
        break;
    }
    if (pick(2) == 0) {
        move_between(which, at, there, bytes);
    } else if (at != there) {
        move_inside(which, at, there, bytes);
    }
}

static void protect(struct vm_space *space, struct va_range range, enum vm_prot prot)
{
    struct vm_cursor cursor;
    uint64_t pages;

    EXPECT_OK(vm_cursor_open(&cursor, space, range, VM_CURSOR_EDIT));
    EXPECT_OK(vm_cursor_protect(&cursor, range.end.raw - range.start.raw, prot, 8192, &pages));
    vm_cursor_close(&cursor);
}

/* Reserves a page that is empty, and takes it back. */
static void reserve(struct vm_space *space, uint64_t at)
{
    struct vm_mark mark = {.kind = VM_ITEM_RESERVED, .prot = VM_RW};
    struct vm_cursor cursor;
    struct vm_removed removed;

    EXPECT_OK(vm_cursor_open(&cursor, space, span(at, PAGE_SIZE), VM_CURSOR_CHANGE));
    if (vm_cursor_mark(&cursor, PAGE_SIZE, mark, VM_MAP_EXCLUSIVE, 1, &removed) == OK) {
        pause_maybe();
        EXPECT_OK(vm_cursor_jump(&cursor, cursor.range.start));
        EXPECT_OK(vm_cursor_unmap(&cursor, PAGE_SIZE, &removed));
    }
    vm_cursor_close(&cursor);
}

/* What is found under an address is a page of that index. */
static void look(struct vm_space *space, uint64_t at)
{
    struct vm_cursor cursor;
    struct vm_slot slot;

    EXPECT_OK(vm_cursor_open(&cursor, space, span(at, PAGE_SIZE), VM_CURSOR_QUERY));
    EXPECT_OK(vm_cursor_query(&cursor, &slot));
    if (slot.item.kind == VM_ITEM_RAM || slot.item.kind == VM_ITEM_HIDDEN) {
        const _Atomic(uint64_t) *words = frame_bytes(slot.item.frame);

        EXPECT((atomic_load_explicit(&words[1], memory_order_relaxed) & 0xffff) == index_of(at));
    }
    vm_cursor_close(&cursor);
}

/* Takes empty tables out, so that there is room for whole ones. */
static void sweep(struct vm_space *space)
{
    vaddr_t at = {0};

    do {
        (void)vm_space_sweep(space, &at);
    } while (at.raw != 0);
}

static uint64_t some_page(void)
{
    return places[pick(PLACES)] + indices[pick(PAGES)] * (uint64_t)PAGE_SIZE;
}

static void change_something(void)
{
    struct vm_space *space = spaces[pick(2)];
    uint64_t at = some_page();

    switch (pick(10)) {
    case 0:
        protect(space, span(at, PAGE_SIZE), VM_PROT_NONE);
        break;
    case 1:
        protect(space, span(at, PAGE_SIZE), VM_R);
        break;
    case 2:
        protect(space, span(at / TABLE * TABLE, TABLE), VM_RW);
        break;
    case 3:
        reserve(space, at);
        break;
    case 4:
        look(space, at);
        break;
    case 5:
        sweep(space);
        break;
    default:
        move_something();
    }
}

/* A program's access. */
static void access_page(struct vm_space *space)
{
    enum vm_access access = pick(2) == 0 ? VM_ACCESS_READ : VM_ACCESS_WRITE;
    vaddr_t va = {some_page()};
    uint64_t word = index_of(va.raw) | pick(1 << 20) << 32;
    bool done;

    EXPECT(rounds_access(space, va, access, NULL, &word, &done) != VM_FAULT_NOMEM);
    EXPECT(!done || (word & 0xffff) == index_of(va.raw));
}

static void run(hart_idx_t hart)
{
    static const struct rounds rounds = {ROUNDS, 8, change_something, access_page};

    rounds_run(&rounds, spaces[hart % 2]);
}

static void lay_out(void)
{
    for (unsigned table = 0; table < TABLES; table++) {
        for (unsigned i = 0; i < PAGES; i++) {
            struct frame *frame = frame_with(indices[i]);
            struct va_range page =
                span(places[table] + indices[i] * (uint64_t)PAGE_SIZE, PAGE_SIZE);
            struct vm_cursor cursor;

            ((uint64_t *)frame_bytes(frame))[1] = tag_of(table, indices[i]);
            EXPECT_OK(vm_cursor_open(&cursor, spaces[table % 2], page, VM_CURSOR_CHANGE));
            EXPECT_OK(vm_cursor_map(&cursor, frame, (struct vm_prop){VM_RW, VM_MEM_PMA},
                                    VM_MAP_EXCLUSIVE));
            vm_cursor_close(&cursor);
        }
    }
}

/* Counts the pages of a space by their tags. */
static void count_pages(struct vm_space *space, unsigned counts[TABLES][PAGES])
{
    struct va_range all = {{0}, vm_space_user_limit()};
    struct vm_cursor cursor;
    struct vm_slot slot;

    EXPECT_OK(vm_cursor_open(&cursor, space, all, VM_CURSOR_QUERY));
    while (vm_cursor_next(&cursor, &slot) == OK) {
        const uint64_t *words;

        if (slot.item.kind == VM_ITEM_ABSENT) {
            continue;
        }
        EXPECT(slot.item.kind == VM_ITEM_RAM || slot.item.kind == VM_ITEM_HIDDEN);
        words = frame_bytes(slot.item.frame);
        EXPECT((words[0] & 0xffff) == index_of(slot.range.start.raw));
        for (unsigned i = 0; i < PAGES; i++) {
            counts[words[1] >> 16][i] += (words[1] & 0xffff) == indices[i] ? 1 : 0;
        }
    }
    vm_cursor_close(&cursor);
}

static void program(const struct harts_config *config)
{
    unsigned counts[TABLES][PAGES] = {{0}};

    harts_begin(config);
    EXPECT_OK(vm_budget_create(NULL, BUDGET, &budget));
    for (unsigned i = 0; i < 2; i++) {
        EXPECT_OK(vm_space_create(budget, &spaces[i]));
    }
    lay_out();
    harts_run(run);
    EXPECT(counter_read(COUNTER_tables_moved) > 0);
    EXPECT(counter_read(COUNTER_entries_moved) > 0);
    for (unsigned i = 0; i < 2; i++) {
        count_pages(spaces[i], counts);
    }
    for (unsigned i = 0; i < TABLES * PAGES; i++) {
        EXPECT(counts[i / PAGES][i % PAGES] == 1);
    }
    rounds_end_spaces(spaces, 2);
    rounds_end_budget(budget);
    harts_end();
}

int main(void)
{
    return rounds_main(program);
}
