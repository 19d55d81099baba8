/* SPDX-License-Identifier: MIT */
/* What is mapped in a range of this process, one piece after another; private to user/posix. */
#pragma once

#include <stdint.h>

#include "uapi/vm.h"

#define RANGES_AT_ONCE 8U

/* Fields are ranges.c's. */
struct ranges {
    uint64_t next; /* asked for up to here */
    uint64_t end;
    uint64_t count;
    uint64_t index;
    struct vm_range_info list[RANGES_AT_ONCE];
};

/* Begins at page-aligned [start, end). */
void ranges_begin(struct ranges *ranges, uint64_t start, uint64_t end);

/* The next piece, inside the range, in ascending order.  It may be changed before the one after it
 * is asked for.  Returns 0, -SYS_ENOENT at the end, or an error of vm_ranges. */
long ranges_next(struct ranges *ranges, struct vm_range_info *piece);

/* Something is at each address: 0; if not, -SYS_ENOMEM.  Errors of vm_ranges.  Context: the lock of
 * user/space.h is held. */
long ranges_check_locked(uint64_t start, uint64_t end);
