/* SPDX-License-Identifier: MIT */
/*
 * Finding processes.  They come and go while one looks, so a number found may be gone when it is
 * used: every caller copes with ESRCH.
 */
#include "shell.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pure/pt_walk.h"
#include "vellum/calls.h"

long process_next(struct process_info *info)
{
    long status = sys_process_info(user_machine(), info->number, (uintptr_t)info);

    info->name[PROCESS_NAME_BYTES - 1] = '\0';
    return status;
}

uint32_t process_number(handle_t process)
{
    uint64_t number = 0;

    (void)sys_handle_info(process, NULL, NULL, &number);
    return (uint32_t)number;
}

static int find_number(const char *who, uint64_t number, struct process_info *info)
{
    *info = (struct process_info){.number = (uint32_t)(number - 1)};
    long status = number == 0 || number > UINT32_MAX ? -SYS_ENOENT : process_next(info);

    if (status != 0 && status != -SYS_ENOENT) {
        return failure_tell(who, status);
    }
    if (status != 0 || info->number != number) {
        printf("%s: no process has the number %" PRIu64 "; ps shows those there are\n", who,
               number);
        return STATUS_NOT_FOUND;
    }
    return STATUS_OK;
}

static int find_name(const char *who, const char *name, struct process_info *info)
{
    struct process_info next = {0};
    unsigned found = 0;
    unsigned seen = 0;
    long status = 0;

    while (seen < PROCESSES_MAX && (status = process_next(&next)) == 0) {
        seen++;
        if (next.ended == 0 && strcmp(next.name, name) == 0) {
            *info = next;
            found++;
        }
    }
    if (seen == PROCESSES_MAX) {
        printf("%s: there are %u processes or more; take a number that ps shows\n", who, seen);
        return STATUS_USAGE;
    }
    if (status != -SYS_ENOENT) {
        return failure_tell(who, status);
    }
    if (found == 0) {
        printf("%s: no process has the name %s; ps shows those there are\n", who, name);
        return STATUS_NOT_FOUND;
    }
    if (found > 1) {
        printf("%s: %u processes have the name %s; take a number that ps shows\n", who, found,
               name);
        return STATUS_USAGE;
    }
    return STATUS_OK;
}

int process_find(const char *who, const char *word, struct process_info *info)
{
    char *end = NULL;
    uint64_t number = strtoull(word, &end, 10);

    if (end != word && *end == '\0') {
        return find_number(who, number, info);
    }
    return find_name(who, word, info);
}

int process_find_open(const char *who, const char *word, struct process_info *info,
                      handle_t *process)
{
    int result = process_find(who, word, info);

    if (result == STATUS_OK) {
        long status = sys_process_open(user_machine(), info->number, process);

        result = status == 0 ? STATUS_OK : failure_tell(who, status);
    }
    return result;
}

/* Reads a whole node; context: the process's handle. */
static long node_read(void *context, uint64_t address, unsigned level, uint64_t *entries,
                      uint64_t *physical)
{
    const handle_t *process = context;
    uint64_t done = 0;
    long status = 0;

    while (status == 0 && done < PT_ENTRIES) {
        uint64_t copied = 0;

        status = sys_vm_table(user_machine(), *process, address, level, done,
                              (uintptr_t)(entries + done), PT_ENTRIES - done, &copied, physical);
        done += copied;
    }
    return status;
}

/* The nodes lie on the stack, of which the shell has 64 KiB: pages mapped for them would be in the
 * picture when the shell looks at itself. */
long process_walk(handle_t process, struct pt_walk *walk)
{
    uint64_t entries[PT_LEVELS_MAX][PT_ENTRIES];
    struct machine_info machine;
    long status = sys_machine_info(user_machine(), (uintptr_t)&machine);

    if (status != 0) {
        return status;
    }
    walk->read = node_read;
    walk->read_context = &process;
    walk->levels = (unsigned)machine.levels;
    walk->limit = machine.user_limit;
    walk->entries = entries;
    return pt_walk_run(walk);
}
