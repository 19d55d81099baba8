/* SPDX-License-Identifier: MIT */
/* Rows: address spaces, programs, and two processes that take turns. */
#include <string.h>

#include "bench.h"

/* bin/nothing, kept in this program (image.S). */
extern const char nothing_image[];
extern const char nothing_image_end[];

static handle_t other;

/* Until it is killed. */
static int other_run(void *argument)
{
    (void)argument;
    while (sys_yield() == 0) {
    }
    return 1;
}

/* It has run once, so what it does only at first is not counted. */
static long other_start(void)
{
    long status = user_fork_run(other_run, NULL, &other);

    return status != 0 ? status : sys_yield();
}

static void other_stop(void)
{
    struct user_end end;

    (void)sys_process_kill(other);
    (void)user_finish(other, &end);
}

static long yield_run(uint64_t times)
{
    for (uint64_t i = 0; i < times; i++) {
        (void)sys_yield();
    }
    return 0;
}

static long space_run(uint64_t times)
{
    static const char name[] = "empty";
    long status = 0;

    for (uint64_t i = 0; i < times && status == 0; i++) {
        handle_t process = HANDLE_NONE;

        status = sys_process_create((uintptr_t)name, strlen(name), 0, &process);
        if (status == 0) {
            status = sys_handle_close(process);
        }
    }
    return status != 0 ? status : sys_quiesce(user_machine());
}

static long program_run(uint64_t times)
{
    static const char *const argv[] = {"nothing", NULL};
    const struct user_program program = {
        .image = nothing_image,
        .image_bytes = (size_t)(nothing_image_end - nothing_image),
        .name = argv[0],
        .argc = 1,
        .argv = argv,
    };
    long status = 0;

    for (uint64_t i = 0; i < times && status == 0; i++) {
        handle_t process = HANDLE_NONE;
        struct user_end end;

        status = user_spawn(&program, &process);
        if (status == 0) {
            status = user_finish(process, &end);
        }
    }
    return status != 0 ? status : sys_quiesce(user_machine());
}

const struct row rows_process[] = {
    {"yield_process", 5000, 0, other_start, yield_run, other_stop},
    {"space", 500, 0, NULL, space_run, NULL},
    {"program", 200, 0, NULL, program_run, NULL},
    {.name = NULL},
};
