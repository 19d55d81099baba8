/* SPDX-License-Identifier: MIT */
/*
 * vm_txn: several changes of a process's memory, all or none.  What they come to, what is refused
 * and then has changed nothing, and threads on all harts that look while a range goes over and over
 * from one state to another: calls see one or the other of them, never what lies between.
 */
#include <string.h>

#include "memory.h"
#include "support.h"
#include "team.h"

#define PAGES  16U
#define ROUNDS 150U
#define RANGES 8U

static struct vm_txn_op op_unmap(uint64_t page, uint64_t pages)
{
    return (struct vm_txn_op){
        .op = VM_TXN_UNMAP, .address = PLACE + page * PAGE, .bytes = pages * PAGE};
}

static struct vm_txn_op op_protect(uint64_t page, uint64_t pages, uint64_t prot)
{
    return (struct vm_txn_op){
        .op = VM_TXN_PROTECT, .address = PLACE + page * PAGE, .bytes = pages * PAGE, .prot = prot};
}

static struct vm_txn_op op_mark(uint64_t page, uint64_t pages, uint64_t kind, uint64_t flags)
{
    return (struct vm_txn_op){.op = VM_TXN_MARK,
                              .kind = (uint32_t)kind,
                              .address = PLACE + page * PAGE,
                              .bytes = pages * PAGE,
                              .prot = kind == VM_KIND_RESERVED ? RW : 0,
                              .flags = flags};
}

static struct vm_txn_op op_memory(uint64_t page, uint64_t pages, handle_t memory, uint64_t prot)
{
    return (struct vm_txn_op){.op = VM_TXN_MEMORY,
                              .address = PLACE + page * PAGE,
                              .bytes = pages * PAGE,
                              .prot = prot,
                              .memory = memory};
}

static long txn(const struct vm_txn_op *ops, uint64_t count, uint64_t *failed)
{
    return sys_vm_txn(user_self(), (uintptr_t)ops, count, failed);
}

static uint64_t kind_at(uint64_t page)
{
    return memory_seen(user_self(), PLACE + page * PAGE).kind;
}

static void pages_make(void)
{
    (void)page_unmap(PLACE, 64 * PAGE);
    (void)page_map(PLACE, PAGES * PAGE, RW);
    for (uint64_t i = 0; i < PAGES; i++) {
        *word_at(PLACE + i * PAGE) = 100 + i;
    }
}

/* ---- what they come to ---- */

static void all_check(void)
{
    handle_t memory = memory_make(4);
    const struct vm_txn_op ops[] = {
        op_unmap(0, 4),
        op_mark(1, 2, VM_KIND_RESERVED, 0), /* nothing is there any more */
        op_protect(2, 1, VM_PROT_R),
        op_memory(20, 4, memory, RW),
        op_mark(6, 1, VM_KIND_GUARD, VM_FLAG_REPLACE),
        op_protect(7, 1, VM_PROT_NONE),
        op_protect(8, 1, VM_PROT_R),
        op_unmap(21, 1),
    };
    uint64_t failed = 99;

    pages_make();
    tap_status(txn(ops, COUNT_OF(ops), &failed), 0, "eight operations are done");
    tap_is(kind_at(0), VM_KIND_ABSENT, "a page that was unmapped");
    tap_is(*word_at(PLACE + PAGE), 0, "one that was reserved is zero");
    *word_at(PLACE + PAGE) = 1;
    check_touch(ACCESS_WRITE, PLACE + 2 * PAGE, "in one whose rights changed then");
    tap_is(*word_at(PLACE + 5 * PAGE), 105, "a page that nothing was done to");
    tap_is(kind_at(6), VM_KIND_GUARD, "a guard in the place of a page");
    tap_is(kind_at(7), VM_KIND_HIDDEN, "a page that was hidden");
    tap_is(*word_at(PLACE + 8 * PAGE), 108, "a page that can be read");
    check_touch(ACCESS_WRITE, PLACE + 8 * PAGE, "in it");
    *word_at(PLACE + 23 * PAGE) = 7;
    tap_is(memory_frames(memory), 1, "the object has a page for what is written there");
    tap_is(kind_at(21), VM_KIND_ABSENT, "one of its pages was unmapped again");
    (void)sys_handle_close(memory);
    (void)page_unmap(PLACE, 64 * PAGE);
}

