/* SPDX-License-Identifier: MIT */
/*
 * Every hart takes part, up to sixteen: more threads than harts, none pinned, add up sums, and so
 * do processes; each hart in turn changes a page that all others use, and each change is seen
 * everywhere before the next.
 */
#include <stdatomic.h>

#include "support.h"
#include "team.h"

#define ROUNDS   64U
#define THREADS  40U
#define CHILDREN 6U
#define ADDS     300U

static void turn_take(unsigned round)
{
    long status = sys_vm_map(user_self(), PLACE, PAGE, RW, VM_FLAG_REPLACE, NULL);

    (void)team_is((uint64_t)status, 0, "replacing the page");
    *word_at(PLACE) = round + 1;
}

static void turn_work(unsigned member)
{
    for (unsigned round = 0; round < ROUNDS / team_members() + team_members(); round++) {
        if (round % team_members() == member) {
            turn_take(round);
        }
        team_meet();
        (void)team_is(*word_at(PLACE), round + 1, "the page of this turn");
        team_meet();
    }
}

static _Atomic(uint64_t) sum;

static void add_run(void *argument)
{
    uint64_t number = (uintptr_t)argument;

    for (unsigned i = 0; i < ADDS; i++) {
        /* Relaxed: read after all have ended. */
        atomic_fetch_add_explicit(&sum, number, memory_order_relaxed);
        if (i % 16 == 0) {
            (void)sys_yield();
        }
    }
}

static int children_sum(void *argument)
{
    struct user_thread threads[THREADS];
    unsigned count = 0;

    (void)argument;
    while (count < THREADS &&
           user_thread_start(&threads[count], add_run, (void *)(uintptr_t)(count + 1)) == 0) {
        count++;
    }
    for (unsigned i = 0; i < count; i++) {
        (void)user_thread_join(&threads[i]);
    }
    return atomic_load_explicit(&sum, memory_order_relaxed) ==
                   (uint64_t)ADDS * THREADS * (THREADS + 1) / 2
               ? 0
               : 1;
}

int main(void)
{
    handle_t children[CHILDREN];
    struct user_end end = {0};
    unsigned members = team_size();

    tap_status(page_map(PLACE, PAGE, RW), 0, "a page that all use");
    tap_status(team_run(members, turn_work), 0, "a team of %u changes it in turns", members);
    team_report("each change is seen on every hart");
    (void)page_unmap(PLACE, PAGE);
    for (unsigned i = 0; i < CHILDREN; i++) {
        tap_status(user_fork_run(children_sum, NULL, &children[i]), 0, "a child of %u threads",
                   THREADS);
    }
    for (unsigned i = 0; i < CHILDREN; i++) {
        tap_status(user_finish(children[i], &end), 0, "it ends");
        tap_ok(end.reason == EXIT_STATUS && end.detail == 0, "with the right sum");
    }
    return tap_done();
}
