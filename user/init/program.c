/* SPDX-License-Identifier: MIT */
/* Running programs of the archive, and saying how they ended. */
#include <stdio.h>
#include <string.h>

#include "shell.h"

int program_finish(const struct cpio_file *file, struct command words, struct user_end *end)
{
    handle_t process = HANDLE_NONE;
    struct user_program program = {
        .image = file->data,
        .image_bytes = file->bytes,
        .name = words.argv[0],
        .argc = (size_t)words.argc,
        .argv = words.argv,
    };

    (void)fflush(stdout);
    long status = user_spawn(&program, &process);
    if (status == 0) {
        status = user_finish(process, end);
    }
    if (status == -SYS_ENOEXEC) {
        printf("%s: not a program: %s\n", words.argv[0], user_image_problem(&program));
    } else if (status != 0) {
        printf("%s: %s\n", words.argv[0], strerror((int)-status));
    }
    return status == 0 ? STATUS_OK : STATUS_FAILED;
}

int program_run(struct command command)
{
    struct cpio_file file;
    struct user_end end;
    char text[96];

    if (command.argc < 2) {
        printf("usage: run NAME [ARG...]\n");
        return STATUS_USAGE;
    }
    struct command words = {.argc = command.argc - 1, .argv = command.argv + 1};
    if (archive_find("bin", words.argv[0], &file) != CPIO_OK) {
        printf("%s: no such program\n", words.argv[0]);
        return STATUS_NOT_FOUND;
    }
    if (program_finish(&file, words, &end) != STATUS_OK) {
        return STATUS_FAILED;
    }
    if (end.reason == EXIT_STATUS) {
        return (int)end.detail;
    }
    user_end_text(&end, text, sizeof(text));
    printf("%s %s\n", words.argv[0], text);
    if (end.reason == EXIT_FAULT) {
        return STATUS_FAULT;
    }
    return end.reason == EXIT_KILLED ? STATUS_KILLED : STATUS_FAILED;
}
