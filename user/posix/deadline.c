/* SPDX-License-Identifier: MIT */
/* Times as POSIX writes them. */
#include "deadline.h"

int timespec_read(const struct timespec *time, uint64_t *nanoseconds)
{
    if (time->tv_nsec < 0 || time->tv_nsec >= NS_PER_SECOND) {
        return 0;
    }
    if (time->tv_sec < 0) {
        *nanoseconds = 0;
    } else if (__builtin_mul_overflow((uint64_t)time->tv_sec, (uint64_t)NS_PER_SECOND,
                                      nanoseconds) ||
               __builtin_add_overflow(*nanoseconds, (uint64_t)time->tv_nsec, nanoseconds)) {
        *nanoseconds = UINT64_MAX;
    }
    return 1;
}
