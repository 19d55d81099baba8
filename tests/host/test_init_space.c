/* SPDX-License-Identifier: MIT */
/* What vmmap draws: rows, sizes, bars and their scale. */
#include <criterion/criterion.h>
#include <string.h>

#include "user/init/pure/space_rows.h"

#define PAGE UINT64_C(4096)
#define SV39 (UINT64_C(1) << 38)
#define SV57 (UINT64_C(1) << 56)

static struct space_rows rows;

static void add(uint64_t page, uint64_t pages, uint32_t prot)
{
    space_rows_add(&rows, &(struct vm_range_info){.start = page * PAGE,
                                                  .bytes = pages * PAGE,
                                                  .kind = VM_KIND_RAM,
                                                  .prot = prot,
                                                  .accessed = pages});
}

Test(init_space, pieces_of_one_range_are_one_row)
{
    rows.count = 0;
    add(1, 2, VM_PROT_R);
    add(3, 4, VM_PROT_R);
    add(7, 1, VM_PROT_R | VM_PROT_W);
    add(9, 1, VM_PROT_R | VM_PROT_W);
    cr_assert(rows.count == 3 && rows.ranges == 3);
    cr_assert(rows.rows[0].start == PAGE && rows.rows[0].end == 7 * PAGE);
    cr_assert(rows.rows[0].accessed == 6 && rows.rows[0].bytes == 6 * PAGE);
}

Test(init_space, io_goes_on_only_where_its_frames_do)
{
    struct vm_range_info io = {.bytes = PAGE, .kind = VM_KIND_IO, .prot = VM_PROT_R};

    rows.count = 0;
    for (unsigned i = 0; i < 3; i++) {
        io.start = (10 + i) * PAGE;
        io.physical = 0x10000000 + (i == 2 ? 7 : i) * PAGE;
        space_rows_add(&rows, &io);
    }
    cr_assert(rows.count == 2 && rows.rows[0].bytes == 2 * PAGE);
    cr_assert(space_rows_fill(&rows.rows[0]) == 'i');
}

Test(init_space, what_holds_no_memory_is_counted_apart)
{
    static const char fills[] = {
        [VM_KIND_RESERVED] = ':', [VM_KIND_GUARD] = 'g',   [VM_KIND_HIDDEN] = 'h',
        [VM_KIND_PAGED] = 'p',    [VM_KIND_SWAPPED] = 's',
    };

    for (uint32_t kind = VM_KIND_RESERVED; kind <= VM_KIND_SWAPPED; kind++) {
        memset(&rows, 0, sizeof(rows));
        add(1, 2, VM_PROT_R | VM_PROT_W);
        space_rows_add(&rows,
                       &(struct vm_range_info){.start = 3 * PAGE, .bytes = 4 * PAGE, .kind = kind});
        cr_assert(rows.count == 2 && rows.rows[0].marked == 0);
        cr_assert(rows.rows[1].marked == (kind == VM_KIND_HIDDEN ? 0 : 4 * PAGE));
        cr_assert(space_rows_fill(&rows.rows[1]) == fills[kind]);
    }
}

Test(init_space, neighbours_of_other_owners_are_rows_of_their_own)
{
    static const uint32_t flags[] = {VM_STATE_PRIVATE, VM_STATE_VIEW, VM_STATE_VIEW, 0};
    struct vm_range_info range = {.bytes = PAGE, .kind = VM_KIND_RAM, .prot = VM_PROT_R};

    memset(&rows, 0, sizeof(rows));
    for (uint64_t i = 0; i < 4; i++) {
        range.start = i * PAGE;
        range.flags = flags[i];
        space_rows_add(&rows, &range);
    }
    cr_assert(rows.count == 3 && rows.rows[0].flags == VM_STATE_PRIVATE);
    cr_assert(rows.rows[1].flags == VM_STATE_VIEW && rows.rows[1].bytes == 2 * PAGE);
    cr_assert(rows.rows[2].flags == 0);
}

/* 5000 pages, every second one, in two crowds far apart, behind an image of three ranges. */
static void crowds_add(uint32_t prot_of_odd)
{
    memset(&rows, 0, sizeof(rows));
    add(1, 4, VM_PROT_R | VM_PROT_X);
    add(5, 1, VM_PROT_R);
    add(6, 2, VM_PROT_R | VM_PROT_W);
    for (uint64_t i = 0; i < 5000; i++) {
        add((i < 2500 ? UINT64_C(1) << 16 : UINT64_C(1) << 24) + 2 * i, 1,
            i % 2 == 0 ? VM_PROT_R : prot_of_odd);
        cr_assert(rows.count <= SPACE_ROWS_MAX);
    }
    space_rows_finish(&rows);
}

