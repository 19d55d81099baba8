/* SPDX-License-Identifier: MIT */
/*
 * The command `ptdump`: the page tables of a process as text, and what changed since the last dump.
 *
 * One dump is kept, in pages of its own that are given back when another takes its place.  A dump
 * has at most RECORDS_MAX lines; one that would have more tells how to go on.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pure/pt_text.h"
#include "shell.h"
#include "vellum/calls.h"

#define RECORDS_MAX   4096U
#define RECORDS_BYTES (RECORDS_MAX * sizeof(struct pt_record))
#define STOPPED       1 /* the walk: no room for more records */

_Static_assert(RECORDS_BYTES % VM_PAGE_SIZE == 0);

/* A dump, and the pages its records lie in; bytes 0: none. */
struct kept {
    struct pt_record *records;
    size_t count;
    uint64_t bytes;
    uint64_t from;
    uint64_t limit; /* it tells of nothing from here on */
    uint32_t number;
    char name[PROCESS_NAME_BYTES];
};

static struct kept last;

struct diff {
    unsigned levels;
    size_t counts[3]; /* by enum pt_change */
};

static long record_keep(void *context, const struct pt_record *record)
{
    struct kept *kept = context;

    if (kept->count == RECORDS_MAX) {
        kept->limit = record->address;
        return STOPPED;
    }
    kept->records[kept->count++] = *record;
    return 0;
}

static void kept_drop(struct kept *kept)
{
    if (kept->bytes != 0) {
        (void)user_pages_unmap((uintptr_t)kept->records, kept->bytes);
    }
    *kept = (struct kept){.bytes = 0};
}

static long kept_make(struct kept *kept, uint64_t bytes)
{
    uint64_t address = 0;
    long status = user_pages_map(bytes, VM_PROT_R | VM_PROT_W, &address);

    if (status == 0) {
        kept->records = (struct pt_record *)(uintptr_t)address;
        kept->bytes = bytes;
    }
    return status;
}

/* Keeps a dump instead of the last one, in no more pages than it needs. */
static void kept_replace(struct kept *dump)
{
    struct kept small = *dump;
    uint64_t bytes = dump->count * sizeof(dump->records[0]);

    kept_drop(&last);
    small.bytes = 0;
    if (kept_make(&small, (bytes + VM_PAGE_SIZE - 1) & ~(VM_PAGE_SIZE - 1)) == 0) {
        memcpy(small.records, dump->records, bytes);
        last = small;
    }
    kept_drop(dump);
}

static void dump_show(const struct kept *dump, unsigned levels)
{
    char text[PT_TEXT_BYTES];

    for (size_t i = 0; i < dump->count; i++) {
        pt_text_line(&dump->records[i], levels, text);
        printf("%s\n", text);
    }
}

static void change_show(void *context, enum pt_change change, const struct pt_record *record)
{
    struct diff *diff = context;
    char text[PT_TEXT_BYTES];

    diff->counts[change]++;
    if (change != PT_SAME) {
        pt_text_line(record, diff->levels, text);
        printf("%c %s\n", change == PT_NEW ? '+' : '-', text);
    }
}

static void diff_show(const struct kept *dump, unsigned levels)
{
    struct diff diff = {.levels = levels};
    const struct pt_dump before = {last.records, last.count, last.limit};
    const struct pt_dump after = {dump->records, dump->count, dump->limit};

    pt_text_compare(&before, &after, change_show, &diff);
    printf("# %zu gone, %zu new, %zu as before\n", diff.counts[PT_GONE], diff.counts[PT_NEW],
           diff.counts[PT_SAME]);
}

/* Reads the page tables into new pages. */
static long dump_make(struct kept *dump, handle_t process, uint64_t *missed)
{
    struct pt_walk walk = {.take = record_keep, .take_context = dump, .from = dump->from};
    long status = kept_make(dump, RECORDS_BYTES);

    if (status != 0) {
        return status;
    }
    status = process_walk(process, &walk);
    *missed = walk.missed;
    if (status != 0 && status != STOPPED) {
        kept_drop(dump);
        return status;
    }
    return 0;
}

/* The arguments: whether there is --diff, the process, where to begin. */
struct wishes {
    int is_diff;
    const char *process;
    uint64_t from;
};

static int wishes_read(struct command command, struct wishes *wishes)
{
    int at = 1;

    *wishes = (struct wishes){.from = 0};
    if (at < command.argc && strcmp(command.argv[at], "--diff") == 0) {
        wishes->is_diff = 1;
        at++;
    }
    if (at == command.argc) {
        return command_usage("ptdump");
    }
    wishes->process = command.argv[at++];
    if (at < command.argc) {
        char *end = NULL;

        wishes->from = strtoull(command.argv[at], &end, 0);
        if (wishes->is_diff || at + 1 < command.argc || *end != '\0' ||
            wishes->from % VM_PAGE_SIZE != 0) {
            printf("ptdump: FROM is the address of a page, as 0x1000; --diff begins where the "
                   "last dump did\n");
            return command_usage("ptdump");
        }
    }
    return STATUS_OK;
}

/* Whether the dump kept is one of this process. */
static int last_fits(const struct process_info *info)
{
    if (last.bytes == 0) {
        printf("ptdump: no dump is kept; first: ptdump %" PRIu32 "\n", info->number);
    } else if (last.number != info->number || strcmp(last.name, info->name) != 0) {
        printf("ptdump: the dump kept is of %s (%" PRIu32 "); first: ptdump %" PRIu32 "\n",
               last.name, last.number, info->number);
    } else {
        return 1;
    }
    return 0;
}

static int process_dump(const struct process_info *info, handle_t process, struct wishes wishes)
{
    struct machine_info machine;
    struct kept dump = {.number = info->number};
    uint64_t missed = 0;
    long status = sys_machine_info(user_machine(), (uintptr_t)&machine);

    if (wishes.is_diff && !last_fits(info)) {
        return STATUS_USAGE;
    }
    dump.from = wishes.is_diff ? last.from : wishes.from;
    dump.limit = machine.user_limit;
    memcpy(dump.name, info->name, sizeof(dump.name));
    if (status == 0) {
        status = dump_make(&dump, process, &missed);
    }
    if (status != 0) {
        return failure_tell("ptdump", status);
    }
    printf("# %s (%" PRIu32 ") Sv%u%s\n", info->name, info->number,
           (unsigned)machine.levels * 9 + 12,
           wishes.is_diff ? ", changes since the last dump" : "");
    if (wishes.is_diff) {
        diff_show(&dump, (unsigned)machine.levels);
    } else {
        dump_show(&dump, (unsigned)machine.levels);
    }
    if (missed != 0) {
        printf("# %" PRIu64 " nodes went while they were read\n", missed);
    }
    if (dump.limit < machine.user_limit) {
        printf("# more: ptdump %" PRIu32 " 0x%" PRIx64 "\n", info->number, dump.limit);
    }
    kept_replace(&dump);
    return STATUS_OK;
}

int command_ptdump(struct command command)
{
    struct wishes wishes;
    struct process_info info;
    handle_t process = HANDLE_NONE;
    int result = wishes_read(command, &wishes);

    if (result == STATUS_OK) {
        result = process_find_open("ptdump", wishes.process, &info, &process);
    }
    if (result != STATUS_OK) {
        return result;
    }
    result = process_dump(&info, process, wishes);
    (void)sys_handle_close(process);
    return result;
}
