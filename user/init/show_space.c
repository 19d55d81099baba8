/* SPDX-License-Identifier: MIT */
/*
 * The command `vmmap`: an address space, drawn.  What is shown was never there all at once if the
 * process runs meanwhile: its ranges are read in pieces, each as it was at that moment.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "pure/pt_walk.h"
#include "pure/space_rows.h"
#include "shell.h"
#include "vellum/calls.h"

#define RANGES_A_CALL 32U
#define SUM_BYTES     200
#define BAR_MIN       8U
#define WIDE_COLUMNS  72U /* from here on there is room for all of a row */

/* Columns of a row beside the address and the bar: see row_show(). */
#define WIDE_REST   49U
#define NARROW_REST 14U

/* What is read of a process, and how wide it is drawn. */
struct space_view {
    handle_t process;
    int is_own;
    struct machine_info machine;
    struct space_rows rows;
    int address_columns;
    size_t bar_columns;
    uint64_t longest; /* what the longest bar stands for */
    int is_wide;
};

/* How many tables of each level there are. */
struct table_counts {
    uint64_t of_level[PT_LEVELS_MAX];
    uint64_t all;
};

static long ranges_read(struct space_view *view)
{
    struct vm_range_info ranges[RANGES_A_CALL];
    uint64_t limit = view->machine.user_limit;
    uint64_t address = 0;
    long status = 0;

    while (status == 0 && address < limit) {
        uint64_t count = 0;
        uint64_t next = 0;

        status = sys_vm_ranges(view->process, address, limit - address, (uintptr_t)ranges,
                               RANGES_A_CALL, &count, &next);
        for (uint64_t i = 0; status == 0 && i < count; i++) {
            space_rows_add(&view->rows, &ranges[i]);
        }
        address = next;
    }
    space_rows_finish(&view->rows);
    return status;
}

static long node_count(void *context, const struct pt_record *record)
{
    struct table_counts *counts = context;

    if (record->kind == PT_NODE) {
        counts->of_level[record->level]++;
        counts->all++;
    }
    return 0;
}

/* Nodes of level 0 are counted where they are pointed to; their entries need not be read. */
static long tables_count(handle_t process, struct table_counts *counts)
{
    struct pt_walk walk = {.take = node_count, .take_context = counts, .last_level = 1};

    *counts = (struct table_counts){.all = 0};
    return process_walk(process, &walk);
}

/* What a row is for, as far as its addresses tell: programs choose for themselves. */
static const char *row_use(const struct space_view *view, const struct space_row *row)
{
    static const struct {
        uint64_t start, end;
        const char *name;
    } areas[] = {
        {USER_TABLE_START, USER_TABLE_END, "library"}, {USER_HEAP_START, USER_HEAP_END, "heap"},
        {USER_PAGES_START, USER_PAGES_END, "pages"},   {USER_FREE_START, USER_FREE_END, "own"},
        {USER_FREE_END, USER_STACK_TOP, "stack"},
    };
    static const char *const kinds[] = {
        [VM_KIND_IO] = "I/O",        [VM_KIND_RESERVED] = "reserved", [VM_KIND_GUARD] = "guard",
        [VM_KIND_HIDDEN] = "hidden", [VM_KIND_PAGED] = "paged",       [VM_KIND_SWAPPED] = "swapped",
    };
    const struct start_info *info = user_info();

    if (row->kinds == 1U << VM_KIND_RESERVED && (row->flags & (VM_STATE_2M | VM_STATE_1G)) != 0) {
        return (row->flags & VM_STATE_2M) != 0 ? "2M to come" : "1G to come";
    }
    if (row->kinds == 1U << VM_KIND_PAGED && (row->flags & VM_STATE_VIEW) != 0) {
        return "paged view";
    }
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (kinds[i] != NULL && row->kinds == 1U << i) {
            return kinds[i];
        }
    }
    if (view->is_own && info->archive >= row->start && info->archive < row->end) {
        return "archive";
    }
    if (row->start >= USER_IMAGE_START && row->end <= USER_TABLE_START) {
        if (row->prot_any != row->prot_all) {
            return "image";
        }
        if ((row->prot_any & VM_PROT_X) != 0) {
            return "code";
        }
        return (row->prot_any & VM_PROT_W) != 0 ? "data" : "constants";
    }
    if (row->kinds == 1U << VM_KIND_RAM && (row->flags & VM_STATE_PRIVATE) == 0) {
        return (row->flags & VM_STATE_VIEW) != 0 ? "view" : "shared";
    }
    for (size_t i = 0; i < sizeof(areas) / sizeof(areas[0]); i++) {
        if (row->start >= areas[i].start && row->end <= areas[i].end) {
            return areas[i].name;
        }
    }
    return "";
}

static void view_measure(struct space_view *view)
{
    size_t columns = line_columns();
    uint64_t last = view->rows.count == 0 ? 0 : view->rows.rows[view->rows.count - 1].start;
    size_t rest;

    view->address_columns = snprintf(NULL, 0, "0x%" PRIx64, last);
    view->longest = space_rows_longest(&view->rows);
    view->is_wide = columns >= WIDE_COLUMNS;
    rest = (size_t)view->address_columns + (view->is_wide ? WIDE_REST : NARROW_REST);
    view->bar_columns = columns > rest + BAR_MIN ? columns - rest - 1 : BAR_MIN;
    if (view->bar_columns > SPACE_BAR_MAX) {
        view->bar_columns = SPACE_BAR_MAX;
    }
}

static void gap_show(const struct space_view *view, uint64_t from, uint64_t to)
{
    char size[SPACE_SIZE_BYTES];
    char bar[SPACE_BAR_MAX + 1];

    if (from >= to) {
        return;
    }
    space_rows_size_text(to - from, size);
    space_rows_bar(to - from, view->longest, view->bar_columns, '.', bar);
    printf("%*s %7s %*s%s\n", view->address_columns, "", size, view->is_wide ? 40 : 5, "", bar);
}

