/* SPDX-License-Identifier: MIT */
/*
 * Address spaces switched thousands of times: three on each hart, with different pages at the same
 * addresses, take turns; none ever sees another's.
 */
#include "support.h"
#include "team.h"
#include "tiny.h"

#define SPACES_A_HART 3U
#define SWITCHES      4000U

static struct tiny tinies[SPACES_A_HART * TEAM_MAX];

static uint64_t turns_least(unsigned count)
{
    uint64_t least = UINT64_MAX;

    for (unsigned i = 0; i < count; i++) {
        uint64_t turns = tiny_turns(&tinies[i]);

        least = turns < least ? turns : least;
    }
    return least;
}

int main(void)
{
    unsigned harts = harts_count() < TEAM_MAX ? harts_count() : TEAM_MAX;
    unsigned turns = SWITCHES / (harts * SPACES_A_HART) + 1;
    unsigned count = 0;
    unsigned good = 0;
    uint64_t switches = counter_value("space_switches");

    for (; count < harts * SPACES_A_HART; count++) {
        if (tiny_start(&tinies[count], 1000 + count, 0, hart_nth(count)) != 0) {
            break;
        }
    }
    tap_is(count, harts * SPACES_A_HART, "three processes start on each of %u harts", harts);
    while (turns_least(count) < turns || counter_value("space_switches") - switches < SWITCHES) {
        (void)sys_yield();
    }
    tap_ok(1, "each has had %u turns, and spaces were switched %u times", turns, SWITCHES);
    for (unsigned i = 0; i < count; i++) {
        good += tiny_stop(&tinies[i]) ? 1 : 0;
    }
    tap_is(good, count, "each found its own value to its end");
    return tap_done();
}
