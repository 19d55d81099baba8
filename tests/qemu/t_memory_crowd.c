/* SPDX-License-Identifier: MIT */
/*
 * Memory objects in a crowd: processes on all harts map one object, touch its pages at the same
 * time, store into it and see what the others stored; some map it for themselves meanwhile.  The
 * budget of one that uses an object runs out in the middle, and the budget of the object itself;
 * its maker ends first, and what it made stays for the others.
 */
#include <stdatomic.h>

#include "memory.h"
#include "team.h"

#define ROUNDS_MAX 5U
#define PAGES      64U
#define CHILDREN   12U
#define ROUNDS     20U
#define BOARD      (PLACE + 0x10000000)
#define OTHER      (PLACE + 0x20000000)
#define LIMIT      400U  /* frames of a poor process                      */
#define MANY       1024U /* pages of an object that is more than it can pay */

/* Words of the board: handles of the children, then these. */
enum {
    WORD_NUMBER = 64, /* each child takes one */
    WORD_ARRIVED,
    WORD_TOUCHED,
    WORD_DONE,
    WORD_HANDLE,
    WORD_PARENT,
};

/* Waits, yielding, until so many have come. */
static void meet(struct board *board, unsigned word, uint64_t all)
{
    /* Release and acquire: what each did before is seen by all after. */
    atomic_fetch_add_explicit(&board->words[word], 1, memory_order_acq_rel);
    while (atomic_load_explicit(&board->words[word], memory_order_acquire) < all) {
        (void)sys_yield();
    }
}

static volatile uint64_t *word_of(unsigned page, unsigned who)
{
    return word_at(PLACE + page * PAGE + 64 + 8 * who);
}

/* Each process has a word of its own on each page, and all have one together. */
static int store_round(unsigned me, unsigned round, uint64_t last[CHILDREN])
{
    for (unsigned page = 0; page < PAGES; page++) {
        _Atomic(uint64_t) *common = (_Atomic(uint64_t) *)(uintptr_t)(PLACE + page * PAGE);

        *word_of(page, me) = round;
        atomic_fetch_add_explicit(common, 1, memory_order_relaxed);
        if (*word_of(page, me) != round) {
            return 0;
        }
    }
    for (unsigned who = 0; who < CHILDREN; who++) { /* what others store only grows */
        uint64_t now = *word_of(0, who);

        if (now < last[who] || now > ROUNDS) {
            return 0;
        }
        last[who] = now;
    }
    return 1;
}

static int stores_are_seen(void)
{
    for (unsigned page = 0; page < PAGES; page++) {
        for (unsigned who = 0; who < CHILDREN; who++) {
            if (*word_of(page, who) != ROUNDS) {
                return 0;
            }
        }
    }
    return 1;
}

/* One of the crowd: maps the object anew in each round, and some of it for itself. */
static int store_run(void *argument)
{
    struct board *board = argument;
    /* Relaxed: only the number matters. */
    unsigned me =
        (unsigned)atomic_fetch_add_explicit(&board->words[WORD_NUMBER], 1, memory_order_relaxed);
    handle_t memory = (handle_t)board_wait(&board->words[0]);
    uint64_t last[CHILDREN] = {0};

    meet(board, WORD_ARRIVED, CHILDREN);
    for (unsigned round = 1; round <= ROUNDS; round++) {
        if (memory_map(memory, PLACE, PAGES, RW, VM_FLAG_REPLACE) != 0 ||
            memory_map(memory, OTHER, PAGES, RW, VM_FLAG_REPLACE | VM_FLAG_PRIVATE) != 0) {
            return 1;
        }
        *word_at(OTHER + (me + round) % PAGES * PAGE + 64) = UINT64_MAX;
        if (!store_round(me, round, last)) {
            return 2;
        }
    }
    meet(board, WORD_DONE, CHILDREN);
    return stores_are_seen() ? 0 : 3;
}

