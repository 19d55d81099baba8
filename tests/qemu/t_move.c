/* SPDX-License-Identifier: MIT */
/*
 * Moving, inside of a process and between two: whatever a range means, its new place means, and its
 * old place nothing; pages keep their frames.  What stops a move in the middle leaves both parts
 * right.
 */
#include <inttypes.h>

#include "support.h"

#define GIB   (UINT64_C(1) << 30)
#define TABLE (UINT64_C(512) * PAGE)
#define FROM  PLACE
#define TO    (PLACE + 8 * GIB)
#define FEW   16U /* pages */
#define MANY  1000U

struct state {
    uint64_t start, bytes, kind, prot, flags, physical;
};

static struct state state_of(handle_t process, uint64_t address)
{
    struct state state = {.kind = 99};

    (void)sys_vm_query(process, address, &state.start, &state.bytes, &state.kind, &state.prot,
                       &state.flags, &state.physical);
    return state;
}

static void fill(uint64_t base, uint64_t pages)
{
    for (uint64_t i = 0; i < pages; i++) {
        *word_at(base + i * PAGE + 8) = FROM + i;
    }
}

/* Words of fill() that are not there. */
static uint64_t count_wrong(uint64_t base, uint64_t pages)
{
    uint64_t wrong = 0;

    for (uint64_t i = 0; i < pages; i++) {
        wrong += *word_at(base + i * PAGE + 8) != FROM + i ? 1 : 0;
    }
    return wrong;
}

/* Nonzero: no page and no mark is in the range. */
static int is_empty(handle_t process, uint64_t base, uint64_t bytes)
{
    struct vm_range_info info;
    uint64_t count = 0;
    uint64_t next = base;

    while (next < base + bytes && count == 0) {
        if (sys_vm_ranges(process, next, base + bytes - next, (uintptr_t)&info, 1, &count, &next) !=
            0) {
            return 0;
        }
    }
    return count == 0;
}

static long move_here(uint64_t from, uint64_t bytes, uint64_t to, uint64_t *done)
{
    return sys_vm_move(user_self(), user_self(), from, bytes, to, done);
}

static void check_audit(handle_t process, const char *what)
{
    tap_status(sys_vm_check(user_machine(), process), 0, "the kernel's audit finds no fault: %s",
               what);
}

/* One page, and its frame. */
static void check_page(void)
{
    struct state before;
    struct state after;
    uint64_t done = 0;

    (void)page_map(FROM, PAGE, RW);
    fill(FROM, 1);
    before = state_of(user_self(), FROM);
    tap_status(move_here(FROM, PAGE, TO, &done), 0, "a page is moved");
    tap_is(done, PAGE, "all of it");
    after = state_of(user_self(), TO);
    tap_ok(after.kind == VM_KIND_RAM && after.prot == RW, "it is there, with its rights");
    tap_is(after.physical, before.physical, "in its frame");
    tap_is(after.flags & VM_STATE_DIRTY, VM_STATE_DIRTY, "and known to be dirty");
    tap_is(count_wrong(TO, 1), 0, "with what was in it");
    check_touch(ACCESS_READ, FROM, "where it was");
    tap_status(move_here(FROM, PAGE, TO + PAGE, &done), 0, "nothing can be moved, too");
    tap_status(page_unmap(TO, PAGE), 0, "it is unmapped");
}