Test(init_space, a_crowd_of_ranges_is_one_row)
{
    crowds_add(VM_PROT_R);
    cr_assert(rows.count == 5 && rows.ranges == 5003);
    for (size_t i = 3; i < 5; i++) {
        cr_assert(rows.rows[i].ranges == 2500 && rows.rows[i].bytes == 2500 * PAGE);
        cr_assert(rows.rows[i].accessed == 2500);
    }
    cr_assert(rows.rows[3].start == PAGE << 16 && rows.rows[3].end == ((PAGE << 16) + 4999 * PAGE));
}

Test(init_space, what_only_some_of_a_crowd_allow_is_a_question_mark)
{
    char prot[4];

    crowds_add(VM_PROT_R | VM_PROT_W);
    cr_assert(rows.count == 3 && rows.rows[1].ranges == 2500 && rows.rows[2].ranges == 2500);
    space_rows_prot_text(&rows.rows[1], prot);
    cr_assert_str_eq(prot, "r?-");
    space_rows_prot_text(&rows.rows[0], prot);
    cr_assert_str_eq(prot, "r??");
}

Test(init_space, few_ranges_are_never_drawn_as_one)
{
    memset(&rows, 0, sizeof(rows));
    for (uint64_t i = 0; i < SPACE_ROWS_MAX; i++) {
        add(1 + 2 * i, 1, VM_PROT_R);
    }
    space_rows_finish(&rows);
    cr_assert(rows.count == SPACE_ROWS_MAX);
}

Test(init_space, sizes_and_counts_are_short)
{
    static const struct {
        uint64_t bytes;
        const char *text;
    } sizes[] = {
        {PAGE, "4K"},   {3 * PAGE, "12K"}, {256 * PAGE, "1M"},     {384 * PAGE, "1.5M"},
        {SV39, "256G"}, {SV57, "64P"},     {SV57 - PAGE, "63.9P"}, {0, "0B"},
    };
    char text[SPACE_SIZE_BYTES];

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        space_rows_size_text(sizes[i].bytes, text);
        cr_assert_str_eq(text, sizes[i].text);
    }
    space_rows_count_text(99999, text);
    cr_assert_str_eq(text, "99999");
    space_rows_count_text(100000, text);
    cr_assert_str_eq(text, "100K");
    space_rows_count_text(SV57 / PAGE, text);
    cr_assert_str_eq(text, "17592G");
}

Test(init_space, bars_grow_with_the_logarithm)
{
    char bar[SPACE_BAR_MAX + 1];
    size_t before = 0;

    space_rows_bar(PAGE, SV39, 27, 'x', bar);
    cr_assert_str_eq(bar, "x");
    space_rows_bar(2 * PAGE, SV39, 27, 'x', bar);
    cr_assert_str_eq(bar, "xx");
    space_rows_bar(SV39, SV39, 27, '.', bar);
    cr_assert(strlen(bar) == 27 && bar[26] == '.');
    for (uint64_t bytes = PAGE; bytes <= SV57; bytes *= 2) {
        space_rows_bar(bytes, SV57, 20, 'x', bar);
        cr_assert(strlen(bar) >= before && strlen(bar) >= 1 && strlen(bar) <= 20);
        before = strlen(bar);
    }
    space_rows_bar(SV39, SV57, 5000, 'x', bar);
    cr_assert(strlen(bar) <= SPACE_BAR_MAX);
    space_rows_bar(SV57, SV39, 5, '.', bar);
    cr_assert_str_eq(bar, "....>");
}

Test(init_space, the_longest_bar_is_of_a_row_or_a_gap_before_one)
{
    rows.count = 0;
    cr_assert(space_rows_longest(&rows) == UINT64_C(1) << 20);
    add(1, 2, VM_PROT_R);
    add(UINT64_C(1) << 20, 1, VM_PROT_R);
    cr_assert(space_rows_longest(&rows) == UINT64_C(1) << 32);
    add((UINT64_C(1) << 20) + 1, (UINT64_C(1) << 20) + 1, VM_PROT_R | VM_PROT_W);
    cr_assert(space_rows_longest(&rows) == UINT64_C(1) << 33);
}

Test(init_space, the_scale_names_the_ends_of_bars)
{
    static const uint64_t sizes[] = {PAGE, PAGE << 8, PAGE << 20};
    static const char *const names[] = {"4K", "1M", "4G"};
    char scale[SPACE_BAR_MAX + 1];
    char bar[SPACE_BAR_MAX + 1];

    space_rows_scale(SV39, 40, scale);
    cr_assert(strlen(scale) <= 40 && strlen(scale) > 30);
    for (size_t i = 0; i < 3; i++) {
        space_rows_bar(sizes[i], SV39, 40, 'x', bar);
        cr_assert(strncmp(scale + strlen(bar) - 1, names[i], 2) == 0, "%s in %s", names[i], scale);
    }
    space_rows_scale(SV57, 3, scale);
    cr_assert_str_eq(scale, "4K");
}