/* Where there is room: address, size, rights, use, leaves, four counts, bar. */
static void row_show(const struct space_view *view, const struct space_row *row)
{
    static const char *const sizes[] = {"4K", "2M", "1G", "512G", "256T"};
    char size[SPACE_SIZE_BYTES];
    char prot[4];
    char counts[3][SPACE_SIZE_BYTES];
    char bar[SPACE_BAR_MAX + 1];
    char use[16];
    unsigned level = 31U - (unsigned)__builtin_clz(row->levels);
    int is_one_size = row->levels == 1U << level && level < PT_LEVELS_MAX;

    space_rows_size_text(row->bytes, size);
    space_rows_prot_text(row, prot);
    space_rows_bar(row->bytes, view->longest, view->bar_columns, space_rows_fill(row), bar);
    printf("0x%-*" PRIx64 " %7s  %s ", view->address_columns - 2, row->start, size, prot);
    if (!view->is_wide) {
        printf("%s\n", bar);
        return;
    }
    (void)snprintf(use, sizeof(use), "%s", row_use(view, row));
    if (row->ranges > 1) {
        space_rows_count_text(row->ranges, counts[0]);
        (void)snprintf(use, sizeof(use), "%.6s in 1", counts[0]);
    }
    space_rows_count_text(row->accessed, counts[0]);
    space_rows_count_text(row->dirty, counts[1]);
    space_rows_count_text(row->shared, counts[2]);
    printf("%-10s %4s %5s %5s %5s  %s\n", use, is_one_size ? sizes[level] : "mix", counts[0],
           counts[1], counts[2], bar);
}

static void rows_show(const struct space_view *view)
{
    char scale[SPACE_BAR_MAX + 1];
    uint64_t end = 0;

    space_rows_scale(view->longest, view->bar_columns, scale);
    if (view->is_wide) {
        printf("%-*s    size  may use        leaf acc'd dirty  shrd  %s\n", view->address_columns,
               "address", scale);
    } else {
        printf("%-*s    size  may %s\n", view->address_columns, "address", scale);
    }
    for (size_t i = 0; i < view->rows.count; i++) {
        gap_show(view, end, view->rows.rows[i].start);
        row_show(view, &view->rows.rows[i]);
        end = view->rows.rows[i].end;
    }
    gap_show(view, end, view->machine.user_limit);
}

static void mapped_show(const struct space_view *view)
{
    struct space_row all = {0};
    char bytes[SPACE_SIZE_BYTES];
    char marked[SPACE_SIZE_BYTES];
    char text[SUM_BYTES];

    for (size_t i = 0; i < view->rows.count; i++) {
        all.bytes += view->rows.rows[i].bytes;
        all.marked += view->rows.rows[i].marked;
        all.accessed += view->rows.rows[i].accessed;
        all.dirty += view->rows.rows[i].dirty;
        all.shared += view->rows.rows[i].shared;
    }
    all.bytes -= all.marked;
    space_rows_size_text(all.bytes, bytes);
    space_rows_size_text(all.marked, marked);
    (void)snprintf(text, sizeof(text),
                   "mapped %s and marked %s in %" PRIu64 " ranges: %" PRIu64 " pages, %" PRIu64
                   " accessed, %" PRIu64 " dirty, %" PRIu64 " shared",
                   bytes, marked, view->rows.ranges, all.bytes / VM_PAGE_SIZE, all.accessed,
                   all.dirty, all.shared);
    paragraph_print(text, 0, 0);
}

static void tables_show(const struct table_counts *counts, unsigned levels)
{
    char bytes[SPACE_SIZE_BYTES];
    char text[SUM_BYTES];

    space_rows_size_text(counts->all * VM_PAGE_SIZE, bytes);
    int used = snprintf(text, sizeof(text), "tables %s in %" PRIu64 " nodes:", bytes, counts->all);

    for (unsigned level = levels; level > 0 && used > 0 && used < SUM_BYTES; level--) {
        used += snprintf(text + used, SUM_BYTES - (size_t)used, " L%u:%" PRIu64, level - 1,
                         counts->of_level[level - 1]);
    }
    paragraph_print(text, 0, 0);
}

static long space_show(struct space_view *view, const struct process_info *info)
{
    struct table_counts counts;
    long status = sys_machine_info(user_machine(), (uintptr_t)&view->machine);

    if (status == 0) {
        status = ranges_read(view);
    }
    if (status == 0) {
        status = tables_count(view->process, &counts);
    }
    if (status == 0) {
        char limit[SPACE_SIZE_BYTES];

        view_measure(view);
        space_rows_size_text(view->machine.user_limit, limit);
        printf("%s (%" PRIu32 "): Sv%u, %s of user addresses\n", info->name, info->number,
               (unsigned)view->machine.levels * 9 + 12, limit);
        rows_show(view);
        mapped_show(view);
        tables_show(&counts, (unsigned)view->machine.levels);
    }
    return status;
}

int command_vmmap(struct command command)
{
    static struct space_view view;
    struct process_info info;
    handle_t process = HANDLE_NONE;

    if (command.argc != 2) {
        return command_usage("vmmap");
    }
    int result = process_find_open("vmmap", command.argv[1], &info, &process);

    if (result != STATUS_OK) {
        return result;
    }
    view = (struct space_view){.process = process,
                               .is_own = info.number == process_number(user_self())};
    long status = space_show(&view, &info);

    (void)sys_handle_close(process);
    return status == 0 ? STATUS_OK : failure_tell("vmmap", status);
}
