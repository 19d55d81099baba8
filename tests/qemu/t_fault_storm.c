/* SPDX-License-Identifier: MIT */
/*
 * Faults on all harts at once: processes that each end by a fault of their own, all reported right;
 * one process whose threads all fault at the same moment, which ends by one of these; and faults
 * that are none, because the page has become writable meanwhile: they are settled where they
 * happen.
 */
#include <stdatomic.h>

#include "support.h"
#include "team.h"

#define ROUNDS   3U
#define LOOSENED 60U
#define CHILDREN 12U

static uint64_t wild_address(uint64_t number)
{
    return PLACE + number * UINT64_C(0x40000000) + number * 8;
}

static int fault_once(void *argument)
{
    uint64_t number = (uintptr_t)argument;

    for (uint64_t i = 0; i < number; i++) {
        (void)sys_yield();
    }
    touch(number % 3, wild_address(number));
    return 1;
}

static void children_check(void)
{
    handle_t children[CHILDREN];
    struct user_end end = {0};

    for (uint64_t i = 0; i < CHILDREN; i++) {
        tap_status(user_fork_run(fault_once, (void *)(uintptr_t)i, &children[i]), 0,
                   "a child that will fault");
    }
    for (uint64_t i = 0; i < CHILDREN; i++) {
        tap_status(user_finish(children[i], &end), 0, "it ends");
        check_fault(&end, i % 3, wild_address(i), "its own fault");
    }
}

static void together_work(unsigned member)
{
    team_meet();
    touch(ACCESS_WRITE, wild_address(member));
}

static int fault_together(void *argument)
{
    (void)argument;
    (void)team_run(team_size(), together_work);
    return 1;
}

static void together_check(void)
{
    struct user_end end = {0};
    int is_one = 0;

    tap_status(user_fork_wait(fault_together, NULL, &end), 0, "a child faults on all harts");
    for (unsigned member = 0; member < team_size(); member++) {
        is_one |= end.detail == wild_address(member);
    }
    tap_ok(end.reason == EXIT_FAULT && end.access == ACCESS_WRITE && is_one,
           "it ends by one of its faults");
}

/* The page is made read-only and all know that; it is made writable, and all write at once. */
static void loosen_work(unsigned member)
{
    uint64_t address = PLACE + member * sizeof(uint64_t);

    for (unsigned round = 0; round < LOOSENED / team_members(); round++) {
        if (member == 0) {
            (void)sys_vm_protect(user_self(), PLACE, PAGE, VM_PROT_R, NULL);
        }
        team_meet();
        (void)team_is(*word_at(address), round, "the word before");
        team_meet();
        if (member == 0) {
            (void)sys_vm_protect(user_self(), PLACE, PAGE, RW, NULL);
        }
        team_meet();
        *word_at(address) = round + 1;
        team_meet();
    }
}

/* All use pages the moment one has mapped them: absence may have been cached. */
static _Atomic(uint64_t) mapped; /* pages so far: released by member 0, acquired by the others */

static void appear_work(unsigned member)
{
    for (unsigned n = 0; n < LOOSENED; n++) {
        uint64_t address = PLACE + n * PAGE;

        if (member == 0) {
            (void)team_is((uint64_t)page_map(address, PAGE, RW), 0, "mapping");
            *word_at(address) = n;
            atomic_store_explicit(&mapped, n + 1, memory_order_release);
        }
        team_wait(&mapped, n + 1);
        (void)team_is(*word_at(address), n, "a page mapped a moment ago");
    }
}

int main(void)
{
    unsigned members = team_size();

    children_check();
    for (unsigned round = 0; round < ROUNDS; round++) {
        together_check();
    }
    tap_status(page_map(PLACE, PAGE, RW), 0, "a page");
    tap_status(team_run(members, loosen_work), 0, "a team of %u writes when it may again", members);
    team_report("all their writes landed");
    (void)page_unmap(PLACE, PAGE);
    tap_status(team_run(members, appear_work), 0, "a team of %u uses pages that appear", members);
    team_report("each was there for all");
    (void)page_unmap(PLACE, LOOSENED * PAGE);
    return tap_done();
}
