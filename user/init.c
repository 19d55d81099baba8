/* SPDX-License-Identifier: MIT */
/*
 * The first program: the only one that the kernel starts.  Its argv[1], if there, is the text of
 * the kernel's command line after ` -- `: commands to run, after which the machine is turned off
 * with their status.  Without it init is an interactive shell on the console.
 */
#include <stdio.h>

#include "init/shell.h"
#include "vellum/calls.h"

#define COMMANDS_BYTES 2048U

static char commands[COMMANDS_BYTES];

static int commands_run(const char *text)
{
    int length = snprintf(commands, sizeof(commands), "%s", text);
    int status = STATUS_USAGE;

    printf("init: begin\n");
    if (length < 0 || (size_t)length >= sizeof(commands)) {
        printf("init: the commands are longer than %u bytes\n", COMMANDS_BYTES - 1);
    } else {
        status = shell_run(commands);
    }
    printf("init: end\n");
    return status;
}

int main(int argc, char **argv)
{
    int status = STATUS_OK;

    if (argc > 1) {
        status = commands_run(argv[1]);
    } else {
        printf("Vellum. help: what one can type here; Ctrl-D: turns the machine off.\n");
        shell_interact();
    }
    (void)fflush(stdout);
    long error = sys_power_off(user_machine(), (uint64_t)status);
    printf("init: the machine cannot be turned off: error %ld\n", -error);
    return status;
}
