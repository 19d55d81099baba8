/* SPDX-License-Identifier: MIT */
/*
 * The first program: the only one that the kernel starts.  Its argv[1], if there, is the text of
 * the kernel's command line after ` -- `: commands to run, after which the machine is turned off
 * with their status.  Without it init is an interactive shell on the console.
 */
#include <inttypes.h>
#include <stdio.h>

#include "init/shell.h"
#include "vellum/calls.h"

#define COMMANDS_BYTES 2048U
#define FRAMES_PER_MIB 256U

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

/* The first thing a person sees: where they are, and what to try. */
static void banner_print(void)
{
    struct machine_info machine;
    uint64_t harts = 0;

    printf("\nVellum");
    if (sys_machine_info(user_machine(), (uintptr_t)&machine) == 0 &&
        sys_hart_get(NULL, &harts) == 0) {
        int running = __builtin_popcountll(harts);

        printf(": Sv%u, %d hart%s, %" PRIu64 " MiB free", (unsigned)machine.levels * 9 + 12,
               running, running == 1 ? "" : "s", machine.free_frames / FRAMES_PER_MIB);
    }
    printf("\n"
           "  help           what one can type; Tab completes, arrows edit\n"
           "  vmmap init     this shell's own address space, drawn\n"
           "  count hello    runs a program, and shows what the kernel did for it\n"
           "Ctrl-C ends a program, Ctrl-D turns the machine off.\n\n");
}

int main(int argc, char **argv)
{
    int status = STATUS_OK;

    if (argc > 1) {
        status = commands_run(argv[1]);
    } else {
        banner_print();
        shell_interact();
    }
    (void)fflush(stdout);
    long error = sys_power_off(user_machine(), (uint64_t)status);
    printf("init: the machine cannot be turned off: error %ld\n", -error);
    return status;
}
