/* SPDX-License-Identifier: MIT */
/* The command selftest: the checks of the machine, in the form in which the kernel prints them. */
#include <inttypes.h>
#include <stdio.h>

#include "shell.h"
#include "vellum/calls.h"

int command_selftest(struct command command)
{
    struct selftest_info info;
    uint64_t index = 0;
    uint64_t wrong = 0;
    long status = 0;

    if (command.argc != 1) {
        return command_usage("selftest");
    }
    printf("selftest: begin\n");
    while ((status = sys_selftest(user_machine(), index, (uintptr_t)&info)) == 0) {
        int is_wrong = info.verdict == SELFTEST_VERDICT_WRONG;

        info.key[SELFTEST_INFO_KEY_BYTES - 1] = '\0';
        info.value[SELFTEST_INFO_VALUE_BYTES - 1] = '\0';
        printf("%s: %s%s\n", info.key, info.value, is_wrong ? " (WRONG)" : "");
        wrong += is_wrong ? 1 : 0;
        index++;
    }
    if (status != -SYS_ENOENT) {
        return failure_tell("selftest", status);
    }
    printf("selftest: %" PRIu64 " facts, %" PRIu64 " wrong\n", index, wrong);
    return wrong == 0 ? STATUS_OK : STATUS_FAILED;
}
