/* SPDX-License-Identifier: MIT */
/* The commands that show or ask something; the larger ones have files of their own. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shell.h"
#include "vellum/calls.h"

#define KIB_PER_FRAME 4

int command_ls(struct command command)
{
    struct cpio_file file;
    size_t offset = 0;
    enum cpio_result result = CPIO_OK;

    (void)command;
    while ((result = archive_next(&offset, &file)) == CPIO_OK) {
        printf("%06" PRIo32 " %9zu %s\n", file.mode, file.bytes, archive_name(&file));
    }
    if (result == CPIO_DAMAGED) {
        printf("ls: the archive is damaged at byte %zu\n", offset);
        return STATUS_FAILED;
    }
    return STATUS_OK;
}

int command_free(struct command command)
{
    struct machine_info machine;
    long status = sys_machine_info(user_machine(), (uintptr_t)&machine);

    (void)command;
    if (status != 0) {
        printf("free: %s\n", strerror((int)-status));
        return STATUS_FAILED;
    }
    printf("%" PRIu64 " KiB free of %" PRIu64 " KiB (%" PRIu64 " of %" PRIu64 " frames)\n",
           machine.free_frames * KIB_PER_FRAME, machine.total_frames * KIB_PER_FRAME,
           machine.free_frames, machine.total_frames);
    return STATUS_OK;
}

int command_harts(struct command command)
{
    uint64_t harts = 0;
    long status = sys_hart_get(NULL, &harts);

    (void)command;
    for (uint64_t hart = 0; status == 0 && harts >> hart != 0; hart++) {
        struct hart_info info;

        status = sys_hart_info(user_machine(), hart, (uintptr_t)&info);
        if (status == -SYS_ENOENT) {
            status = 0; /* one that does not run has an index too */
            continue;
        }
        info.name[PROCESS_NAME_BYTES - 1] = '\0';
        if (status == 0 && info.thread == 0) {
            printf("%2" PRIu64 " idle\n", hart);
        } else if (status == 0) {
            printf("%2" PRIu64 " thread %" PRIu32 " of %s (%" PRIu32 "), %" PRIu64 " ready\n", hart,
                   info.thread, info.name, info.process, info.ready);
        }
    }
    if (status != 0) {
        printf("harts: %s\n", strerror((int)-status));
    }
    return status == 0 ? STATUS_OK : STATUS_FAILED;
}

int command_counters(struct command command)
{
    const char *filter = command.argc > 1 ? command.argv[1] : "";
    struct counter_info counter;
    long status = 0;

    for (uint64_t i = 0; status == 0; i++) {
        status = sys_counter_info(user_machine(), i, (uintptr_t)&counter);
        counter.name[COUNTER_NAME_BYTES - 1] = '\0';
        if (status == 0 && strstr(counter.name, filter) != NULL) {
            printf("%12" PRIu64 " %s\n", counter.value, counter.name);
        }
    }
    return status == -SYS_ENOENT ? STATUS_OK : STATUS_FAILED;
}

int command_devices(struct command command)
{
    struct io_info region;
    long status = 0;

    (void)command;
    for (uint64_t i = 0; status == 0; i++) {
        status = sys_io_info(user_machine(), i, (uintptr_t)&region);
        region.compatible[IO_NAME_BYTES - 1] = '\0';
        if (status == 0) {
            printf("%2" PRIu64 " 0x%010" PRIx64 " 0x%08" PRIx64 " %s\n", i, region.base,
                   region.bytes, region.compatible);
        }
    }
    return status == -SYS_ENOENT ? STATUS_OK : STATUS_FAILED;
}

int command_echo(struct command command)
{
    for (int i = 1; i < command.argc; i++) {
        printf("%s%s", i > 1 ? " " : "", command.argv[i]);
    }
    printf("\n");
    return STATUS_OK;
}

int command_poweroff(struct command command)
{
    uint64_t status = 0;

    if (command.argc > 1) {
        char *end = NULL;

        status = strtoull(command.argv[1], &end, 0);
        if (command.argc > 2 || end == command.argv[1] || *end != '\0' || status > STATUS_MAX) {
            printf("usage: poweroff [STATUS], a number from 0 to %d\n", STATUS_MAX);
            return STATUS_USAGE;
        }
    }
    (void)fflush(stdout);
    long error = sys_power_off(user_machine(), status);
    printf("poweroff: %s\n", strerror((int)-error));
    return STATUS_FAILED;
}
