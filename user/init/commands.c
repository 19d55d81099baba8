/* SPDX-License-Identifier: MIT */
/* The table of commands: what runs each, what help says, what Tab completes behind it. */
#include <stdio.h>
#include <string.h>

#include "pure/words.h"
#include "shell.h"

#define LIST_COLUMNS 80U /* from here on a command is one line of the list */

struct entry {
    const char *name;
    const char *arguments;
    const char *what;
    const char *more; /* what `help NAME` says below that */
    int (*run)(struct command command);
    enum completes completes;
};

/* An entry without `run` begins a group.  A line of the list is 80 columns at most: 21 for name and
 * arguments, 47 for what it does. */
static const struct entry entries[] = {
    {"programs", NULL, NULL, NULL, NULL, COMPLETES_NOTHING},
    {"run", "PROG [ARG...] [&]", "runs a program; its name alone does so too",
     "PROG is a file of bin/ in the archive. With & behind it, it runs in the background: the "
     "shell tells its number at once and, before a later prompt, how it ended. Ctrl-C ends one in "
     "the foreground.",
     command_run_program, COMPLETES_PROGRAM},
    {"test", "[NAME...]", "runs all test programs, or those named",
     "A test passes if it exits with 0, leaves as many free frames as it found, and the kernel's "
     "audit finds nothing. Ctrl-C ends the test that runs, and all of them.",
     command_test, COMPLETES_TEST},
    {"count", "COMMAND", "runs it; shows what the kernel did for it",
     "Shows the counters that grew, by how much, and what they count. What counting itself costs "
     "is measured first, by counting nothing, and taken off.",
     command_count, COMPLETES_COMMAND},
    {"time", "COMMAND", "runs it; shows how long it took",
     "By the machine's clock, which in QEMU is the host's: it says nothing about hardware. To "
     "compare costs, use count.",
     command_time, COMPLETES_COMMAND},

    {"processes", NULL, NULL, NULL, NULL, COMPLETES_NOTHING},
    {"ps", "[-t]", "shows the processes; -t: their threads",
     "ON HART: the harts that run it just now. DOES: runs, ready, or the call it waits in.",
     command_ps, COMPLETES_NOTHING},
    {"kill", "PID", "ends a process", "PID: its number, or its name if only one has it.",
     command_kill, COMPLETES_PROCESS},

    {"memory", NULL, NULL, NULL, NULL, COMPLETES_NOTHING},
    {"vmmap", "PID", "draws an address space",
     "One row a range, by rising address; a row of dots is a gap. Bars are to a logarithmic scale, "
     "which stands above them. Their letters: x code, w writable, r read-only, i I/O. PID: a "
     "number, or a name that only one process has.",
     command_vmmap, COMPLETES_PROCESS},
    {"ptdump", "[--diff] PID", "prints page tables; --diff: what changed",
     "One line a table or a run of entries alike. --diff compares with the last dump of the same "
     "process. A dump has 4096 lines at most; `ptdump PID FROM` begins at an address. "
     "docs/shell.md explains the lines.",
     command_ptdump, COMPLETES_PROCESS},
    {"audit", "", "lets the kernel check all that it manages",
     "Every address space and the frames; ends when no memory waits to be freed.", command_audit,
     COMPLETES_NOTHING},
    {"free", "", "tells how much memory is free", NULL, command_free, COMPLETES_NOTHING},

    {"machine", NULL, NULL, NULL, NULL, COMPLETES_NOTHING},
    {"harts", "", "tells what each hart does", NULL, command_harts, COMPLETES_NOTHING},
    {"counters", "[TEXT]", "shows what the kernel has counted since boot",
     "TEXT: only those with it in the name.", command_counters, COMPLETES_NOTHING},
    {"trace", "on|off|dump", "records what harts do; prints it",
     "scripts/trace2json draws a dump; docs/debugging.md shows how.", command_trace,
     COMPLETES_TRACE},
    {"selftest", "", "tries what the machine does; prints it",
     "One fact a line; docs/boards/selftest.md explains them. scripts/selftest2md makes a table of "
     "a log with them.",
     command_selftest, COMPLETES_NOTHING},
    {"devices", "", "lists the I/O regions", NULL, command_devices, COMPLETES_NOTHING},
    {"poweroff", "[STATUS]", "turns the machine off", "STATUS: from 0 to 255, for scripts.",
     command_poweroff, COMPLETES_NOTHING},
    {"reboot", "", "starts the machine anew", "As after power-on, with the firmware first.",
     command_reboot, COMPLETES_NOTHING},

    {"shell", NULL, NULL, NULL, NULL, COMPLETES_NOTHING},
    {"help", "[COMMAND]", "lists the commands; tells more of one",
     "Commands on one line are separated by ; and words by blanks, but not inside \"...\". Tab "
     "completes names. Keys: arrows, Home, End; up and down for lines typed before; Ctrl-A E "
     "(begin, end), Ctrl-U K W (erase to the begin, to the end, a word), Ctrl-L (clear), Ctrl-C "
     "(give the line up), Ctrl-D (turn the machine off).",
     command_help, COMPLETES_NAME},
    {"ls", "", "lists the files of the archive", NULL, command_ls, COMPLETES_NOTHING},
    {"echo", "[WORD...]", "prints its words", NULL, command_echo, COMPLETES_NOTHING},
    {"history", "", "lists the lines typed before", NULL, command_history, COMPLETES_NOTHING},
    {"clear", "", "clears the screen", NULL, command_clear, COMPLETES_NOTHING},
};

