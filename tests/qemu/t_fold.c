/* SPDX-License-Identifier: MIT */
/*
 * Folding: what was split becomes one page again, and one mark; nothing changes for whoever uses it
 * meanwhile; what others have too stays in pieces.
 */
#include <stdatomic.h>
#include <sys/mman.h>

#include "support.h"
#include "team.h"

#define LARGE  (UINT64_C(512) * PAGE)
#define GIB    (UINT64_C(1) << 30)
#define TABLES UINT64_C(40) /* more than a step's */
#define ROUNDS 20U

static uint64_t fold(uint64_t address, uint64_t bytes)
{
    uint64_t folded = 99;

    tap_status(sys_vm_fold(user_self(), address, bytes, &folded), 0, "a call to fold");
    return folded;
}

static uint64_t slot_bytes(uint64_t address)
{
    uint64_t bytes = 0;

    (void)sys_vm_query(user_self(), address, NULL, &bytes, NULL, NULL, NULL, NULL);
    return bytes;
}

static long map_large(void)
{
    return sys_vm_map(user_self(), PLACE, LARGE, RW, VM_FLAG_2M, NULL);
}

/* Splits the page, and leaves all rights as they were. */
static void split(void)
{
    (void)sys_vm_protect(user_self(), PLACE + 9 * PAGE, PAGE, VM_PROT_R, NULL);
    (void)sys_vm_protect(user_self(), PLACE + 9 * PAGE, PAGE, RW, NULL);
}

static void pages_check(void)
{
    uint64_t sum = 0;

    tap_status(map_large(), 0, "a page of 2 MiB");
    for (uint64_t i = 0; i < 512; i++) {
        *word_at(PLACE + i * PAGE) = i;
    }
    uint64_t before = frames_free();
    split();
    tap_is(slot_bytes(PLACE), PAGE, "is split by a change of a part");
    tap_is(fold(PLACE, LARGE), 1, "one table goes");
    tap_is(slot_bytes(PLACE + PAGE), LARGE, "it is one page again");
    tap_is(frames_free(), before, "the table's frame came back");
    for (uint64_t i = 0; i < 512; i++) {
        sum += *word_at(PLACE + i * PAGE);
    }
    tap_is(sum, UINT64_C(512) * 511 / 2, "it holds what it held");
    tap_is(fold(PLACE, LARGE), 0, "there is nothing more to fold");
    split();
    tap_status(madvise((void *)PLACE, LARGE, MADV_COLLAPSE), 0, "madvise asks for it too");
    tap_is(slot_bytes(PLACE), LARGE, "and gets it");
    (void)sys_vm_protect(user_self(), PLACE + PAGE, PAGE, VM_PROT_R, NULL);
    tap_is(fold(PLACE, LARGE), 0, "pages of other rights stay in pieces");
    (void)page_unmap(PLACE, LARGE);
}

static int look(void *argument)
{
    return *word_at(PLACE + 11 * PAGE) == 11 && argument == NULL ? 0 : 1;
}

/* After a fork the pages are another's too, until it ends. */
static void fork_check(void)
{
    (void)map_large();
    *word_at(PLACE + 11 * PAGE) = 11;
    split();
    check_child(look, NULL, 0, "a child has the pages too");
    tap_status(sys_quiesce(user_machine()), 0, "it is gone");
    tap_is(fold(PLACE, LARGE), 1, "its end leaves them to one owner, and they fold");
    *word_at(PLACE + 12 * PAGE) = 12;
    tap_is(*word_at(PLACE + 11 * PAGE) + *word_at(PLACE + 12 * PAGE), 23, "and can be written");
    tap_is(slot_bytes(PLACE), LARGE, "as one page");
    (void)page_unmap(PLACE, LARGE);
}

static void marks_check(void)
{
    tap_status(sys_vm_mark(user_self(), PLACE, GIB, VM_KIND_RESERVED, RW, 0, NULL), 0,
               "1 GiB is reserved");
    uint64_t before = frames_free();

    for (uint64_t i = 0; i < TABLES; i++) {
        (void)page_unmap(PLACE + i * LARGE, PAGE);
        (void)sys_vm_mark(user_self(), PLACE + i * LARGE, PAGE, VM_KIND_RESERVED, RW, 0, NULL);
    }
    tap_ok(before - frames_free() > TABLES, "changes in it made tables");
    tap_is(slot_bytes(PLACE), PAGE, "of small marks");
    tap_is(fold(PLACE, GIB), TABLES + 1, "all of them go, over several steps");
    tap_is(slot_bytes(PLACE), GIB, "and leave one mark");
    tap_is(frames_free(), before, "the tables' frames came back");
    *word_at(PLACE + LARGE) = 1;
    tap_is(fold(PLACE, GIB), 0, "with a page in it, it stays as it is");
    (void)page_unmap(PLACE, GIB);
}

static void errors_check(void)
{
    handle_t weak = HANDLE_NONE;
    uint64_t top = UINT64_C(1) << 62;

    tap_status(sys_vm_fold(user_self(), PLACE + 1, PAGE, NULL), -SYS_EINVAL, "no page's beginning");
    tap_status(sys_vm_fold(user_self(), PLACE, 0, NULL), -SYS_EINVAL, "no bytes");
    tap_status(sys_vm_fold(user_self(), top, PAGE, NULL), -SYS_ERANGE, "no user address");
    tap_status(sys_vm_fold(HANDLE_NONE, PLACE, PAGE, NULL), -SYS_EBADF, "no process");
    (void)sys_handle_duplicate(user_self(), RIGHT_MAP, &weak);
    tap_status(sys_vm_fold(weak, PLACE, PAGE, NULL), -SYS_EACCES, "not all rights");
    (void)sys_handle_close(weak);
    tap_is(fold(PLACE, 64 * GIB), 0, "nothing is there, and nothing folds");
}

/* ---- while others use it ---- */

static _Atomic(uint64_t) is_over; /* released by member 0, acquired by the others */

/* Its own word on each page, over and over: what it wrote the last time is there. */
static void use(unsigned member)
{
    uint64_t round = 0;

    do {
        for (uint64_t i = 0; i < 512; i += 37) {
            volatile uint64_t *word = word_at(PLACE + i * PAGE + 64 * member);

            (void)team_is(*word, round, "what was written to a word");
            *word = round + 1;
        }
        round++;
    } while (atomic_load_explicit(&is_over, memory_order_acquire) == 0);
}

static void use_or_fold(unsigned member)
{
    uint64_t folded = 0;

    if (member != 0) {
        use(member);
        return;
    }
    for (unsigned round = 0; round < ROUNDS; round++) {
        split();
        (void)sys_vm_fold(user_self(), PLACE, LARGE, &folded);
        (void)team_is(folded, 1, "tables that folded");
    }
    atomic_store_explicit(&is_over, 1, memory_order_release);
}

static void team_check(void)
{
    (void)map_large();
    tap_status(team_run(team_size(), use_or_fold), 0, "one splits and folds, the others write");
    team_report("no store is lost, and every fault is explained");
    tap_status(sys_vm_check(user_machine(), user_self()), 0, "the kernel's audit finds no fault");
    (void)page_unmap(PLACE, LARGE);
}

int main(void)
{
    pages_check();
    fork_check();
    marks_check();
    errors_check();
    team_check();
    return tap_done();
}
