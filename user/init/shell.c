/* SPDX-License-Identifier: MIT */
/* Command lines: splitting them into commands and words, and finding what runs each. */
#include "shell.h"

#include <stdio.h>
#include <string.h>

#define WORDS_MAX  16
#define LINE_BYTES 256U
#define BLANKS     " \t\r\n"

struct entry {
    const char *name;
    const char *arguments;
    const char *what;
    int (*run)(struct command command);
};

static const struct entry entries[] = {
    {"help", "", "lists the commands", command_help},
    {"ls", "", "lists the files of the archive", command_ls},
    {"run", "NAME [ARG...]", "runs bin/NAME; its name alone does so too", program_run},
    {"test", "[NAME]", "runs all test programs, or one", tests_run},
    {"free", "", "tells how much memory is free", command_free},
    {"harts", "", "tells what each hart does", command_harts},
    {"counters", "[FILTER]", "shows the kernel's counters", command_counters},
    {"devices", "", "lists the I/O regions", command_devices},
    {"trace", "on|off|dump", "records what harts do, and prints it", command_trace},
    {"echo", "[WORD...]", "prints its words", command_echo},
    {"poweroff", "[STATUS]", "turns the machine off", command_poweroff},
};

int command_help(struct command command)
{
    (void)command;
    for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
        char usage[32];

        (void)snprintf(usage, sizeof(usage), "%s %s", entries[i].name, entries[i].arguments);
        printf("%-20s %s\n", usage, entries[i].what);
    }
    printf("Commands on one line are separated by ; and words by blanks; there are no quotes.\n");
    return STATUS_OK;
}

static int command_run(struct command command)
{
    static const char run[] = "run";
    struct cpio_file file;

    for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
        if (strcmp(command.argv[0], entries[i].name) == 0) {
            return entries[i].run(command);
        }
    }
    if (archive_find("bin", command.argv[0], &file) == CPIO_OK) {
        const char *argv[WORDS_MAX + 2] = {run};

        memcpy(argv + 1, command.argv, ((size_t)command.argc + 1) * sizeof(argv[0]));
        return program_run((struct command){.argc = command.argc + 1, .argv = argv});
    }
    printf("%s: no such command or program\n", command.argv[0]);
    return STATUS_NOT_FOUND;
}

static int words_run(char *text)
{
    const char *argv[WORDS_MAX + 1];
    int argc = 0;
    char *rest = NULL;

    for (char *word = strtok_r(text, BLANKS, &rest); word != NULL;
         word = strtok_r(NULL, BLANKS, &rest)) {
        if (argc == WORDS_MAX) {
            printf("more than %d words\n", WORDS_MAX);
            return STATUS_USAGE;
        }
        argv[argc++] = word;
    }
    argv[argc] = NULL;
    return argc == 0 ? STATUS_OK : command_run((struct command){.argc = argc, .argv = argv});
}

int shell_run(char *text)
{
    int result = STATUS_OK;

    while (text != NULL) {
        char *end = strchr(text, ';');
        char *next = NULL;

        if (end != NULL) {
            *end = '\0';
            next = end + 1;
        }
        int status = words_run(text);
        if (status != STATUS_OK) {
            result = status;
        }
        text = next;
    }
    return result;
}

void shell_interact(void)
{
    char line[LINE_BYTES];

    while (line_read("vellum> ", line, sizeof(line)) != NULL) {
        (void)shell_run(line);
    }
}
