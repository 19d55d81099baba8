/* SPDX-License-Identifier: MIT */
/* The small commands of the shell itself: echo, time, poweroff, reboot. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "shell.h"
#include "vellum/calls.h"

int command_echo(struct command command)
{
    for (int i = 1; i < command.argc; i++) {
        printf("%s%s", i > 1 ? " " : "", command.argv[i]);
    }
    printf("\n");
    return STATUS_OK;
}

/* The machine's clock goes on whatever the harts do; under QEMU it is the host's, so it says little
 * about the program and nothing about hardware. */
int command_time(struct command command)
{
    uint64_t before = 0;
    uint64_t after = 0;

    if (command.argc < 2) {
        return command_usage("time");
    }
    struct command rest = {.argc = command.argc - 1, .argv = command.argv + 1};

    (void)sys_time_get(&before, NULL);
    int result = command_run(rest);

    (void)sys_time_get(&after, NULL);
    printf("%s took %" PRIu64 ".%03" PRIu64 " ms by the machine's clock\n", rest.argv[0],
           (after - before) / 1000000, (after - before) / 1000 % 1000);
    return result;
}

int command_poweroff(struct command command)
{
    uint64_t status = 0;

    if (command.argc > 1) {
        char *end = NULL;

        status = strtoull(command.argv[1], &end, 0);
        if (command.argc > 2 || end == command.argv[1] || *end != '\0' || status > STATUS_MAX) {
            printf("poweroff: the status is a number from 0 to %d\n", STATUS_MAX);
            return command_usage("poweroff");
        }
    }
    (void)fflush(stdout);
    return failure_tell("poweroff", sys_power_off(user_machine(), status));
}

int command_reboot(struct command command)
{
    if (command.argc > 1) {
        return command_usage("reboot");
    }
    (void)fflush(stdout);
    long status = sys_reboot(user_machine());

    if (status == -SYS_ENOTSUP) {
        printf("reboot: this machine's firmware cannot; switch it off and on by hand\n");
        return STATUS_FAILED;
    }
    return failure_tell("reboot", status);
}
