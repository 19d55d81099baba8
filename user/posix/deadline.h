/* SPDX-License-Identifier: MIT */
/* Times as POSIX writes them; private to user/posix. */
#pragma once

#include <stdint.h>
#include <time.h>

#define NS_PER_SECOND INT64_C(1000000000)

/* Nanoseconds of a time: 0 if it is before the clock's beginning, the largest number if it is too
 * late to say.  Nonzero: it is a time. */
int timespec_read(const struct timespec *time, uint64_t *nanoseconds);
