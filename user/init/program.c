/* SPDX-License-Identifier: MIT */
/* Running programs of the archive, and saying how they ended. */
#include <stdio.h>

#include "shell.h"
#include "vellum/calls.h"

/* Every program has a budget, of what is free less an eighth: so whatever it does leaves something
 * to the shell and to the next one. */
static uint64_t program_frames(void)
{
    struct machine_info machine = {.free_frames = 0};

    (void)sys_machine_info(user_machine(), (uintptr_t)&machine);

    uint64_t frames = machine.free_frames - machine.free_frames / 8;

    return frames > 0 ? frames : 1; /* 0 would be the shell's own budget: none */
}

static int program_launch(const struct cpio_file *file, struct command words, int is_foreground,
                          handle_t *process)
{
    struct user_program program = {
        .image = file->data,
        .image_bytes = file->bytes,
        .name = words.argv[0],
        .argc = (size_t)words.argc,
        .argv = words.argv,
        .is_foreground = is_foreground,
        .frames = program_frames(),
    };

    (void)fflush(stdout);
    long status = user_spawn(&program, process);
    if (status == 0) {
        return STATUS_OK;
    }
    if (status == -SYS_ENOEXEC) {
        printf("%s: not a program: %s\n", words.argv[0], user_image_problem(&program));
        return STATUS_FAILED;
    }
    if (status == -SYS_EINVAL) {
        printf("%s: its name is too long for a process, or not plain ASCII\n", words.argv[0]);
        return STATUS_FAILED;
    }
    return failure_tell(words.argv[0], status);
}

int program_start(const struct cpio_file *file, struct command words, handle_t *process)
{
    return program_launch(file, words, 0, process);
}

int program_finish(const struct cpio_file *file, struct command words, struct user_end *end)
{
    handle_t process = HANDLE_NONE;

    if (program_launch(file, words, 1, &process) != STATUS_OK) {
        return STATUS_FAILED;
    }
    long status = user_finish(process, end);

    return status == 0 ? STATUS_OK : failure_tell(words.argv[0], status);
}

int program_run(struct command words)
{
    struct cpio_file file;
    struct user_end end;
    char text[96];

    if (archive_find("bin", words.argv[0], &file) != CPIO_OK) {
        printf("%s: no such program; ls shows those there are\n", words.argv[0]);
        return STATUS_NOT_FOUND;
    }
    if (program_finish(&file, words, &end) != STATUS_OK) {
        return STATUS_FAILED;
    }
    if (end.reason == EXIT_STATUS && end.detail == 0) {
        return STATUS_OK;
    }
    user_end_text(&end, text, sizeof(text));
    printf("%s %s\n", words.argv[0], text);
    if (end.reason == EXIT_STATUS) {
        return (int)end.detail;
    }
    if (end.reason == EXIT_FAULT) {
        return STATUS_FAULT;
    }
    return end.reason == EXIT_KILLED ? STATUS_KILLED : STATUS_FAILED;
}

int command_run_program(struct command command)
{
    if (command.argc < 2) {
        return command_usage("run");
    }
    return program_run((struct command){.argc = command.argc - 1, .argv = command.argv + 1});
}