#define ENTRIES (sizeof(entries) / sizeof(entries[0]))

static const struct entry *entry_find(const char *name)
{
    for (size_t i = 0; i < ENTRIES; i++) {
        if (entries[i].run != NULL && strcmp(name, entries[i].name) == 0) {
            return &entries[i];
        }
    }
    return NULL;
}

const char *command_name(size_t index)
{
    for (size_t i = 0; i < ENTRIES; i++) {
        if (entries[i].run != NULL && index-- == 0) {
            return entries[i].name;
        }
    }
    return NULL;
}

enum completes command_completes(const char *name)
{
    const struct entry *entry = entry_find(name);

    return entry != NULL ? entry->completes : COMPLETES_NOTHING;
}

static void usage_text(const struct entry *entry, char *text, size_t text_bytes)
{
    (void)snprintf(text, text_bytes, "%s%s%s", entry->name, entry->arguments[0] != '\0' ? " " : "",
                   entry->arguments);
}

int command_usage(const char *name)
{
    const struct entry *entry = entry_find(name);

    char usage[40];

    if (entry != NULL) {
        usage_text(entry, usage, sizeof(usage));
        printf("usage: %s; help %s tells more\n", usage, entry->name);
    }
    return STATUS_USAGE;
}

/* One line for a command, with the group's name in front of its first. */
static void list_wide(void)
{
    const char *group = "";
    char usage[40];

    for (size_t i = 0; i < ENTRIES; i++) {
        if (entries[i].run == NULL) {
            group = entries[i].name;
            continue;
        }
        usage_text(&entries[i], usage, sizeof(usage));
        printf("%-9s  %-21s  %s\n", group, usage, entries[i].what);
        group = "";
    }
}

static void list_narrow(void)
{
    char usage[40];

    for (size_t i = 0; i < ENTRIES; i++) {
        if (entries[i].run == NULL) {
            printf("%s\n", entries[i].name);
            continue;
        }
        usage_text(&entries[i], usage, sizeof(usage));
        printf("  %s\n", usage);
        paragraph_print(entries[i].what, 0, 4);
    }
}

int command_help(struct command command)
{
    char usage[40];

    if (command.argc > 2) {
        return command_usage("help");
    }
    if (command.argc == 1) {
        if (line_columns() < LIST_COLUMNS) {
            list_narrow();
        } else {
            list_wide();
        }
        paragraph_print("help COMMAND tells more; help help: keys", 0, 0);
        return STATUS_OK;
    }
    const struct entry *entry = entry_find(command.argv[1]);

    if (entry == NULL) {
        printf("help: there is no command %s; help lists them\n", command.argv[1]);
        return STATUS_NOT_FOUND;
    }
    usage_text(entry, usage, sizeof(usage));
    printf("%s\n", usage);
    paragraph_print(entry->what, 0, 2);
    if (entry->more != NULL) {
        paragraph_print(entry->more, 0, 2);
    }
    return STATUS_OK;
}

/* The nearest of a name's neighbours so far. */
struct guess {
    const char *wanted;
    char name[40];
    unsigned distance;
};

static void guess_offer(struct guess *guess, const char *name)
{
    unsigned distance = words_distance(guess->wanted, name);

    if (distance < guess->distance && distance < strlen(guess->wanted)) {
        guess->distance = distance;
        (void)words_plain(name, guess->name, sizeof(guess->name));
    }
}

static int unknown_tell(const char *name)
{
    struct guess guess = {.wanted = name, .distance = WORDS_FAR};
    struct cpio_file file;
    const char *command;

    for (size_t i = 0; (command = command_name(i)) != NULL; i++) {
        guess_offer(&guess, command);
    }
    for (size_t offset = 0; archive_next(&offset, &file) == CPIO_OK;) {
        if (strncmp(archive_name(&file), "bin/", 4) == 0) {
            guess_offer(&guess, archive_name(&file) + 4);
        }
    }
    if (guess.distance < WORDS_FAR) {
        printf("%s: no such command or program; did you mean %s?\n", name, guess.name);
    } else {
        printf("%s: no such command or program; help lists the commands, ls the programs\n", name);
    }
    return STATUS_NOT_FOUND;
}

int command_run(struct command command)
{
    const struct entry *entry = entry_find(command.argv[0]);
    struct cpio_file file;

    if (entry != NULL) {
        return entry->run(command);
    }
    if (archive_find("bin", command.argv[0], &file) == CPIO_OK) {
        return program_run(command);
    }
    return unknown_tell(command.argv[0]);
}
