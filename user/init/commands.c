/* SPDX-License-Identifier: MIT */
/* The table of commands: what runs each, what help says, what Tab completes behind it. */
#include <stdio.h>
#include <string.h>

#include "pure/words.h"
#include "shell.h"

struct entry {
    const char *name;
    const char *arguments;
    const char *what;
    const char *more; /* what `help NAME` says below that */
    int (*run)(struct command command);
    enum completes completes;
};

/* An entry without `run` is the title of a group. */
static const struct entry entries[] = {
    {"Programs", NULL, NULL, NULL, NULL, COMPLETES_NOTHING},
    {"run", "PROG [ARG...] [&]", "runs a program of bin/; its name alone does so too",
     "With & behind it, it runs in the background; the shell tells its number now and, before\n"
     "a later prompt, how it ended.  Ctrl-C ends one in the foreground.",
     command_run_program, COMPLETES_PROGRAM},
    {"test", "[NAME...]", "runs all test programs, or those named",
     "A test passes if it exits with 0, leaves as many free frames as it found, and the\n"
     "kernel's audit finds nothing.  Ctrl-C ends the test that runs, and all of them.",
     command_test, COMPLETES_TEST},
    {"count", "COMMAND", "runs a command, and shows what the kernel did for it",
     "Shows the counters that grew, by how much, and what they count.  What counting itself\n"
     "costs is measured first, by counting nothing, and taken off.",
     command_count, COMPLETES_COMMAND},
    {"time", "COMMAND", "runs a command, and shows how long it took",
     "By the machine's clock, which in QEMU is the host's.  To compare costs, use count.",
     command_time, COMPLETES_COMMAND},

    {"Processes", NULL, NULL, NULL, NULL, COMPLETES_NOTHING},
    {"ps", "[-t]", "shows the processes; -t: their threads",
     "ON HART: the harts that run it just now.  DOES: runs, ready, or the call it waits in.",
     command_ps, COMPLETES_NOTHING},
    {"kill", "PID", "ends a process", "PID: its number, or its name if only one has it.",
     command_kill, COMPLETES_PROCESS},

    {"Address spaces", NULL, NULL, NULL, NULL, COMPLETES_NOTHING},
    {"vmmap", "PID", "draws the address space of a process",
     "One row a range, by rising address, a row of dots a gap; a bar twice as long stands for\n"
     "much more than twice the size: see the scale above the bars.  Its letters: x code,\n"
     "w writable, r read-only, i I/O.  PID: a number, or a name that only one process has.",
     command_vmmap, COMPLETES_PROCESS},
    {"ptdump", "[--diff] PID [FROM]", "prints page tables, node by node; --diff: what changed",
     "--diff compares with the last dump of the same process.  FROM: an address to begin at.\n"
     "The last dump is kept, up to 4096 lines.  docs/shell.md explains the lines.",
     command_ptdump, COMPLETES_PROCESS},
    {"audit", "", "lets the kernel check all address spaces and all frames",
     "Ends when no memory waits to be freed.", command_audit, COMPLETES_NOTHING},

    {"Machine", NULL, NULL, NULL, NULL, COMPLETES_NOTHING},
    {"free", "", "tells how much memory is free", NULL, command_free, COMPLETES_NOTHING},
    {"harts", "", "tells what each hart does", NULL, command_harts, COMPLETES_NOTHING},
    {"counters", "[TEXT]", "shows the kernel's counters; TEXT: those with it in the name",
     "They count from boot, on all harts.", command_counters, COMPLETES_NOTHING},
    {"trace", "on|off|dump", "records what harts do, and prints it",
     "scripts/trace2json draws a dump; docs/debugging.md shows how.", command_trace,
     COMPLETES_TRACE},
    {"devices", "", "lists the I/O regions", NULL, command_devices, COMPLETES_NOTHING},
    {"ls", "", "lists the files of the archive", NULL, command_ls, COMPLETES_NOTHING},
    {"poweroff", "[STATUS]", "turns the machine off", "STATUS: from 0 to 255, for scripts.",
     command_poweroff, COMPLETES_NOTHING},

    {"Shell", NULL, NULL, NULL, NULL, COMPLETES_NOTHING},
    {"help", "[COMMAND]", "lists the commands, or tells more of one",
     "Commands on one line are separated by ; and words by blanks, but not inside \"...\".\n"
     "Keys: arrows, Home, End; Ctrl-A E (ends of the line), Ctrl-U K W (erase to its begin, to\n"
     "its end, a word), Ctrl-L (clear), Ctrl-C (give up), Ctrl-D (off); up and down: history.",
     command_help, COMPLETES_NAME},
    {"echo", "[WORD...]", "prints its words", NULL, command_echo, COMPLETES_NOTHING},
    {"history", "", "lists the lines typed", NULL, command_history, COMPLETES_NOTHING},
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

int command_usage(const char *name)
{
    const struct entry *entry = entry_find(name);

    if (entry != NULL) {
        printf("usage: %s %s\n", entry->name, entry->arguments);
    }
    return STATUS_USAGE;
}

/* One line of the list, two where the terminal is narrow. */
static void entry_show(const struct entry *entry)
{
    char usage[40];

    if (entry->run == NULL) {
        printf("%s\n", entry->name);
        return;
    }
    (void)snprintf(usage, sizeof(usage), "%s %s", entry->name, entry->arguments);
    if (line_columns() >= 72) {
        printf("  %-26s %s\n", usage, entry->what);
    } else {
        printf("  %s\n    %s\n", usage, entry->what);
    }
}

int command_help(struct command command)
{
    if (command.argc > 2) {
        return command_usage("help");
    }
    if (command.argc == 1) {
        for (size_t i = 0; i < ENTRIES; i++) {
            entry_show(&entries[i]);
        }
        printf("help help: keys, and how lines are read; help COMMAND: more of one\n");
        return STATUS_OK;
    }
    const struct entry *entry = entry_find(command.argv[1]);

    if (entry == NULL) {
        printf("help: there is no command %s\n", command.argv[1]);
        return STATUS_NOT_FOUND;
    }
    printf("%s %s\n%s\n", entry->name, entry->arguments, entry->what);
    if (entry->more != NULL) {
        printf("%s\n", entry->more);
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
        (void)snprintf(guess->name, sizeof(guess->name), "%s", name);
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
