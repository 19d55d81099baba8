/* SPDX-License-Identifier: MIT */
/* Sets of addresses, against a bitmap of a small space. */
#include "user/lib/pure/areas.h"

#include <criterion/criterion.h>
#include <string.h>

#define SPACE 64U
#define ROOM  40U

static struct area list[ROOM];
static unsigned char bitmap[SPACE];

static struct areas areas_empty(void)
{
    memset(bitmap, 0, sizeof(bitmap));
    return (struct areas){.list = list, .room = ROOM};
}

/* The list is sorted, has no empty areas and none that touch, and says what the bitmap says. */
static void check(const struct areas *areas)
{
    unsigned char said[SPACE] = {0};

    for (size_t i = 0; i < areas->count; i++) {
        struct area area = areas->list[i];

        cr_assert(area.start < area.end && area.end <= SPACE);
        cr_assert(i == 0 || areas->list[i - 1].end < area.start);
        memset(said + area.start, 1, area.end - area.start);
    }
    cr_assert(memcmp(said, bitmap, SPACE) == 0);
}

/* First gap of the bitmap; SPACE: none. */
static uint64_t gap_in_bitmap(struct area within, uint64_t bytes, uint64_t align)
{
    for (uint64_t at = within.start; at + bytes <= within.end; at++) {
        if (at % align == 0 && memchr(bitmap + at, 1, bytes) == NULL) {
            return at;
        }
    }
    return SPACE;
}

static void check_questions(const struct areas *areas, struct area area, uint64_t bytes,
                            uint64_t align)
{
    uint64_t start = SPACE;
    const void *one = memchr(bitmap + area.start, 1, area.end - area.start);
    const void *zero = memchr(bitmap + area.start, 0, area.end - area.start);

    cr_assert((areas_overlap(areas, area) != 0) == (one != NULL));
    cr_assert((areas_cover(areas, area) != 0) == (zero == NULL));
    int found = areas_find_gap(areas, area, bytes, align, &start);
    cr_assert(start == gap_in_bitmap(area, bytes, align));
    cr_assert((found != 0) == (start != SPACE));
}

static unsigned random_next(unsigned *state)
{
    *state = *state * 1103515245U + 12345U;
    return *state >> 16;
}

Test(areas, any_changes_leave_what_a_bitmap_says)
{
    for (unsigned seed = 1; seed <= 200; seed++) {
        struct areas areas = areas_empty();
        unsigned state = seed;

        for (unsigned step = 0; step < 300; step++) {
            uint64_t start = random_next(&state) % SPACE;
            uint64_t bytes = 1 + random_next(&state) % (SPACE - start);
            struct area area = {start, start + 1 + bytes % 9};
            int adds = random_next(&state) % 2 == 0;

            area.end = area.end > SPACE ? SPACE : area.end;
            if (adds) {
                areas_add(&areas, area);
            } else {
                areas_remove(&areas, area);
            }
            memset(bitmap + area.start, adds, area.end - area.start);
            check(&areas);
            check_questions(&areas, (struct area){start, start + bytes}, 1 + step % 7,
                            UINT64_C(1) << step % 4);
        }
    }
}

Test(areas, neighbours_become_one_and_a_hole_makes_two)
{
    struct areas areas = areas_empty();

    areas_add(&areas, (struct area){8, 16});
    areas_add(&areas, (struct area){24, 32});
    cr_assert(areas.count == 2);
    areas_add(&areas, (struct area){16, 24});
    cr_assert(areas.count == 1 && list[0].start == 8 && list[0].end == 32);
    areas_remove(&areas, (struct area){12, 13});
    cr_assert(areas.count == 2 && list[0].end == 12 && list[1].start == 13);
}

Test(areas, a_gap_up_to_the_end_of_what_was_asked_is_found_and_none_past_it)
{
    struct areas areas = areas_empty();
    uint64_t start = 0;

    areas_add(&areas, (struct area){0, 10});
    cr_assert(areas_find_gap(&areas, (struct area){4, 14}, 4, 1, &start) != 0 && start == 10);
    cr_assert(areas_find_gap(&areas, (struct area){4, 14}, 5, 1, &start) == 0);
    areas_add(&areas, (struct area){14, UINT64_MAX});
    cr_assert(areas_find_gap(&areas, (struct area){0, UINT64_MAX}, 5, 1, &start) == 0);
    cr_assert(areas_find_gap(&areas, (struct area){0, UINT64_MAX}, 4, 1, &start) != 0 &&
              start == 10);
}
