/* SPDX-License-Identifier: MIT */
/*
 * More spaces than the machine has identifiers for (with asid=4 on the kernel's command line): many
 * processes live on all harts, and others come and go, so that identifiers start over while spaces
 * run.  None ever sees another's page.
 */
#include <inttypes.h>

#include "support.h"
#include "team.h"
#include "tiny.h"

#define LIVING  40U
#define PASSING 60U
#define TURNS   30U

static struct tiny living[LIVING];

static unsigned passing_run(void)
{
    unsigned good = 0;
    struct user_end end = {0};
    struct tiny tiny;

    for (unsigned i = 0; i < PASSING; i++) {
        if (tiny_start(&tiny, 5000 + i, 1 + i % 3, hart_nth(i)) == 0 &&
            user_finish(tiny.process, &end) == 0 && end.reason == EXIT_STATUS && end.detail == 0) {
            good++;
        }
    }
    return good;
}

int main(void)
{
    unsigned count = 0;
    unsigned good = 0;
    uint64_t epochs = counter_value("asid_epochs");

    for (; count < LIVING; count++) {
        if (tiny_start(&living[count], 1000 + count, 0, hart_nth(count)) != 0) {
            break;
        }
    }
    tap_is(count, LIVING, "%u processes start", LIVING);
    tap_is(passing_run(), PASSING, "%u others come and go, each with its own value", PASSING);
    for (unsigned i = 0; i < count; i++) {
        while (tiny_turns(&living[i]) < TURNS) {
            (void)sys_yield();
        }
    }
    tap_ok(1, "each of those that stay has had %u turns", TURNS);
    for (unsigned i = 0; i < count; i++) {
        good += tiny_stop(&living[i]) ? 1 : 0;
    }
    tap_is(good, count, "each found its own value to its end");
    tap_diag("identifiers started over %" PRIu64 " times", counter_value("asid_epochs") - epochs);
    return tap_done();
}