/* A page of 2 MiB, if there is memory for it, of which parts change. */
static void large_check(void)
{
    const struct vm_txn_op whole[] = {op_mark(512, 512, VM_KIND_RESERVED, VM_FLAG_2M),
                                      op_mark(1024, 512, VM_KIND_GUARD, 0)};
    const struct vm_txn_op parts[] = {op_unmap(600, 4), op_protect(610, 2, VM_PROT_R),
                                      op_mark(602, 1, VM_KIND_GUARD, 0)};
    uint64_t bad = 0;

    tap_status(txn(whole, COUNT_OF(whole), NULL), 0, "2 MiB are reserved, with a guard behind");
    for (uint64_t page = 512; page < 1024; page++) {
        *word_at(PLACE + page * PAGE) = page;
    }
    tap_status(txn(parts, COUNT_OF(parts), NULL), 0, "parts of it change");
    for (uint64_t page = 512; page < 1024; page++) {
        bad += page / 4 != 150 && *word_at(PLACE + page * PAGE) != page ? 1 : 0;
    }
    tap_is(bad, 0, "the others hold what was written");
    tap_is(kind_at(601), VM_KIND_ABSENT, "a page that was unmapped");
    tap_is(kind_at(602), VM_KIND_GUARD, "a guard where one was");
    check_touch(ACCESS_WRITE, PLACE + 611 * PAGE, "in a page that can be read");
    (void)page_unmap(PLACE + 512 * PAGE, 1024 * PAGE);
}

/* ---- what is refused ---- */

/* After a page that would be unmapped comes one operation that is refused. */
static void check_refused(struct vm_txn_op bad, long status, const char *what)
{
    const struct vm_txn_op ops[] = {op_unmap(0, 1), op_mark(40, 1, VM_KIND_GUARD, 0), bad};
    uint64_t failed = 99;

    tap_status(txn(ops, COUNT_OF(ops), &failed), status, "%s", what);
    tap_is(failed, 2, "the third operation is told");
    tap_is(*word_at(PLACE), 100, "the first was not done");
    tap_is(kind_at(40), VM_KIND_ABSENT, "nor the second");
}

static void refused_check(void)
{
    handle_t memory = memory_make(4);
    handle_t view = HANDLE_NONE;
    struct vm_txn_op bad = op_unmap(1, 1);

    (void)sys_handle_duplicate(memory, RIGHT_MAP | RIGHT_READ, &view);
    pages_make();
    (void)sys_memory_map(user_self(), PLACE + 30 * PAGE, PAGE, VM_PROT_R, 0, view, 0, NULL);
    bad.op = 4;
    check_refused(bad, -SYS_EINVAL, "an operation that there is not");
    bad = op_unmap(1, 1);
    bad.address++;
    check_refused(bad, -SYS_EINVAL, "between pages");
    check_refused(op_unmap(1, 0), -SYS_EINVAL, "no bytes");
    bad = op_unmap(1, 1);
    bad.address = user_limit();
    check_refused(bad, -SYS_ERANGE, "past the user range");
    check_refused(op_protect(1, 1, VM_PROT_W), -SYS_EINVAL, "writing without reading");
    check_refused(op_mark(1, 1, VM_KIND_RAM, 0), -SYS_EINVAL, "RAM is no mark");
    check_refused(op_mark(1, 1, VM_KIND_GUARD, VM_FLAG_NC), -SYS_EINVAL, "an unknown flag");
    check_refused(op_mark(1, 1, VM_KIND_GUARD, 0), -SYS_EEXIST, "a page is in the way");
    check_refused(op_mark(40, 1, VM_KIND_GUARD, 0), -SYS_EEXIST, "an earlier mark is");
    check_refused(op_protect(30, 1, RW), -SYS_EACCES, "W for a view");
    check_refused(op_memory(50, 1, user_self(), RW), -SYS_EBADF, "a process as an object");
    check_refused(op_memory(50, 1, view, RW), -SYS_EACCES, "a handle without WRITE");
    check_refused(op_memory(50, 1, view, VM_PROT_X), -SYS_EACCES, "or without EXECUTE");
    check_refused(op_memory(50, 5, memory, RW), -SYS_ERANGE, "past the object's end");
    check_refused(op_mark(50, 257, VM_KIND_GUARD, 0), -SYS_E2BIG, "more than 256 entries");
    (void)sys_handle_close(view);
    (void)sys_handle_close(memory);
}

