/* SPDX-License-Identifier: MIT */
/*
 * A page is made read-only while threads on all harts write to it: no write lands after the call
 * has returned.  The writers use a system call that writes to their memory, which fails while it
 * may not; then children whose writers have used the page directly, and end by their next write.
 */
#include <stdatomic.h>

#include "support.h"
#include "team.h"

#define ROUNDS   60U
#define ATTEMPTS 3U /* of each writer, between two looks at the page */
#define PAGES    3U
#define AREA     PLACE

static _Atomic(uint64_t) is_over; /* released by member 0, acquired by the writers */

/* How often each member has tried to write: released by it, acquired by member 0. */
static struct {
    _Atomic(uint64_t) count;
    char rest[56];
} attempts[TEAM_MAX];

static uint64_t word_of(unsigned member)
{
    return AREA + member % PAGES * PAGE + member * sizeof(uint64_t);
}

static void write_for_ever(unsigned member)
{
    for (uint64_t n = 1; atomic_load_explicit(&is_over, memory_order_acquire) == 0; n++) {
        long status = sys_vm_read(user_self(), (uintptr_t)&n, word_of(member), sizeof(n), NULL);

        if (status != 0) {
            (void)team_is((uint64_t)status, (uint64_t)-SYS_EFAULT, "a write that is not allowed");
        }
        atomic_store_explicit(&attempts[member].count, n, memory_order_release);
    }
}

/* Waits until every writer has begun and ended some attempts. */
static void attempts_wait(void)
{
    for (unsigned member = 1; member < team_members(); member++) {
        uint64_t now = atomic_load_explicit(&attempts[member].count, memory_order_acquire);

        team_wait(&attempts[member].count, now + ATTEMPTS);
    }
}

static void words_read(uint64_t words[TEAM_MAX])
{
    for (unsigned member = 1; member < team_members(); member++) {
        words[member] = *word_at(word_of(member));
    }
}

static void protect_rounds(void)
{
    uint64_t before[TEAM_MAX] = {0};
    uint64_t after[TEAM_MAX] = {0};
    uint64_t bytes = PAGES * PAGE;
    uint64_t pages = 0;

    for (unsigned round = 0; round < ROUNDS / team_members(); round++) {
        (void)team_is((uint64_t)sys_vm_protect(user_self(), AREA, bytes, VM_PROT_R, &pages), 0,
                      "making the pages read-only");
        (void)team_is(pages, PAGES, "pages made read-only");
        words_read(before);
        attempts_wait();
        words_read(after);
        for (unsigned member = 1; member < team_members(); member++) {
            (void)team_is(after[member], before[member], "a word of a read-only page");
        }
        (void)team_is((uint64_t)sys_vm_protect(user_self(), AREA, bytes, RW, NULL), 0,
                      "making the pages writable");
        attempts_wait();
        words_read(after);
        for (unsigned member = 1; member < team_members(); member++) {
            if (after[member] == before[member]) {
                team_wrong(after[member], "a word of a writable page that is written all the time");
            }
        }
    }
}

static void protect_work(unsigned member)
{
    if (member != 0) {
        write_for_ever(member);
        return;
    }
    attempts_wait();
    protect_rounds();
    atomic_store_explicit(&is_over, 1, memory_order_release);
}

/* In a child: a writer other than `culprit` has only read since the page became read-only. */
static unsigned culprit;
static _Atomic(uint64_t) writers_warm; /* raised by each writer, acquired by member 0 */
static _Atomic(uint64_t) is_protected; /* released by member 0, acquired by the writers */

static void direct_work(unsigned member)
{
    if (member == 0) {
        team_wait(&writers_warm, team_members() - 1);
        (void)sys_vm_protect(user_self(), AREA, PAGE, VM_PROT_R, NULL);
        atomic_store_explicit(&is_protected, 1, memory_order_release);
        return;
    }
    *word_at(AREA + member * sizeof(uint64_t)) = member;
    atomic_fetch_add_explicit(&writers_warm, 1, memory_order_acq_rel);
    team_spin(&is_protected, 1);
    if (member == culprit) {
        touch(ACCESS_WRITE, AREA + member * sizeof(uint64_t));
    }
}

static int write_directly(void *argument)
{
    culprit = (unsigned)(uintptr_t)argument;
    if (page_map(AREA, PAGE, RW) != 0 || team_run(team_size(), direct_work) != 0) {
        return 1;
    }
    return 2; /* the write landed */
}

static void direct_check(unsigned member)
{
    struct user_end end = {0};

    tap_status(user_fork_wait(write_directly, (void *)(uintptr_t)member, &end), 0,
               "a child whose member %u writes once more", member);
    check_fault(&end, ACCESS_WRITE, AREA + member * sizeof(uint64_t), "that write");
}

int main(void)
{
    unsigned members = team_size();

    tap_status(page_map(AREA, PAGES * PAGE, RW), 0, "pages are mapped");
    tap_status(team_run(members, protect_work), 0, "a team of %u writes to them", members);
    team_report("nothing was written while they were read-only");
    (void)page_unmap(AREA, PAGES * PAGE);
    for (unsigned member = 1; member < members; member++) {
        direct_check(member);
    }
    return tap_done();
}
