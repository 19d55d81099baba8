/* SPDX-License-Identifier: MIT */
#include "pure/selftest_tries.h"

enum selftest_verdict selftest_tries_verdict(struct selftest_tries tries, enum selftest_use use)
{
    if (tries.made == 0 || use == SELFTEST_NOT_USED) {
        return SELFTEST_FACT;
    }
    return tries.stale == 0 && tries.refused == 0 ? SELFTEST_GOOD : SELFTEST_WRONG;
}