static void check_crowd(struct board *board)
{
    handle_t memory = memory_make(PAGES);
    handle_t children[CHILDREN];
    uint64_t wrong = 0;

    for (unsigned i = 0; i < CHILDREN; i++) {
        handle_t theirs = HANDLE_NONE;

        children[i] = HANDLE_NONE;
        (void)user_fork_run(store_run, board, &children[i]);
        (void)sys_handle_transfer(children[i], memory, RIGHT_ALL, &theirs);
        wrong += theirs != HANDLE_NONE && i > 0 && theirs != board->words[1] ? 1 : 0;
        board->words[1] = theirs;
    }
    tap_is(wrong, 0, "all children have the object under one number");
    /* Release pairs with the acquire in board_wait. */
    atomic_store_explicit(&board->words[0], board->words[1], memory_order_release);
    for (unsigned i = 0; i < CHILDREN; i++) {
        memory_finish(children[i], "a process stores, and sees what all have stored");
    }
    tap_is(memory_frames(memory), PAGES, "each page was made once");
    (void)memory_map(memory, PLACE, PAGES, VM_PROT_R, VM_FLAG_REPLACE);
    for (unsigned page = 0; page < PAGES; page++) {
        wrong += *word_at(PLACE + page * PAGE) != CHILDREN * ROUNDS ? 1 : 0;
    }
    tap_is(wrong, 0, "no addition got lost on any page");
    (void)page_unmap(PLACE, PAGES * PAGE);
    (void)sys_handle_close(memory);
}

/* ---- threads of one process ---- */

static _Atomic(uint64_t) lost;

/* All members touch the pages of one mapping at the same time, from both ends. */
static void touch_work(unsigned member)
{
    for (unsigned i = 0; i < PAGES; i++) {
        unsigned page = member % 2 == 0 ? i : PAGES - 1 - i;

        *word_of(page, member) = member + 1;
    }
    team_meet();
    for (unsigned who = 0; who < team_members(); who++) {
        for (unsigned page = 0; page < PAGES; page++) {
            if (*word_of(page, who) != who + 1) {
                atomic_fetch_add_explicit(&lost, 1, memory_order_relaxed);
            }
        }
    }
}

static void check_threads(void)
{
    handle_t memory = memory_make(PAGES);

    (void)memory_map(memory, PLACE, PAGES, RW, 0);
    tap_status(team_run(team_size(), touch_work), 0, "%u threads touch one mapping", team_size());
    tap_is(atomic_load_explicit(&lost, memory_order_relaxed), 0, "no store got lost");
    tap_is(memory_frames(memory), PAGES, "each page was made once");
    tap_status(sys_vm_check(user_machine(), user_self()), 0, "the audits find nothing");
    (void)page_unmap(PLACE, PAGES * PAGE);
    (void)sys_handle_close(memory);
}

/* ---- budgets ---- */

static int greedy_run(void *argument)
{
    struct board *board = argument;

    for (uint64_t page = 0; page < MANY; page++) {
        *word_at(PLACE + page * PAGE) = page + 1;
        /* Relaxed: read when the process has ended. */
        atomic_store_explicit(&board->words[WORD_TOUCHED], page + 1, memory_order_relaxed);
    }
    return 0;
}

/* The user of an object pays for its entries: it ends, and the object does not suffer. */
static void check_user_budget(struct board *board)
{
    handle_t memory = memory_make(MANY);
    handle_t poor = HANDLE_NONE;
    struct user_end end = {.reason = EXIT_STATUS};
    uint64_t wrong = 0;

    (void)memory_map(memory, PLACE, MANY, RW, 0);
    tap_expect_log("no memory for WRITE fault");
    tap_status(user_fork_limited(LIMIT, greedy_run, board, &poor), 0, "a poor process");
    (void)user_finish(poor, &end);
    uint64_t touched = board->words[WORD_TOUCHED];
    tap_ok(end.reason == EXIT_NO_MEMORY && end.detail == PLACE + touched * PAGE,
           "ends when its budget is spent");
    tap_ok(touched > 100 && touched < LIMIT, "after %u pages", (unsigned)touched);
    for (uint64_t page = 0; page < MANY; page++) {
        wrong += *word_at(PLACE + page * PAGE) != (page < touched ? page + 1 : 0) ? 1 : 0;
    }
    tap_is(wrong, 0, "what it stored is there, and the rest can be used");
    (void)page_unmap(PLACE, MANY * PAGE);
    (void)sys_handle_close(memory);
}

