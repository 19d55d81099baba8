/* SPDX-License-Identifier: MIT */
/* See space_rows.h. */
#include "space_rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PAGE_SHIFT        12U
#define DISTANCE_IF_OTHER (UINT64_C(1) << 24)
#define LONGEST_MIN       (UINT64_C(1) << 20)

static unsigned log2_of(uint64_t value)
{
    return value == 0 ? 0 : 63U - (unsigned)__builtin_clzll(value);
}

static struct space_row row_of(const struct vm_range_info *range)
{
    int is_mark = range->kind == VM_KIND_RESERVED || range->kind == VM_KIND_GUARD ||
                  range->kind == VM_KIND_PAGED || range->kind == VM_KIND_SWAPPED;

    return (struct space_row){
        .start = range->start,
        .end = range->start + range->bytes,
        .bytes = range->bytes,
        .marked = is_mark ? range->bytes : 0,
        .ranges = 1,
        .shared = range->shared,
        .accessed = range->accessed,
        .dirty = range->dirty,
        .physical = range->physical,
        .kinds = 1U << (range->kind & 31),
        .prot_any = range->prot,
        .prot_all = range->prot,
        .levels = 1U << (range->level & 31),
        .flags = range->flags,
    };
}

/* Whether the next range only goes on with the last row. */
static int is_continued(const struct space_row *row, const struct space_row *next)
{
    int is_alike = row->ranges == 1 && row->end == next->start && row->kinds == next->kinds &&
                   row->prot_any == next->prot_any && row->levels == next->levels &&
                   row->flags == next->flags;
    int is_next_frame = row->physical == 0
                            ? next->physical == 0
                            : next->physical == row->physical + (row->end - row->start);

    return is_alike && is_next_frame;
}

/* Makes one row of two neighbours. */
static void row_join(struct space_row *row, const struct space_row *next)
{
    row->end = next->end;
    row->bytes += next->bytes;
    row->marked += next->marked;
    row->shared += next->shared;
    row->accessed += next->accessed;
    row->dirty += next->dirty;
    row->kinds |= next->kinds;
    row->prot_any |= next->prot_any;
    row->prot_all &= next->prot_all;
    row->levels |= next->levels;
    row->flags &= next->flags;
}

/* How little the neighbours at index and index + 1 belong together: their gap, and more if one may
 * do other things with them. */
static uint64_t row_distance(const struct space_rows *rows, size_t index)
{
    const struct space_row *row = &rows->rows[index];
    const struct space_row *next = row + 1;
    int is_alike = row->kinds == next->kinds && row->levels == next->levels &&
                   row->prot_any == next->prot_any && row->prot_all == next->prot_all &&
                   row->flags == next->flags;

    return next->start - row->end + (is_alike ? 0 : DISTANCE_IF_OTHER);
}

/* Makes one row of the neighbours at index and index + 1. */
static void rows_fold(struct space_rows *rows, size_t index)
{
    struct space_row *row = &rows->rows[index];
    uint64_t distance = row_distance(rows, index) + 1;

    rows->folded = distance > rows->folded ? distance : rows->folded;
    row_join(row, row + 1);
    row->ranges += (row + 1)->ranges;
    row->physical = 0;
    memmove(row + 1, row + 2, (rows->count - index - 2) * sizeof(*row));
    rows->count--;
}

/* Folds the two neighbours that are closest; the first of several such. */
static void rows_fold_closest(struct space_rows *rows)
{
    size_t best = 0;

    for (size_t i = 1; i + 1 < rows->count; i++) {
        if (row_distance(rows, i) < row_distance(rows, best)) {
            best = i;
        }
    }
    rows_fold(rows, best);
}

void space_rows_finish(struct space_rows *rows)
{
    for (size_t i = 0; i + 1 < rows->count;) {
        if (row_distance(rows, i) < rows->folded) {
            rows_fold(rows, i);
        } else {
            i++;
        }
    }
}

void space_rows_add(struct space_rows *rows, const struct vm_range_info *range)
{
    struct space_row row = row_of(range);

    if (rows->count > 0 && is_continued(&rows->rows[rows->count - 1], &row)) {
        row_join(&rows->rows[rows->count - 1], &row);
        return;
    }
    rows->rows[rows->count++] = row;
    rows->ranges++;
    if (rows->count > SPACE_ROWS_MAX) {
        rows_fold_closest(rows);
    }
}

uint64_t space_rows_pages(const struct space_row *row)
{
    unsigned level = log2_of(row->levels);

    return row->levels == 1U << level ? row->bytes >> (PAGE_SHIFT + 9 * level) : 0;
}

