/* SPDX-License-Identifier: MIT */
/*
 * Sets of addresses, as a sorted list of areas that neither overlap nor touch.  Pure: the memory of
 * the list is the caller's.  All steps are bounded by the length of the list.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* [start, end), not empty. */
struct area {
    uint64_t start;
    uint64_t end;
};

struct areas {
    struct area *list;
    size_t count;
    size_t room; /* areas_add and areas_remove want count < room; both add one area at most */
};

/* Nonzero: some address of the area is in the set. */
int areas_overlap(const struct areas *areas, struct area area);

/* Nonzero: every address of the area is. */
int areas_cover(const struct areas *areas, struct area area);

/* Puts all of the area into the set; what is there already stays. */
void areas_add(struct areas *areas, struct area area);

/* Takes all of the area out of the set; what is not there stays so. */
void areas_remove(struct areas *areas, struct area area);

/* Finds the lowest `bytes` addresses inside of `within` that are not in the set and begin at a
 * multiple of `align`, a power of two.  Nonzero: found, and *start is the first. */
int areas_find_gap(const struct areas *areas, struct area within, uint64_t bytes, uint64_t align,
                   uint64_t *start);
