/* SPDX-License-Identifier: MIT */
/* What the outcome of many tries of a fence means. */
#pragma once

#include "arch/selftest.h"

struct selftest_tries {
    unsigned made;    /* how often an entry, or code, was changed               */
    unsigned stale;   /* how often the old one was used afterwards              */
    unsigned refused; /* how often the firmware did not make the fence          */
};

/* Whether the kernel makes such fences on this machine. */
enum selftest_use {
    SELFTEST_NOT_USED,
    SELFTEST_USED,
};

/* GOOD: all were made, and nothing was stale.  WRONG: not so, and the kernel relies on it.  FACT:
 * else, and where there was no try. */
enum selftest_verdict selftest_tries_verdict(struct selftest_tries tries, enum selftest_use use);