/* Everything that an address can mean, one page each. */
static void check_kinds(void)
{
    static const struct {
        const char *what;
        uint64_t kind, prot;
    } kinds[FEW] = {
        {"writable", VM_KIND_RAM, RW},
        {"read-only", VM_KIND_RAM, VM_PROT_R},
        {"executable", VM_KIND_RAM, VM_PROT_R | VM_PROT_X},
        {"hidden", VM_KIND_HIDDEN, VM_PROT_NONE},
        {"reserved", VM_KIND_RESERVED, RW},
        {"reserved without rights", VM_KIND_RESERVED, VM_PROT_NONE},
        {"a guard", VM_KIND_GUARD, VM_PROT_NONE},
        {"nothing", VM_KIND_ABSENT, VM_PROT_NONE},
        {"writable again", VM_KIND_RAM, RW},
    };
    uint64_t done = 0;

    for (uint64_t i = 0; i < FEW; i++) {
        uint64_t at = FROM + i * PAGE;

        if (kinds[i].kind == VM_KIND_RAM || kinds[i].kind == VM_KIND_HIDDEN) {
            (void)page_map(at, PAGE, RW);
            *word_at(at + 8) = FROM + i;
            (void)sys_vm_protect(user_self(), at, PAGE, kinds[i].prot, NULL);
        } else if (kinds[i].kind != VM_KIND_ABSENT) {
            (void)sys_vm_mark(user_self(), at, PAGE, kinds[i].kind, kinds[i].prot, 0, NULL);
        }
    }
    tap_status(move_here(FROM, FEW * PAGE, TO + PAGE, &done), 0, "pages and marks are moved");
    tap_is(done, FEW * PAGE, "all of them");
    tap_ok(is_empty(user_self(), FROM, FEW * PAGE), "nothing is where they were");
    for (uint64_t i = 0; i < 9; i++) {
        struct state state = state_of(user_self(), TO + PAGE + i * PAGE);

        tap_ok(state.kind == kinds[i].kind && state.prot == kinds[i].prot, "%s: so it is there",
               kinds[i].what);
    }
    tap_is(*word_at(TO + PAGE + 8 * PAGE + 8), FROM + 8, "the last has its word");
    *word_at(TO + PAGE + 4 * PAGE) = 1;
    tap_is(*word_at(TO + PAGE + 4 * PAGE), 1, "what was reserved comes");
    (void)sys_vm_protect(user_self(), TO + PAGE + 3 * PAGE, PAGE, VM_PROT_R, NULL);
    tap_is(*word_at(TO + PAGE + 3 * PAGE + 8), FROM + 3, "what was hidden comes back");
    check_touch(ACCESS_WRITE, TO + PAGE + PAGE, "what is read-only");
    check_touch(ACCESS_READ, TO + PAGE + 6 * PAGE, "a guard");
    check_audit(user_self(), "pages and marks");
    (void)page_unmap(TO, TABLE);
}

/* Pages of which nobody has written to some: a clone shares the others. */
static int write_all(void *argument)
{
    (void)argument;
    for (uint64_t i = 0; i < FEW; i++) {
        *word_at(TO + i * PAGE + 8) = 1;
    }
    return 0;
}

static void check_private(void)
{
    struct user_end end = {0};
    handle_t other = HANDLE_NONE;

    (void)page_map(FROM, FEW * PAGE, RW);
    fill(FROM, FEW);
    (void)sys_process_create((uintptr_t) "other", 5, 0, &other);
    (void)sys_vm_clone(user_self(), other, FROM, FEW * PAGE, FROM, NULL);
    tap_status(move_here(FROM, FEW * PAGE, TO, NULL), 0, "cloned pages are moved");
    (void)user_fork_wait(write_all, NULL, &end);
    tap_is(count_wrong(TO, FEW), 0, "a child writes to its own");
    fill(TO, FEW / 2);
    tap_status(sys_vm_move(other, user_self(), FROM, FEW * PAGE, FROM, NULL), 0,
               "the clone is moved here");
    tap_is(count_wrong(FROM, FEW), 0, "it is what it was");
    *word_at(FROM + 8) = 5;
    tap_is(count_wrong(TO, FEW), 0, "and stays apart");
    (void)sys_process_kill(other);
    (void)sys_handle_close(other);
    (void)page_unmap(FROM, FEW * PAGE);
    (void)page_unmap(TO, FEW * PAGE);
}

/* More than a step, aligned alike and not, there and back. */
static void check_many(uint64_t skew, const char *what)
{
    uint64_t free_before;
    uint64_t done = 0;

    (void)page_map(FROM, MANY * PAGE, RW);
    fill(FROM, MANY);
    free_before = frames_free();
    tap_status(move_here(FROM, MANY * PAGE, TO + skew, &done), 0, "%u pages are moved %s", MANY,
               what);
    tap_is(done, MANY * PAGE, "all of them");
    tap_is(count_wrong(TO + skew, MANY), 0, "with their words");
    tap_ok(is_empty(user_self(), FROM, MANY * PAGE), "nothing is where they were");
    tap_ok(free_before - frames_free() + 8 <= 16, "no page was copied");
    check_audit(user_self(), what);
    tap_status(move_here(TO + skew, MANY * PAGE, FROM, &done), 0, "and back");
    tap_is(count_wrong(FROM, MANY), 0, "with their words");
    check_audit(user_self(), "back");
    (void)page_unmap(FROM, MANY * PAGE);
}

