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

/* Processes, or threads, that a command looks at: whoever makes them faster than they are shown
 * would keep it busy for ever. */
#define PROCESSES_MAX 1000U

/* One command, split into words.  argv[argc] is NULL. */
struct command {
    int argc;
    const char *const *argv;
};

/* What the words behind a command's name are, for Tab. */
enum completes {
    COMPLETES_NOTHING,
    COMPLETES_COMMAND, /* a command with its own words         */
    COMPLETES_NAME,    /* a command's name                     */
    COMPLETES_PROGRAM,
    COMPLETES_TEST,
    COMPLETES_PROCESS,
    COMPLETES_TRACE, /* on, off, dump                        */
};

/* shell.c: runs the commands of a text, separated by `;`; returns the status of the last one that
 * failed, 0 if none did.  The text is changed. */
int shell_run(char *text);

/* shell.c: reads and runs lines until the input ends. */
void shell_interact(void);

/* commands.c: runs one command or program. */
int command_run(struct command command);

/* commands.c: prints how a command is to be called; returns STATUS_USAGE. */
int command_usage(const char *name);

/* commands.c: what follows a command's name; COMPLETES_NOTHING for an unknown one. */
enum completes command_completes(const char *name);

/* commands.c: the name of the command of an index, NULL behind the last. */
const char *command_name(size_t index);

/* failure.c: says in words what an error of uapi/error.h, negated, means; returns STATUS_FAILED. */
int failure_tell(const char *who, long status);

/* paragraph.c: prints a text in lines of whole words, each behind `indent` blanks.  The first
 * begins where the cursor is, at column `at`. */
void paragraph_print(const char *text, size_t at, size_t indent);

/* line.c: reads one line, which is valid until the next call; NULL at the end of input. */
char *line_read(const char *prompt);

/* line.c: columns of the terminal, as far as it told. */
size_t line_columns(void);

/* line_names.c: completes the word before the editor's cursor, and lists names if several fit. */
struct line_edit;
void line_names_complete(struct line_edit *edit);

/* archive.c: the next entry of the archive, from *offset, which is 0 at first. */
enum cpio_result archive_next(size_t *offset, struct cpio_file *file);

/* archive.c: finds FOLDER/NAME, or NAME if it has a slash itself.  Returns CPIO_OK if found. */
enum cpio_result archive_find(const char *folder, const char *name, struct cpio_file *file);

/* archive.c: nonzero: the entry lies in the folder of tests. */
#define ARCHIVE_TESTS "test/"
int archive_has_test(const struct cpio_file *file);

/* archive.c: a name in the archive without a leading "./". */
const char *archive_name(const struct cpio_file *file);

/* program.c: starts a program of the archive; the handle is to be closed.  Nonzero: it could not be
 * started, and the console says why. */
int program_start(const struct cpio_file *file, struct command words, handle_t *process);

/* program.c: runs a program of the archive to its end; Ctrl-C ends it.  Nonzero: it could not be
 * started, and the console says why. */
int program_finish(const struct cpio_file *file, struct command words, struct user_end *end);

/* program.c: runs a program of bin/, words.argv[0], and tells how it ended if not with status 0. */
int program_run(struct command words);

/* jobs.c: starts a program of bin/ and does not wait for it. */
int job_start(struct command words);

/* jobs.c: tells of programs in the background that have ended. */
void jobs_report(void);

/* process.c: the process of a number, or of a name that only one has.  Nonzero: there is none, and
 * the console says so for `who`. */
int process_find(const char *who, const char *word, struct process_info *info);

/* process.c: the same, opened; the handle is to be closed. */
int process_find_open(const char *who, const char *word, struct process_info *info,
                      handle_t *process);

/* process.c: the process with the smallest number above info->number; 0, -SYS_ENOENT if none. */
long process_next(struct process_info *info);

/* process.c: walks the page tables of a process; the caller has set take, its context, last_level
 * and from, and the rest to 0.  Errors: as pt_walk_run. */
struct pt_walk;
long process_walk(handle_t process, struct pt_walk *walk);

/* process.c: the number of a process, 0 if it cannot be told. */
uint32_t process_number(handle_t process);

/* The commands: each returns a status. */
int command_audit(struct command command);
int command_clear(struct command command);
int command_count(struct command command);
int command_counters(struct command command);
int command_devices(struct command command);
int command_echo(struct command command);
int command_free(struct command command);
int command_harts(struct command command);
int command_help(struct command command);
int command_history(struct command command);
int command_kill(struct command command);
int command_ls(struct command command);
int command_poweroff(struct command command);
int command_ps(struct command command);
int command_ptdump(struct command command);
int command_reboot(struct command command);
int command_run_program(struct command command);
int command_selftest(struct command command);
int command_test(struct command command);
int command_time(struct command command);
int command_trace(struct command command);
int command_vmmap(struct command command);
