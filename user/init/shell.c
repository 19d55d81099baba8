/* SPDX-License-Identifier: MIT */
/* Lines: taking the commands off one after another, in the foreground or not. */
#include "shell.h"

#include <stdio.h>
#include <string.h>

#include "pure/words.h"

/* A program in the background; `run` in front of it may be left out. */
static int background_run(struct command command)
{
    if (strcmp(command.argv[0], "run") == 0) {
        if (command.argc < 2) {
            return command_usage("run");
        }
        command = (struct command){.argc = command.argc - 1, .argv = command.argv + 1};
    }
    return job_start(command);
}

int shell_run(char *text)
{
    int result = STATUS_OK;

    while (text != NULL) {
        struct words words;
        enum words_result taken = words_next(&text, &words);
        struct command command = {.argc = words.argc, .argv = words.argv};
        int status = STATUS_OK;

        if (taken == WORDS_UNCLOSED) {
            printf("a quote is not closed: \"...\"\n");
            status = STATUS_USAGE;
        } else if (taken == WORDS_TOO_MANY) {
            printf("more than %d words\n", WORDS_MAX);
            status = STATUS_USAGE;
        } else if (words.argc > 0) {
            status = words.is_background ? background_run(command) : command_run(command);
        }
        if (status != STATUS_OK) {
            result = status;
        }
    }
    return result;
}

void shell_interact(void)
{
    char *line;

    while ((line = line_read("vellum> ")) != NULL) {
        (void)shell_run(line);
        jobs_report();
    }
}