/* Large marks: a part of one is split off; whole ones keep their size where both sides allow. */
static void check_marks(void)
{
    struct state state;

    (void)sys_vm_mark(user_self(), FROM, GIB, VM_KIND_RESERVED, RW, 0, NULL);
    *word_at(FROM + 5 * TABLE) = 5;
    tap_status(move_here(FROM, GIB, TO, NULL), 0, "a gibibyte of marks is moved");
    state = state_of(user_self(), TO + 6 * TABLE);
    tap_ok(state.kind == VM_KIND_RESERVED && state.bytes >= TABLE, "they are as large as before");
    tap_is(*word_at(TO + 5 * TABLE), 5, "the page among them, too");
    *word_at(TO + 7 * TABLE) = 7;
    tap_status(move_here(TO + 7 * TABLE - PAGE, 3 * PAGE, FROM + PAGE, NULL), 0,
               "three pages of them are moved");
    tap_is(*word_at(FROM + 2 * PAGE), 7, "one has its word");
    *word_at(FROM + PAGE) = 1;
    *word_at(TO + 7 * TABLE - 2 * PAGE) = 1;
    tap_is(state_of(user_self(), TO + 7 * TABLE - PAGE).kind, VM_KIND_ABSENT, "a hole stays");
    tap_is(state_of(user_self(), TO + 7 * TABLE + 2 * PAGE).kind, VM_KIND_RESERVED,
           "the rest is reserved");
    check_audit(user_self(), "marks");
    (void)page_unmap(FROM, GIB);
    (void)page_unmap(TO, GIB);
}

/* What is in the way stops it; what lies before is moved. */
static void check_stopped(uint64_t at, const char *what)
{
    uint64_t done = 0;

    (void)page_map(FROM, MANY * PAGE, RW);
    fill(FROM, MANY);
    tap_status(move_here(FROM, MANY * PAGE, TO, &done), -SYS_EEXIST, "%s is in the way", what);
    tap_ok(done <= at * PAGE, "it stops in time");
    tap_is(count_wrong(TO, done / PAGE), 0, "what was moved is there");
    for (uint64_t i = done / PAGE; i < MANY; i++) {
        if (*word_at(FROM + i * PAGE + 8) != FROM + i) {
            tap_ok(0, "page %" PRIu64 " lost its word", i);
        }
    }
    check_audit(user_self(), what);
    (void)page_unmap(FROM, MANY * PAGE);
    (void)page_unmap(TO, MANY * PAGE);
}

static void check_in_the_way(void)
{
    (void)page_map(TO + 700 * PAGE, PAGE, RW);
    check_stopped(700, "a page");
    (void)sys_vm_mark(user_self(), TO + 10 * PAGE, PAGE, VM_KIND_GUARD, VM_PROT_NONE, 0, NULL);
    check_stopped(10, "a guard");
    (void)sys_vm_mark(user_self(), TO, TABLE, VM_KIND_RESERVED, RW, 0, NULL);
    check_stopped(0, "a large mark");
    (void)page_map(FROM, 4 * PAGE, RW);
    tap_status(move_here(FROM, 4 * PAGE, FROM + 3 * PAGE, NULL), -SYS_EINVAL, "onto itself");
    tap_status(move_here(FROM + PAGE, 3 * PAGE, FROM, NULL), -SYS_EINVAL, "or the other way");
    tap_status(move_here(FROM, 2 * PAGE, FROM + 2 * PAGE, NULL), -SYS_EEXIST, "beside itself");
    (void)page_unmap(FROM + 2 * PAGE, 2 * PAGE);
    tap_status(move_here(FROM, 2 * PAGE, FROM + 2 * PAGE, NULL), 0, "where room is");
    (void)page_unmap(FROM, 4 * PAGE);
}

/* To another process and back, with the charge. */
static void check_other(uint64_t skew, const char *what)
{
    handle_t other = HANDLE_NONE;
    uint64_t word = 0;
    uint64_t done = 0;

    (void)sys_process_create((uintptr_t) "other", 5, 0, &other);
    (void)page_map(FROM, MANY * PAGE, RW);
    fill(FROM, MANY);
    (void)sys_vm_mark(user_self(), FROM + MANY * PAGE, TABLE, VM_KIND_RESERVED, RW, 0, NULL);
    tap_status(sys_vm_move(user_self(), other, FROM, MANY * PAGE + TABLE, TO + skew, &done), 0,
               "%u pages go to another process, %s", MANY, what);
    tap_is(done, MANY * PAGE + TABLE, "all of them");
    tap_ok(is_empty(user_self(), FROM, MANY * PAGE + TABLE), "none is here any more");
    (void)sys_vm_read(other, TO + skew + 999 * PAGE + 8, (uintptr_t)&word, sizeof(word), NULL);
    tap_is(word, FROM + 999, "they are there");
    tap_is(state_of(other, TO + skew + MANY * PAGE).kind, VM_KIND_RESERVED, "marks, too");
    check_audit(user_self(), "here");
    check_audit(other, "there");
    tap_status(sys_vm_move(other, user_self(), TO + skew, MANY * PAGE + TABLE, FROM, NULL), 0,
               "they come back");
    tap_is(count_wrong(FROM, MANY), 0, "with their words");
    tap_ok(is_empty(other, 0, user_limit()), "none is there any more");
    check_audit(other, "there, empty");
    (void)sys_process_kill(other);
    tap_status(sys_vm_move(user_self(), other, FROM, PAGE, FROM, NULL), -SYS_ESRCH,
               "not to a process that has ended");
    tap_status(sys_vm_move(other, user_self(), FROM, PAGE, TO, NULL), -SYS_ESRCH, "nor from one");
    (void)sys_handle_close(other);
    (void)page_unmap(FROM, MANY * PAGE + TABLE);
}

