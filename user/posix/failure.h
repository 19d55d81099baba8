/* SPDX-License-Identifier: MIT */
/* How POSIX calls fail; private to user/posix. */
#pragma once

#include <errno.h>

static inline int failure(int error)
{
    errno = error;
    return -1;
}
