/* SPDX-License-Identifier: MIT */
/*
 * Who lends the self-test its room: one caller at a time, all frames come back, and no memory is an
 * error; and what tries of a fence mean.  The checks themselves are the machine's
 * (tests/qemu/session_selftest.py).
 */
#include "kernel/selftest.h"

#include <string.h>

#include "arch/riscv64/pure/selftest_tries.h"
#include "support.h"

#define CHECKS 3U

static struct selftest_found found;
static status_t inside; /* what a second caller gets while a check is made */

status_t __wrap_arch_selftest(size_t index, void *room, struct selftest_found *out);

/* Fills the room to its end, and asks for another check meanwhile. */
status_t __wrap_arch_selftest(size_t index, void *room, struct selftest_found *out)
{
    struct selftest_found second;

    memset(room, 0xa5, PAGE_SIZE << SELFTEST_ORDER);
    inside = selftest_find(0, &second);
    if (index >= CHECKS) {
        return ERR_NOENT;
    }
    *out = (struct selftest_found){.verdict = SELFTEST_GOOD, .key = "key", .value = "value"};
    return OK;
}

Test(selftest, lends_room_and_takes_it_back)
{
    uint64_t free_before;

    (void)machine_default(16 * MIB);
    machine_boot(3);
    free_before = frame_free_count();
    for (uint64_t i = 0; i < CHECKS; i++) {
        EXPECT_OK(selftest_find(i, &found));
        EXPECT_STATUS(inside, ERR_BUSY);
        EXPECT_EQ(found.verdict, SELFTEST_GOOD);
    }
    EXPECT_STATUS(selftest_find(CHECKS, &found), ERR_NOENT);
    EXPECT_STATUS(selftest_find(UINT64_MAX, &found), ERR_NOENT);
    EXPECT_EQ(frame_free_count(), free_before);
    EXPECT_OK(frame_check());
}

Test(selftest, no_memory_is_an_error_and_the_next_caller_gets_its_turn)
{
    uint64_t free_before;

    (void)machine_default(16 * MIB);
    machine_boot(3);
    free_before = frame_free_count();
    frame_fail_after(0);
    EXPECT_STATUS(selftest_find(0, &found), ERR_NOMEM);
    EXPECT_EQ(frame_free_count(), free_before);
    EXPECT_OK(selftest_find(0, &found));
}

Test(selftest, tries_of_a_fence)
{
    static const struct {
        struct selftest_tries tries;
        enum selftest_use use;
        enum selftest_verdict want;
    } rows[] = {
        {{.made = 9}, SELFTEST_USED, SELFTEST_GOOD},
        {{.made = 9, .stale = 1}, SELFTEST_USED, SELFTEST_WRONG},
        {{.made = 9, .refused = 1}, SELFTEST_USED, SELFTEST_WRONG},
        {{.made = 9, .stale = 9}, SELFTEST_NOT_USED, SELFTEST_FACT},
        {{.made = 9}, SELFTEST_NOT_USED, SELFTEST_FACT},
        {{.made = 0}, SELFTEST_USED, SELFTEST_FACT},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        EXPECT_EQ(selftest_tries_verdict(rows[i].tries, rows[i].use), rows[i].want);
    }
}