/* A budget that is spent in the middle: the charge goes with the pages. */
static int check_budget(void *argument)
{
    uint64_t to = TO + (uintptr_t)argument;
    handle_t other = HANDLE_NONE;
    uint64_t done = 0;

    if (page_map(FROM, MANY * PAGE, RW) != 0 ||
        sys_process_create((uintptr_t) "other", 5, 3 * MANY / 4, &other) != 0) {
        return 1;
    }
    fill(FROM, MANY);
    if (sys_vm_move(user_self(), other, FROM, MANY * PAGE, to, &done) != -SYS_ENOMEM ||
        done >= 3 * MANY / 4 * PAGE || done == 0) {
        return 2;
    }
    for (uint64_t i = done / PAGE; i < MANY; i++) {
        if (*word_at(FROM + i * PAGE + 8) != FROM + i) {
            return 3;
        }
    }
    if (sys_vm_check(user_machine(), other) != 0 ||
        sys_vm_check(user_machine(), user_self()) != 0) {
        return 4;
    }
    if (sys_vm_move(other, user_self(), to, done, FROM, NULL) != 0 ||
        count_wrong(FROM, MANY) != 0) {
        return 5;
    }
    return sys_vm_move(user_self(), other, FROM, PAGE, TO + PAGE, NULL) == 0 ? 0 : 6;
}

/* Pages that go to and fro between two processes, which hand them on: the page is the message. */
#define TURNS 50U

static int answer(void *argument)
{
    (void)argument;
    for (uint64_t turn = 0; turn < TURNS; turn++) {
        while (state_of(user_self(), FROM).kind != VM_KIND_RAM) {
            (void)sys_yield();
        }
        if (*word_at(FROM + 8) != 2 * turn) {
            return 1;
        }
        *word_at(FROM + 8) = 2 * turn + 1;
        if (move_here(FROM, PAGE, TO, NULL) != 0) {
            return 2;
        }
        while (state_of(user_self(), TO).kind != VM_KIND_ABSENT) { /* until it was fetched */
            (void)sys_yield();
        }
    }
    return 0;
}

static void check_messages(void)
{
    handle_t child = HANDLE_NONE;
    struct user_end end = {.reason = EXIT_KILLED};
    uint64_t wrong = 0;
    uint64_t frame;
    long status = 0;

    tap_status(user_fork_run(answer, NULL, &child), 0, "a process waits for a page");
    (void)page_map(FROM, PAGE, RW);
    frame = state_of(user_self(), FROM).physical;
    for (uint64_t turn = 0; turn < TURNS && status == 0; turn++) {
        *word_at(FROM + 8) = 2 * turn;
        status = sys_vm_move(user_self(), child, FROM, PAGE, FROM, NULL);
        while (status == 0 && state_of(child, TO).kind == VM_KIND_ABSENT) {
            (void)sys_yield();
        }
        if (status == 0) {
            status = sys_vm_move(child, user_self(), TO, PAGE, FROM, NULL);
        }
        wrong += status == 0 && *word_at(FROM + 8) != 2 * turn + 1 ? 1 : 0;
    }
    tap_status(status, 0, "a page goes and comes back %u times", TURNS);
    tap_is(wrong, 0, "with an answer");
    tap_is(state_of(user_self(), FROM).physical, frame, "in one frame all the time");
    if (status != 0) {
        (void)sys_process_kill(child);
    }
    (void)user_finish(child, &end);
    tap_ok(end.reason == EXIT_STATUS && end.detail == 0, "the other process saw all of them");
    (void)page_unmap(FROM, PAGE);
}

int main(void)
{
    check_page();
    check_kinds();
    check_private();
    check_many(0, "to a place aligned alike");
    check_many(PAGE, "to one aligned otherwise");
    check_marks();
    check_in_the_way();
    check_other(0, "aligned alike");
    check_other(5 * PAGE, "aligned otherwise");
    check_child(check_budget, NULL, 0, "a spent budget stops a move, which can go back");
    check_child(check_budget, (void *)(uintptr_t)PAGE, 0, "the same page by page");
    check_messages();
    return tap_done();
}