static void operations_check(void)
{
    static struct vm_txn_op ops[VM_TXN_OPS + 1];
    uint64_t failed = 99;

    for (uint64_t i = 0; i < COUNT_OF(ops); i++) {
        ops[i] = op_mark(40 + i, 1, VM_KIND_GUARD, 0);
    }
    tap_status(txn(ops, 0, &failed), -SYS_EINVAL, "no operation");
    tap_status(txn(ops, COUNT_OF(ops), &failed), -SYS_E2BIG, "too many");
    tap_status(txn(ops, UINT64_MAX, &failed), -SYS_E2BIG, "far too many");
    tap_status(sys_vm_txn(user_self(), 0, 1, &failed), -SYS_EFAULT, "operations nowhere");
    tap_status(sys_vm_txn(user_self(), user_limit() - PAGE, VM_TXN_OPS * 4, &failed), -SYS_E2BIG,
               "too many, partly past the user range");
    tap_status(sys_vm_txn(user_self(), user_limit() - sizeof(ops[0]), 2, &failed), -SYS_ERANGE,
               "operations partly past the user range");
    tap_status(sys_vm_txn(HANDLE_NONE, (uintptr_t)ops, 1, &failed), -SYS_EBADF, "no process");
    tap_is(kind_at(40), VM_KIND_ABSENT, "nothing was done");
    tap_status(txn(ops, VM_TXN_OPS, &failed), 0, "as many as there may be");
    tap_is(kind_at(40 + VM_TXN_OPS - 1), VM_KIND_GUARD, "the last one was done");
    (void)page_unmap(PLACE, 128 * PAGE);
}

/* The second operation lies where nothing is. */
static void straddle_check(void)
{
    struct vm_txn_op *ops = (struct vm_txn_op *)(uintptr_t)(PLACE + PAGE) - 1;
    uint64_t failed = 99;

    (void)page_map(PLACE, PAGE, RW);
    *ops = op_mark(40, 1, VM_KIND_GUARD, 0);
    tap_status(txn(ops, 2, &failed), -SYS_EFAULT, "operations that end where nothing is");
    tap_is(failed, 1, "the second operation is told");
    tap_is(kind_at(40), VM_KIND_ABSENT, "the first was not done");
    tap_status(txn(ops, 1, &failed), 0, "alone it is");
    (void)page_unmap(PLACE, 64 * PAGE);
}

/* Tables all over the address space, which one cursor is not to have at once. */
static void tables_check(void)
{
    const uint64_t apart = UINT64_C(512) * PAGE;
    uint64_t failed = 99;

    for (uint64_t i = 0; i < 70; i++) {
        (void)page_map(PLACE + i * apart, PAGE, RW);
    }
    const struct vm_txn_op ops[] = {op_unmap(0, 1), op_unmap(69 * 512, 1)};

    tap_status(txn(ops, COUNT_OF(ops), &failed), -SYS_E2BIG, "too many tables lie between");
    tap_is(failed, 1, "the second operation is past them");
    *word_at(PLACE) = 1;
    tap_is(*word_at(PLACE), 1, "the first was not done");
    (void)page_unmap(PLACE, 70 * apart);
}

/* ---- another process, and memory ---- */

static void elsewhere_check(void)
{
    const struct vm_txn_op ops[] = {op_mark(0, 4, VM_KIND_RESERVED, 0), op_unmap(1, 1)};
    handle_t process = HANDLE_NONE;
    handle_t weak = HANDLE_NONE;
    uint64_t failed = 99;

    tap_status(sys_process_create((uintptr_t) "other", 5, 1000, &process), 0, "another process");
    (void)sys_handle_duplicate(process, RIGHT_READ, &weak);
    tap_status(sys_vm_txn(weak, (uintptr_t)ops, 2, &failed), -SYS_EACCES, "without MAP");
    tap_status(sys_vm_txn(process, (uintptr_t)ops, 2, &failed), 0, "with it, it is changed");
    tap_is(memory_seen(process, PLACE).kind, VM_KIND_RESERVED, "its page is reserved");
    tap_is(memory_seen(process, PLACE + PAGE).kind, VM_KIND_ABSENT, "and one is not");
    (void)sys_process_kill(process);
    tap_status(sys_vm_txn(process, (uintptr_t)ops, 2, &failed), -SYS_ESRCH, "it has ended");
    (void)sys_handle_close(weak);
    (void)sys_handle_close(process);
}

