/* SPDX-License-Identifier: MIT */
/* Sets of addresses: binary search, and moving the tail of the list. */
#include "areas.h"

#include <string.h>

/* Index of the first area that ends behind the address; `count` if none does. */
static size_t area_index(const struct areas *areas, uint64_t address)
{
    size_t low = 0;
    size_t high = areas->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (areas->list[middle].end > address) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

/* Puts `fresh` areas in the place of those from index `from` on that come before `to`. */
static void areas_replace(struct areas *areas, size_t from, size_t to, const struct area *fresh,
                          size_t fresh_count)
{
    memmove(areas->list + from + fresh_count, areas->list + to,
            (areas->count - to) * sizeof(*areas->list));
    for (size_t i = 0; i < fresh_count; i++) {
        areas->list[from + i] = fresh[i];
    }
    areas->count += fresh_count - (to - from);
}

int areas_overlap(const struct areas *areas, struct area area)
{
    size_t i = area_index(areas, area.start);

    return i < areas->count && areas->list[i].start < area.end;
}

int areas_cover(const struct areas *areas, struct area area)
{
    size_t i = area_index(areas, area.start);

    return i < areas->count && areas->list[i].start <= area.start && areas->list[i].end >= area.end;
}

void areas_add(struct areas *areas, struct area area)
{
    /* One that ends where this one starts touches it. */
    size_t from = area.start == 0 ? 0 : area_index(areas, area.start - 1);
    size_t to = from;

    while (to < areas->count && areas->list[to].start <= area.end) {
        area.start = areas->list[to].start < area.start ? areas->list[to].start : area.start;
        area.end = areas->list[to].end > area.end ? areas->list[to].end : area.end;
        to++;
    }
    areas_replace(areas, from, to, &area, 1);
}

void areas_remove(struct areas *areas, struct area area)
{
    struct area left[2];
    size_t left_count = 0;
    size_t from = area_index(areas, area.start);
    size_t to = from;

    while (to < areas->count && areas->list[to].start < area.end) {
        if (areas->list[to].start < area.start) {
            left[left_count++] = (struct area){areas->list[to].start, area.start};
        }
        if (areas->list[to].end > area.end) {
            left[left_count++] = (struct area){area.end, areas->list[to].end};
        }
        to++;
    }
    areas_replace(areas, from, to, left, left_count);
}

int areas_find_gap(const struct areas *areas, struct area within, uint64_t bytes, uint64_t align,
                   uint64_t *start)
{
    uint64_t at = within.start;

    for (size_t i = area_index(areas, at); i <= areas->count; i++) {
        uint64_t end = i < areas->count && areas->list[i].start < within.end ? areas->list[i].start
                                                                             : within.end;
        uint64_t first = (at + align - 1) & ~(align - 1);

        if (first >= at && end > first && end - first >= bytes) {
            *start = first;
            return 1;
        }
        if (end == within.end) {
            return 0;
        }
        at = areas->list[i].end;
    }
    return 0;
}
