/* SPDX-License-Identifier: MIT */
/* The commands that show the machine and what it holds: ls, free, harts, devices, audit. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "pure/words.h"
#include "shell.h"
#include "vellum/calls.h"

#define KIB_PER_FRAME 4
#define LS_NAME_BYTES 256U /* what is longer is cut off */

/* Lists the files of the folder of tests, or all others. */
static enum cpio_result files_list(int are_tests, size_t *offset)
{
    struct cpio_file file;
    char name[LS_NAME_BYTES];
    enum cpio_result result = CPIO_OK;

    *offset = 0;
    while ((result = archive_next(offset, &file)) == CPIO_OK) {
        if (archive_has_test(&file) == are_tests) {
            int fits = words_plain(archive_name(&file), name, sizeof(name));

            printf("%06" PRIo32 " %9zu %s%s\n", file.mode, file.bytes, name, fits ? "" : "...");
        }
    }
    return result;
}

int command_ls(struct command command)
{
    size_t offset = 0;

    if (command.argc != 1) {
        return command_usage("ls");
    }
    enum cpio_result result = files_list(0, &offset);

    if (result == CPIO_END) {
        printf("tests, for the command test:\n");
        result = files_list(1, &offset);
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

    if (command.argc != 1) {
        return command_usage("free");
    }
    long status = sys_machine_info(user_machine(), (uintptr_t)&machine);

    if (status != 0) {
        return failure_tell("free", status);
    }
    printf("%" PRIu64 " KiB free of %" PRIu64 " KiB (%" PRIu64 " of %" PRIu64 " frames)\n",
           machine.free_frames * KIB_PER_FRAME, machine.total_frames * KIB_PER_FRAME,
           machine.free_frames, machine.total_frames);
    return STATUS_OK;
}

static void hart_show(uint64_t hart, struct hart_info *info)
{
    info->name[PROCESS_NAME_BYTES - 1] = '\0';
    if (info->thread == 0) {
        printf("%2" PRIu64 " idle\n", hart);
    } else {
        printf("%2" PRIu64 " thread %" PRIu32 " of %s (%" PRIu32 "), %" PRIu64 " ready\n", hart,
               info->thread, info->name, info->process, info->ready);
    }
}

int command_harts(struct command command)
{
    uint64_t harts = 0;

    if (command.argc != 1) {
        return command_usage("harts");
    }
    long status = sys_hart_get(NULL, &harts);

    for (uint64_t hart = 0; status == 0 && hart < 64 && harts >> hart != 0; hart++) {
        struct hart_info info;

        if ((harts >> hart & 1) == 0) {
            continue; /* one that does not run has an index too */
        }
        status = sys_hart_info(user_machine(), hart, (uintptr_t)&info);
        if (status == 0) {
            hart_show(hart, &info);
        }
    }
    return status == 0 ? STATUS_OK : failure_tell("harts", status);
}

int command_devices(struct command command)
{
    struct io_info region;
    long status = 0;

    if (command.argc != 1) {
        return command_usage("devices");
    }
    for (uint64_t i = 0; status == 0; i++) {
        status = sys_io_info(user_machine(), i, (uintptr_t)&region);
        region.compatible[IO_NAME_BYTES - 1] = '\0';
        if (status == 0) {
            printf("%2" PRIu64 " 0x%010" PRIx64 " 0x%08" PRIx64 " %s\n", i, region.base,
                   region.bytes, region.compatible);
        }
    }
    return status == -SYS_ENOENT ? STATUS_OK : failure_tell("devices", status);
}

/* Audits one process; 1: something is wrong, 0: nothing, or it has ended meanwhile. */
static unsigned process_audit(const struct process_info *info)
{
    handle_t process = HANDLE_NONE;
    long status = sys_process_open(user_machine(), info->number, &process);

    if (status == 0) {
        status = sys_vm_check(user_machine(), process);
        (void)sys_handle_close(process);
    }
    if (status == -SYS_ESRCH) {
        printf("%6" PRIu32 " %s: ended\n", info->number, info->name);
        return 0;
    }
    printf("%6" PRIu32 " %s: %s\n", info->number, info->name,
           status == 0 ? "well" : strerror((int)-status));
    return status == 0 ? 0 : 1;
}

int command_audit(struct command command)
{
    struct process_info info = {0};
    struct machine_info machine;
    unsigned wrong = 0;
    unsigned seen = 0;
    long status = 0;

    if (command.argc != 1) {
        return command_usage("audit");
    }
    while (seen < PROCESSES_MAX && (status = process_next(&info)) == 0) {
        wrong += process_audit(&info);
        seen++;
    }
    if (seen == PROCESSES_MAX) {
        printf("... and perhaps more: audit looks at %u processes at most\n", seen);
    }
    if (seen == PROCESSES_MAX || status == -SYS_ENOENT) {
        status = sys_quiesce(user_machine());
    }
    if (status == 0) {
        status = sys_machine_info(user_machine(), (uintptr_t)&machine);
    }
    if (status != 0) {
        return failure_tell("audit", status);
    }
    printf("no memory waits to be freed; %" PRIu64 " frames are free\n", machine.free_frames);
    printf("audit: %s\n", wrong == 0 ? "all is well" : "something is wrong; see above");
    return wrong == 0 ? STATUS_OK : STATUS_FAILED;
}