/* A process with so little budget that no table more can be made. */
static void budget_check(void)
{
    uint64_t budget = 4;
    handle_t process = HANDLE_NONE;
    uint64_t failed = 99;
    long status;

    do {
        const struct vm_txn_op ops[] = {op_mark(0, 1, VM_KIND_GUARD, 0),
                                        op_mark(512 * 512, 1, VM_KIND_GUARD, 0)};

        tap_status(sys_process_create((uintptr_t) "poor", 4, budget, &process), 0,
                   "a process with a budget of %u", (unsigned)budget);
        status = sys_vm_txn(process, (uintptr_t)ops, 2, &failed);
        if (status != 0) {
            tap_status(status, -SYS_ENOMEM, "which is not enough");
            tap_is(memory_seen(process, PLACE).kind, VM_KIND_ABSENT, "nothing is done");
        }
        (void)sys_process_kill(process);
        (void)sys_handle_close(process);
        budget++;
    } while (status == -SYS_ENOMEM && budget < 32);
    tap_status(status, 0, "with some more it is done");
}

/* ---- seen from others ---- */

/* Each range is pages of the one kind or of the other: one call tells what all of them are. */
static uint64_t ranges_of_kind(uint64_t start, uint64_t kind)
{
    struct vm_range_info found[PAGES + 2];
    uint64_t count = 0;
    uint64_t bytes = 0;

    (void)sys_vm_ranges(user_self(), start, PAGES * PAGE, (uintptr_t)found, COUNT_OF(found), &count,
                        NULL);
    for (uint64_t i = 0; i < count; i++) {
        bytes += found[i].kind == kind ? found[i].bytes : 0;
    }
    return bytes / PAGE;
}

/* Turns the range from guards into reserved memory, or the other way round, in pieces. */
static void flip(unsigned member, uint64_t kind)
{
    uint64_t first = UINT64_C(1024) + member / 2 % RANGES * 64;
    const struct vm_txn_op ops[] = {
        op_mark(first + 8, 8, kind, VM_FLAG_REPLACE),
        op_unmap(first, 4),
        op_mark(first, 4, kind, 0),
        op_unmap(first + 4, 4),
        op_mark(first + 4, 4, kind, 0),
    };

    (void)team_is((uint64_t)txn(ops, COUNT_OF(ops), NULL), 0, "a transaction");
}

/* Pairs: one changes a range, the other looks at it by one call. */
static void flip_work(unsigned member)
{
    uint64_t start = PLACE + (UINT64_C(1024) + member / 2 % RANGES * 64) * PAGE;

    for (unsigned round = 0; round < ROUNDS; round++) {
        if (member % 2 == 0) {
            flip(member, round % 2 == 0 ? VM_KIND_GUARD : VM_KIND_RESERVED);
            continue;
        }
        uint64_t guards = ranges_of_kind(start, VM_KIND_GUARD);

        if (guards != 0 && guards != PAGES) {
            team_wrong(guards, "guards seen among what a transaction replaces at once");
        }
    }
}

static void others_check(void)
{
    unsigned members = team_size();

    for (unsigned member = 0; member < members; member += 2) {
        flip(member, VM_KIND_RESERVED);
    }
    tap_status(team_run(members, flip_work), 0, "threads look while ranges change");
    team_report("each call saw all of a transaction or nothing");
    (void)page_unmap(PLACE + 1024 * PAGE, 1024 * PAGE);
}

static void run(void)
{
    all_check();
    large_check();
    refused_check();
    operations_check();
    straddle_check();
    tables_check();
    elsewhere_check();
    budget_check();
    others_check();
    (void)page_unmap(PLACE, 64 * PAGE);
}

int main(void)
{
    uint64_t before;

    run(); /* once before: some tables stay */
    before = frames_free();
    run();
    tap_is(frames_free(), before, "no frame is lost");
    return tap_done();
}
