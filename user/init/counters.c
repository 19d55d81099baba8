/* SPDX-License-Identifier: MIT */
/*
 * The commands `counters` and `count`.
 *
 * Reading the counters makes the kernel count too: a call for each counter.  So `count` reads them
 * three times, twice with nothing in between and once behind the command: what grew between the
 * first two is the cost of counting, and is taken off what grew between the last two.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "shell.h"
#include "vellum/calls.h"

#define COUNTERS_MAX    128U
#define MEANING_COLUMNS 60U /* narrower terminals see values and names only */
#define MEANING_INDENT  31U

static const struct {
    const char *name;
    const char *what;
} meanings[] = {
#define COUNTER(id, text) {#id, text},
#include "vellum/counters.def"
#undef COUNTER
};

struct snapshot {
    uint64_t values[COUNTERS_MAX];
};

static const char *meaning_of(const char *name)
{
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
        if (strcmp(meanings[i].name, name) == 0) {
            return meanings[i].what;
        }
    }
    return "";
}

static void counter_show(uint64_t value, const char *name)
{
    if (line_columns() < MEANING_COLUMNS) {
        printf("%9" PRIu64 "  %s\n", value, name);
        return;
    }
    int at = printf("%9" PRIu64 "  %-18s  ", value, name);

    paragraph_print(meaning_of(name), at > 0 ? (size_t)at : 0, MEANING_INDENT);
}

static long counter_read(uint64_t index, struct counter_info *counter)
{
    long status = sys_counter_info(user_machine(), index, (uintptr_t)counter);

    counter->name[COUNTER_NAME_BYTES - 1] = '\0';
    return status;
}

int command_counters(struct command command)
{
    const char *filter = command.argc > 1 ? command.argv[1] : "";
    struct counter_info counter;
    unsigned shown = 0;
    long status = 0;

    if (command.argc > 2) {
        return command_usage("counters");
    }
    for (uint64_t i = 0; status == 0; i++) {
        status = counter_read(i, &counter);
        if (status == 0 && strstr(counter.name, filter) != NULL) {
            counter_show(counter.value, counter.name);
            shown++;
        }
    }
    if (status == -SYS_ENOENT && shown == 0) {
        printf("counters: no counter has %s in its name\n", filter);
        return STATUS_FAILED;
    }
    return status == -SYS_ENOENT ? STATUS_OK : failure_tell("counters", status);
}

/* Reads all counters, when no memory waits to be freed.  Returns how many there are. */
static uint64_t snapshot_take(struct snapshot *snapshot)
{
    struct counter_info counter;
    uint64_t count = 0;

    (void)sys_quiesce(user_machine());
    while (count < COUNTERS_MAX && counter_read(count, &counter) == 0) {
        snapshot->values[count++] = counter.value;
    }
    return count;
}

/* What one counter grew by, less what counting adds; never below 0. */
static uint64_t growth(const struct snapshot snapshots[3], uint64_t index)
{
    uint64_t own = snapshots[1].values[index] - snapshots[0].values[index];
    uint64_t grown = snapshots[2].values[index] - snapshots[1].values[index];

    return grown > own ? grown - own : 0;
}

/* Shows what the command did; the counters' names are read now, when that costs nothing. */
static void growth_show(const struct snapshot snapshots[3], uint64_t count)
{
    struct counter_info counter;

    for (uint64_t i = 0; i < count && counter_read(i, &counter) == 0; i++) {
        if (growth(snapshots, i) != 0) {
            counter_show(growth(snapshots, i), counter.name);
        }
    }
}

int command_count(struct command command)
{
    static struct snapshot snapshots[3];
    static int is_counting;

    if (command.argc < 2) {
        return command_usage("count");
    }
    if (is_counting) {
        printf("count: one count is enough: it shows all that happens\n");
        return STATUS_USAGE;
    }
    struct command rest = {.argc = command.argc - 1, .argv = command.argv + 1};

    (void)fflush(stdout);
    is_counting = 1;
    (void)snapshot_take(&snapshots[0]);
    (void)snapshot_take(&snapshots[1]);
    int result = command_run(rest);

    (void)fflush(stdout);
    uint64_t count = snapshot_take(&snapshots[2]);

    is_counting = 0;
    printf("%s: status %d; on all harts, less what reading %" PRIu64 " counters needs:\n",
           rest.argv[0], result, count);
    growth_show(snapshots, count);
    return result;
}
