/* SPDX-License-Identifier: MIT */
/*
 * Real threads as harts, in two spaces: programs write pages while others clone them from one space
 * to the other, in both directions, unmap them, and change their rights.
 *
 * What was just cloned must not change.  A program finds zeroes in a page or the word of that page,
 * and in the end every charge and every reference is given back.
 */
#include <string.h>

#include "harts/rounds.h"
#include "lib/assert.h"

#define ROUNDS 400U
#define PAGES  6U
#define BUDGET 4000U

static struct vm_space *spaces[2];
static struct vm_budget *budget;

static struct va_range some_pages(void)
{
    unsigned first = (unsigned)pick(PAGES);
    unsigned count = 1 + (unsigned)pick(PAGES - first);
    vaddr_t start = {2 * MIB - 3 * PAGE_SIZE + first * (uint64_t)PAGE_SIZE};

    return (struct va_range){start, vaddr_add(start, count * (uint64_t)PAGE_SIZE)};
}

static uint64_t bytes_of(struct va_range range)
{
    return range.end.raw - range.start.raw;
}

static void unmap(struct vm_space *space, struct va_range range)
{
    struct vm_cursor cursor;
    struct vm_removed removed;

    EXPECT_OK(vm_cursor_open(&cursor, space, range, VM_CURSOR_EDIT));
    EXPECT_OK(vm_cursor_unmap(&cursor, bytes_of(range), &removed));
    vm_cursor_close(&cursor);
}

static void reserve(struct vm_space *space, struct va_range range)
{
    struct vm_mark mark = {.kind = VM_ITEM_RESERVED, .prot = VM_RW};
    struct vm_cursor cursor;
    struct vm_removed removed;

    EXPECT_OK(vm_cursor_open(&cursor, space, range, VM_CURSOR_CHANGE));
    EXPECT_OK(vm_cursor_mark(&cursor, bytes_of(range), mark, VM_MAP_REPLACE, 8192, &removed));
    vm_cursor_close(&cursor);
}

static void protect(struct vm_space *space, struct va_range range, enum vm_prot prot)
{
    struct vm_cursor cursor;
    uint64_t pages;

    EXPECT_OK(vm_cursor_open(&cursor, space, range, VM_CURSOR_EDIT));
    EXPECT_OK(vm_cursor_protect(&cursor, bytes_of(range), prot, 8192, &pages));
    vm_cursor_close(&cursor);
}

/* First words of what was cloned.  Nobody may store to it: whoever wants to needs the lock of `to`,
 * or finds that the frame is not his alone. */
static void read_words(struct vm_cursor *to, uint64_t words[PAGES])
{
    vaddr_t start = to->range.start;

    for (unsigned i = 0; start.raw + i * (uint64_t)PAGE_SIZE < to->range.end.raw; i++) {
        struct vm_slot slot;

        EXPECT_OK(vm_cursor_jump(to, vaddr_add(start, i * (uint64_t)PAGE_SIZE)));
        EXPECT_OK(vm_cursor_query(to, &slot));
        words[i] = 0;
        if (slot.item.kind == VM_ITEM_RAM) {
            /* Relaxed: nobody stores there. */
            words[i] = atomic_load_explicit((_Atomic(uint64_t) *)frame_bytes(slot.item.frame),
                                            memory_order_relaxed);
        }
    }
}

/* What is there leaves, so that most of the range is cloned. */
static void clone(unsigned source, struct va_range range)
{
    struct vm_space *from = spaces[source];
    struct vm_space *to = spaces[1 - source];
    bool from_first = vm_space_root(from).raw < vm_space_root(to).raw;
    struct vm_cursor cursors[2];
    struct vm_removed removed;
    uint64_t words[2][PAGES] = {{0}};
    status_t status;

    for (unsigned i = 0; i < 2; i++) {
        if ((i == 0) == from_first) {
            EXPECT_OK(vm_cursor_open(&cursors[0], from, range, VM_CURSOR_EDIT));
        } else {
            EXPECT_OK(vm_cursor_open(&cursors[1], to, range, VM_CURSOR_CHANGE));
        }
    }
    EXPECT_OK(vm_cursor_unmap(&cursors[1], bytes_of(range), &removed));
    EXPECT_OK(vm_cursor_jump(&cursors[1], range.start));
    status = vm_cursor_clone(&cursors[0], &cursors[1], bytes_of(range), 64);
    EXPECT(status == OK);
    vm_cursor_close(&cursors[0]);
    for (unsigned i = 0; i < 2; i++) {
        read_words(&cursors[1], words[i]);
        pause_maybe();
    }
    EXPECT(memcmp(words[0], words[1], sizeof(words[0])) == 0);
    vm_cursor_close(&cursors[1]);
}

static void change_something(void)
{
    unsigned which = (unsigned)pick(2);
    struct va_range range = some_pages();

    switch (pick(8)) {
    case 0:
        unmap(spaces[which], range);
        break;
    case 1:
        protect(spaces[which], range, VM_PROT_NONE);
        break;
    case 2:
        protect(spaces[which], range, VM_R);
        break;
    case 3:
        protect(spaces[which], range, VM_RW);
        break;
    case 4:
        reserve(spaces[which], range);
        break;
    default:
        clone(which, range);
    }
}

/* A program's access. */
static void access_page(struct vm_space *space)
{
    enum vm_access access = pick(3) == 0 ? VM_ACCESS_READ : VM_ACCESS_WRITE;
    vaddr_t va = some_pages().start;
    uint64_t word = va.raw | pick(1 << 20) << 32;
    bool done;

    EXPECT(rounds_access(space, va, access, NULL, &word, &done) != VM_FAULT_NOMEM);
    EXPECT(!done || word == 0 || (uint32_t)word == va.raw);
}

static void run(hart_idx_t hart)
{
    static const struct rounds rounds = {ROUNDS, 12, change_something, access_page};

    rounds_run(&rounds, spaces[hart % 2]);
}

static void program(const struct harts_config *config)
{
    struct va_range all = {{2 * MIB - 3 * PAGE_SIZE}, {2 * MIB + 3 * PAGE_SIZE}};

    harts_begin(config);
    EXPECT_OK(vm_budget_create(NULL, BUDGET, &budget));
    for (unsigned i = 0; i < 2; i++) {
        EXPECT_OK(vm_space_create(budget, &spaces[i]));
        reserve(spaces[i], all);
    }
    harts_run(run);
    rounds_end_spaces(spaces, 2);
    rounds_end_budget(budget);
    harts_end();
}

int main(void)
{
    return rounds_main(program);
}