/* Makes an object that it cannot pay, gives it to its parent, and ends. */
static int maker_run(void *argument)
{
    struct board *board = argument;
    handle_t parent = (handle_t)board_wait(&board->words[WORD_PARENT]);
    handle_t memory = memory_make(MANY);
    handle_t theirs = HANDLE_NONE;
    uint64_t word = 77;

    if (sys_memory_write(memory, 0, (uintptr_t)&word, sizeof(word), NULL) != 0 ||
        sys_handle_transfer(parent, memory, RIGHT_ALL, &theirs) != 0) {
        return 1;
    }
    /* Release pairs with the acquire in board_wait. */
    atomic_store_explicit(&board->words[WORD_HANDLE], theirs, memory_order_release);
    return 0;
}

static void check_object_budget(struct board *board)
{
    handle_t maker = HANDLE_NONE;
    handle_t theirs = HANDLE_NONE;
    uint64_t next = 0;
    uint64_t word = 1;

    tap_status(user_fork_limited(LIMIT, maker_run, board, &maker), 0, "a poor maker");
    (void)sys_handle_transfer(maker, user_self(), RIGHT_ALL, &theirs);
    /* Release pairs with the acquire in board_wait. */
    atomic_store_explicit(&board->words[WORD_PARENT], theirs, memory_order_release);
    memory_finish(maker, "makes an object, gives it away, and ends");
    handle_t memory = (handle_t)board->words[WORD_HANDLE];
    (void)sys_quiesce(user_machine());
    tap_status(sys_memory_map(user_self(), PLACE, MANY * PAGE, RW, VM_FLAG_NOW, memory, 0, &next),
               -SYS_ENOMEM, "the maker's budget does not pay all of it");
    uint64_t pages = (next - PLACE) / PAGE;
    tap_ok(pages > LIMIT / 2 && pages < LIMIT, "but %u pages", (unsigned)pages);
    tap_is(memory_frames(memory), pages, "which are all it has");
    tap_is(memory_seen(user_self(), next).kind, VM_KIND_ABSENT, "behind them nothing is mapped");
    tap_is(*word_at(PLACE), 77, "what the maker wrote is there");
    *word_at(next - PAGE) = 78;
    tap_status(sys_memory_write(memory, next - PLACE, (uintptr_t)&word, 8, NULL), -SYS_ENOMEM,
               "nor can more be written by handle");
    tap_status(sys_memory_read(memory, (pages - 1) * PAGE, (uintptr_t)&word, 8, NULL), 0,
               "what is there is read");
    tap_is(word, 78, "as it was stored");
    (void)page_unmap(PLACE, next - PLACE);
    tap_status(sys_memory_resize(memory, PAGE), 0, "the object is made smaller");
    tap_status(sys_memory_resize(memory, MANY * PAGE), 0, "and larger");
    tap_status(sys_memory_write(memory, PAGE, (uintptr_t)&word, 8, NULL), 0,
               "its budget has room again");
    (void)sys_handle_close(memory);
}

int main(void)
{
    struct board *board = board_make(BOARD);

    if (!tap_ok(board != NULL, "a page is shared with children")) {
        return tap_done();
    }
    uint64_t before = 0;
    uint64_t after = 0;

    /* The first round may leave what is kept for later, and how full the kernel's pages of records
     * are depends on who came when; what is lost is lost in each round. */
    for (unsigned round = 0; round < 2 || (after < before && round < ROUNDS_MAX); round++) {
        *board = (struct board){0};
        before = round == 1 ? frames_free() : before;
        check_crowd(board);
        check_threads();
        check_user_budget(board);
        check_object_budget(board);
        after = frames_free();
    }
    tap_ok(after >= before, "what they had has come back");
    return tap_done();
}