void space_rows_prot_text(const struct space_row *row, char text[4])
{
    static const struct {
        uint32_t prot;
        char letter;
    } letters[] = {{VM_PROT_R, 'r'}, {VM_PROT_W, 'w'}, {VM_PROT_X, 'x'}};

    for (size_t i = 0; i < 3; i++) {
        char letter = (row->prot_any & letters[i].prot) != 0 ? '?' : '-';

        text[i] = (row->prot_all & letters[i].prot) != 0 ? letters[i].letter : letter;
    }
    text[3] = '\0';
}

void space_rows_size_text(uint64_t bytes, char text[SPACE_SIZE_BYTES])
{
    unsigned unit = log2_of(bytes) / 10;
    unsigned shift = unit * 10;
    uint64_t whole = bytes >> shift;
    uint64_t rest = bytes - (whole << shift);

    if (rest == 0) {
        (void)snprintf(text, SPACE_SIZE_BYTES, "%" PRIu64 "%c", whole, "BKMGTPE"[unit]);
        return;
    }
    unsigned tenth = (unsigned)((rest >> (shift - 10)) * 10 >> 10);

    (void)snprintf(text, SPACE_SIZE_BYTES, "%" PRIu64 ".%u%c", whole, tenth, "BKMGTPE"[unit]);
}

void space_rows_count_text(uint64_t count, char text[SPACE_SIZE_BYTES])
{
    unsigned unit = 0;

    while (count > 99999) {
        count /= 1000;
        unit++;
    }
    (void)snprintf(text, SPACE_SIZE_BYTES, "%" PRIu64 "%.1s", count, &" KMGTPE"[unit]);
    if (unit == 0) {
        text[strlen(text) - 1] = '\0';
    }
}

uint64_t space_rows_longest(const struct space_rows *rows)
{
    uint64_t longest = LONGEST_MIN;
    uint64_t end = 0;

    for (size_t i = 0; i < rows->count; i++) {
        const struct space_row *row = &rows->rows[i];

        longest = row->bytes > longest ? row->bytes : longest;
        longest = row->start - end > longest ? row->start - end : longest;
        end = row->end;
    }
    return UINT64_C(1) << (log2_of(longest - 1) + 1);
}

/* Columns of a bar: 1 for a page, all for the longest, and the logarithm tells in between. */
static size_t bar_columns(uint64_t bytes, uint64_t longest, size_t columns)
{
    unsigned doublings = log2_of(longest >> PAGE_SHIFT);
    unsigned have = log2_of(bytes >> PAGE_SHIFT);

    if (doublings == 0 || have >= doublings) {
        return columns;
    }
    return 1 + have * (columns - 1) / doublings;
}

void space_rows_bar(uint64_t bytes, uint64_t longest, size_t columns, char fill,
                    char text[SPACE_BAR_MAX + 1])
{
    columns = columns > SPACE_BAR_MAX ? SPACE_BAR_MAX : columns;
    size_t filled = columns == 0 ? 0 : bar_columns(bytes, longest, columns);

    memset(text, fill, filled);
    if (bytes > longest && filled > 0) {
        text[filled - 1] = '>';
    }
    text[filled] = '\0';
}

void space_rows_scale(uint64_t longest, size_t columns, char text[SPACE_BAR_MAX + 1])
{
    static const char *const names[] = {"4K",  "64K", "1M",  "16M",  "256M", "4G",
                                        "64G", "1T",  "16T", "256T", "4P",   "64P"};
    size_t free_from = 0;

    columns = columns > SPACE_BAR_MAX ? SPACE_BAR_MAX : columns;
    memset(text, ' ', columns);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        uint64_t bytes = UINT64_C(1) << (PAGE_SHIFT + 4 * i);
        size_t place = columns == 0 ? 0 : bar_columns(bytes, longest, columns) - 1;
        size_t count = strlen(names[i]);

        if (bytes <= longest && place + count <= columns && place >= free_from) {
            memcpy(text + place, names[i], count);
            free_from = place + count + 1;
        }
    }
    text[free_from == 0 ? 0 : free_from - 1] = '\0';
}

char space_rows_fill(const struct space_row *row)
{
    static const struct {
        uint32_t kinds;
        char fill;
    } fills[] = {
        {1U << VM_KIND_RESERVED, ':'}, {1U << VM_KIND_GUARD, 'g'},   {1U << VM_KIND_HIDDEN, 'h'},
        {1U << VM_KIND_PAGED, 'p'},    {1U << VM_KIND_SWAPPED, 's'},
    };

    if ((row->kinds & 1U << VM_KIND_IO) != 0) {
        return 'i';
    }
    for (size_t i = 0; i < sizeof(fills) / sizeof(fills[0]); i++) {
        if (row->kinds == fills[i].kinds) {
            return fills[i].fill;
        }
    }
    if ((row->prot_any & VM_PROT_X) != 0) {
        return 'x';
    }
    return (row->prot_any & VM_PROT_W) != 0 ? 'w' : 'r';
}
