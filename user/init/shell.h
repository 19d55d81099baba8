/* SPDX-License-Identifier: MIT */
/* The pieces of init; each function's file says what it is about. */
#pragma once

#include <stddef.h>

#include "formats/cpio.h"
#include "user/vellum.h"

#define STATUS_OK        0
#define STATUS_FAILED    1
#define STATUS_USAGE     2
#define STATUS_NOT_FOUND 127
#define STATUS_KILLED    137
#define STATUS_FAULT     139
#define STATUS_MAX       255

/* One command line, split into words.  argv[argc] is NULL. */
struct command {
    int argc;
    const char *const *argv;
};

/* shell.c: runs the commands of a text, separated by `;`; returns the status of the last one that
 * failed, 0 if none did.  The text is changed. */
int shell_run(char *text);

/* shell.c: reads and runs lines until the input ends. */
void shell_interact(void);

/* line.c: reads one line with echo and simple editing.  Returns NULL at the end of input. */
char *line_read(const char *prompt, char *line, size_t line_bytes);

/* archive.c: the next entry of the archive, from *offset, which is 0 at first. */
enum cpio_result archive_next(size_t *offset, struct cpio_file *file);

/* archive.c: finds FOLDER/NAME, or NAME if it has a slash itself.  Returns CPIO_OK if found. */
enum cpio_result archive_find(const char *folder, const char *name, struct cpio_file *file);

/* archive.c: a name in the archive without a leading "./". */
const char *archive_name(const struct cpio_file *file);

/* program.c: runs a program of the archive to its end.  Nonzero: it could not be started, and the
 * console says why. */
int program_finish(const struct cpio_file *file, struct command words, struct user_end *end);

/* The commands: each returns a status. */
int program_run(struct command command);
int tests_run(struct command command);
int command_help(struct command command);
int command_ls(struct command command);
int command_free(struct command command);
int command_harts(struct command command);
int command_counters(struct command command);
int command_devices(struct command command);
int command_echo(struct command command);
int command_poweroff(struct command command);
int command_trace(struct command command);
