/* SPDX-License-Identifier: MIT */
/* Walking over what is mapped, by the call that tells some pieces at a time. */
#include "ranges.h"

#include "user/space.h"
#include "user/vellum.h"
#include "vellum/calls.h"

void ranges_begin(struct ranges *ranges, uint64_t start, uint64_t end)
{
    ranges->next = start;
    ranges->end = end;
    ranges->count = 0;
    ranges->index = 0;
}

long ranges_next(struct ranges *ranges, struct vm_range_info *piece)
{
    while (ranges->index == ranges->count) {
        if (ranges->next >= ranges->end) {
            return -SYS_ENOENT;
        }
        ranges->index = 0;
        ranges->count = 0;
        long status =
            sys_vm_ranges(user_self(), ranges->next, ranges->end - ranges->next,
                          (uintptr_t)ranges->list, RANGES_AT_ONCE, &ranges->count, &ranges->next);
        if (status != 0) {
            return status;
        }
    }
    *piece = ranges->list[ranges->index++];
    return 0;
}

long ranges_check_locked(uint64_t start, uint64_t end)
{
    struct ranges ranges;
    struct vm_range_info piece;
    long status = 0;

    if (user_space_holds_locked(start, end - start)) {
        return 0;
    }
    ranges_begin(&ranges, start, end);
    while (status == 0 && start < end) {
        status = ranges_next(&ranges, &piece);
        if (status == -SYS_ENOENT || (status == 0 && piece.start != start)) {
            return -SYS_ENOMEM;
        }
        start = piece.start + piece.bytes;
    }
    return status;
}
