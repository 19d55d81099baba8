/* SPDX-License-Identifier: MIT */
/*
 * Programs at the same addresses don't see each other: each of several processes keeps its own
 * number at one address, while all of them run in turn.
 */
#include "support.h"

#define CHILDREN 4
#define ROUNDS   200

/* Also in the program's own data, which every copy has. */
static volatile uint64_t own_number;

static int keep_number(void *argument)
{
    const uint64_t number = (uintptr_t)argument;

    if (page_map(PLACE, PAGE, RW) != 0 || *word_at(PLACE) != 0) {
        return 1;
    }
    for (uint64_t round = 0; round < ROUNDS; round++) {
        *word_at(PLACE) = number + round;
        own_number = number + round;
        (void)sys_yield();
        if (*word_at(PLACE) != number + round || own_number != number + round) {
            return 2;
        }
    }
    return 0;
}

int main(void)
{
    handle_t children[CHILDREN];
    struct user_end end;

    own_number = 5;
    for (uint64_t i = 0; i < CHILDREN; i++) {
        tap_status(user_fork_run(keep_number, (void *)(uintptr_t)((i + 1) * 1000), &children[i]), 0,
                   "a child starts");
    }
    tap_status(page_map(PLACE, PAGE, RW), 0, "the same page is mapped here");
    *word_at(PLACE) = 6;
    for (uint64_t i = 0; i < CHILDREN; i++) {
        end = (struct user_end){.reason = EXIT_KILLED};
        (void)user_finish(children[i], &end);
        tap_ok(end.reason == EXIT_STATUS && end.detail == 0, "it sees only its own numbers");
    }
    tap_is(*word_at(PLACE), 6, "and so does this process");
    tap_is(own_number, 5, "in its data too");
    tap_status(page_unmap(PLACE, PAGE), 0, "the page is unmapped");
    return tap_done();
}
