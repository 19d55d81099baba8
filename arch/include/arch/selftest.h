/* SPDX-License-Identifier: MIT */
/*
 * The self-test: facts of the machine that only a try tells, one at a time.
 *
 * It is for boards that nobody here has: a log of it answers what their manuals leave open, and
 * says where the machine does not do what the kernel relies on.  docs/boards/selftest.md explains
 * each fact.
 */
#pragma once

#include "lib/types.h"

#define SELFTEST_ORDER       4U /* the room is 2^SELFTEST_ORDER frames */
#define SELFTEST_KEY_BYTES   40U
#define SELFTEST_VALUE_BYTES 208U

enum selftest_verdict {
    SELFTEST_FACT,  /* nothing depends on it                         */
    SELFTEST_GOOD,  /* as the kernel relies on                       */
    SELFTEST_WRONG, /* not so: the value says what                   */
};

/* What one check found; texts are terminated. */
struct selftest_found {
    enum selftest_verdict verdict;
    char key[SELFTEST_KEY_BYTES];
    char value[SELFTEST_VALUE_BYTES];
};

/* Makes the check of that index, from 0 on.
 * room:    2^SELFTEST_ORDER contiguous frames by the direct map; their contents are lost.
 * Errors:  ERR_NOENT behind the last check; *found is undefined.
 * Context: no lock; interrupts off; one hart at a time, which the caller sees to; the harts have
 *          been started.  Takes half a second of the machine's time, more where harts are slow to
 *          answer each other, and three for each other hart that does not come to help; one that
 *          helps runs nothing else meanwhile.  The active space is in force again afterwards, with
 *          this hart's TLB empty. */
status_t arch_selftest(size_t index, void *room, struct selftest_found *found);
