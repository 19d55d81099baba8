/* SPDX-License-Identifier: MIT */
/*
 * The command `test`: runs test programs one after another and reports them as TAP 14, each as a
 * subtest that prints its own lines.  A program passes if it exits with status 0, the machine then
 * has as many free frames as before, and the kernel's audit finds nothing wrong.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "shell.h"
#include "vellum/calls.h"

struct tally {
    unsigned count;
    unsigned failed;
    int is_stopped; /* a test was killed: whoever typed Ctrl-C does not want the others */
};

static uint64_t frames_free(void)
{
    struct machine_info machine = {.free_frames = 0};

    (void)sys_quiesce(user_machine());
    (void)sys_machine_info(user_machine(), (uintptr_t)&machine);
    return machine.free_frames;
}

/* Nonzero: the program passed; else a comment says why not. */
static int test_passes(struct tally *tally, const struct cpio_file *file, const char *name)
{
    const char *const argv[] = {name, NULL};
    struct user_end end;
    char text[96];
    int passes = 1;
    uint64_t before = frames_free();

    if (program_finish(file, (struct command){.argc = 1, .argv = argv}, &end) != STATUS_OK) {
        return 0;
    }
    if (end.reason == EXIT_KILLED) {
        printf("# %s was killed; ps shows whether processes that it made live on\n", name);
        tally->is_stopped = 1;
        return 0;
    }
    uint64_t after = frames_free();
    long audit = sys_vm_check(user_machine(), user_self());
    if (end.reason != EXIT_STATUS || end.detail != 0) {
        user_end_text(&end, text, sizeof(text));
        printf("# %s %s\n", name, text);
        passes = 0;
    }
    if (after != before) {
        printf("# %s: %" PRIu64 " frames were free before, %" PRIu64 " are after\n", name, before,
               after);
        passes = 0;
    }
    if (audit != 0) {
        printf("# %s: the kernel's audit fails: %s\n", name, strerror((int)-audit));
        passes = 0;
    }
    return passes;
}

static void test_report(struct tally *tally, const struct cpio_file *file)
{
    const char *name = archive_name(file) + strlen(ARCHIVE_TESTS);

    printf("# Subtest: %s\n", name);
    int passes = test_passes(tally, file, name);
    tally->count++;
    tally->failed += passes ? 0 : 1;
    printf("%s %u - %s\n", passes ? "ok" : "not ok", tally->count, name);
}

static void tests_all(struct tally *tally)
{
    struct cpio_file file;
    unsigned planned = 0;

    for (size_t offset = 0; archive_next(&offset, &file) == CPIO_OK;) {
        planned += archive_has_test(&file) ? 1 : 0;
    }
    printf("TAP version 14\n1..%u\n", planned);
    for (size_t offset = 0; !tally->is_stopped && archive_next(&offset, &file) == CPIO_OK;) {
        if (archive_has_test(&file)) {
            test_report(tally, &file);
        }
    }
}

/* Finds a test by its name, with or without the t_ in front. */
static int test_find(const char *word, struct cpio_file *file)
{
    char name[64];

    (void)snprintf(name, sizeof(name), "t_%s", word);
    return (archive_find("test", word, file) == CPIO_OK && archive_has_test(file)) ||
           (archive_find("test", name, file) == CPIO_OK && archive_has_test(file));
}

static int tests_named(struct tally *tally, struct command command)
{
    struct cpio_file file;

    for (int i = 1; i < command.argc; i++) {
        if (!test_find(command.argv[i], &file)) {
            printf("%s: no such test; ls shows those there are\n", command.argv[i]);
            return STATUS_NOT_FOUND;
        }
    }
    printf("TAP version 14\n1..%d\n", command.argc - 1);
    for (int i = 1; i < command.argc && !tally->is_stopped; i++) {
        (void)test_find(command.argv[i], &file);
        test_report(tally, &file);
    }
    return STATUS_OK;
}

int command_test(struct command command)
{
    struct tally tally = {0};

    if (command.argc == 1) {
        tests_all(&tally);
    } else if (tests_named(&tally, command) != STATUS_OK) {
        return STATUS_NOT_FOUND;
    }
    if (tally.is_stopped) {
        printf("Bail out! A test was killed\n");
    }
    printf("tests: %u passed, %u failed\n", tally.count - tally.failed, tally.failed);
    return tally.failed == 0 && tally.count > 0 ? STATUS_OK : STATUS_FAILED;
}
