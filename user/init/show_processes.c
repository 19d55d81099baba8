/* SPDX-License-Identifier: MIT */
/* The commands `ps` and `kill`. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "pure/space_rows.h"
#include "shell.h"
#include "vellum/calls.h"

#define SYSCALL(number, name, ...) [number] = #name,
static const char *const calls[] = {
#include "uapi/syscalls.def"
};
#undef SYSCALL

/* A set as "0-3,8", "-" if empty; what does not fit is cut off. */
static void set_text(uint64_t set, char *text, size_t text_bytes)
{
    size_t used = 0;

    (void)snprintf(text, text_bytes, "-");
    for (unsigned first = 0; first < 64 && used < text_bytes; first++) {
        unsigned last = first;

        if ((set >> first & 1) == 0) {
            continue;
        }
        while (last < 63 && (set >> (last + 1) & 1) != 0) {
            last++;
        }
        used +=
            (size_t)snprintf(text + used, text_bytes - used, "%s%u", used == 0 ? "" : ",", first);
        if (last > first && used < text_bytes) {
            used += (size_t)snprintf(text + used, text_bytes - used, "-%u", last);
        }
        first = last;
    }
}

/* A number of frames as a size; "-": no limit. */
static void frames_text(uint64_t frames, char text[SPACE_SIZE_BYTES])
{
    if (frames > UINT64_MAX / VM_PAGE_SIZE) {
        (void)snprintf(text, SPACE_SIZE_BYTES, "-");
    } else {
        space_rows_size_text(frames * VM_PAGE_SIZE, text);
    }
}

static void process_show(const struct process_info *info)
{
    char harts[24];
    char used[SPACE_SIZE_BYTES];
    char limit[SPACE_SIZE_BYTES];

    set_text(info->harts, harts, sizeof(harts));
    frames_text(info->budget_used, used);
    frames_text(info->budget_limit, limit);
    printf("%6" PRIu32 " %6" PRIu32 " %7" PRIu32 " %7" PRIu32 " %7s %7s  %-8s %s\n", info->number,
           info->parent, info->threads, info->handles, used, limit,
           info->ended != 0 ? "ended" : harts, info->name);
}

static void thread_show(const struct process_info *process, const struct thread_info *thread)
{
    char affinity[24];
    char state[48] = "ready";

    set_text(thread->affinity, affinity, sizeof(affinity));
    if (thread->state == THREAD_IS_RUNNING) {
        (void)snprintf(state, sizeof(state), "runs");
    } else if (thread->state == THREAD_IS_WAITING) {
        int is_known = thread->call < sizeof(calls) / sizeof(calls[0]);

        (void)snprintf(state, sizeof(state), "in %s", is_known ? calls[thread->call] : "?");
    }
    printf("%6" PRIu32 " %6" PRIu32 " %5" PRIu32 "  %-10s %-18s %s\n", process->number,
           thread->number, thread->hart, affinity, state, process->name);
}

/* Shows the threads of a process while there is room; returns how many. */
static unsigned threads_show(const struct process_info *process, unsigned room)
{
    struct thread_info thread = {0};
    handle_t handle = HANDLE_NONE;
    unsigned shown = 0;

    if (sys_process_open(user_machine(), process->number, &handle) != 0) {
        return 0; /* it has ended and has no threads */
    }
    while (shown < room && sys_thread_info(handle, thread.number, (uintptr_t)&thread) == 0) {
        thread_show(process, &thread);
        shown++;
    }
    (void)sys_handle_close(handle);
    return shown;
}

int command_ps(struct command command)
{
    struct process_info info = {0};
    int with_threads = command.argc == 2 && strcmp(command.argv[1], "-t") == 0;
    unsigned shown = 0;
    long status = 0;

    if (command.argc > 2 || (command.argc == 2 && !with_threads)) {
        return command_usage("ps");
    }
    printf(with_threads ? "   PID THREAD  HART  MAY USE    DOES               NAME\n"
                        : "   PID PARENT THREADS HANDLES    USED  BUDGET  ON HART  NAME\n");
    while (shown < PROCESSES_MAX && (status = process_next(&info)) == 0) {
        if (with_threads) {
            shown += threads_show(&info, PROCESSES_MAX - shown);
        } else {
            process_show(&info);
            shown++;
        }
    }
    if (shown == PROCESSES_MAX) {
        printf("... and perhaps more: ps shows at most %u rows\n", PROCESSES_MAX);
        return STATUS_OK;
    }
    return status == -SYS_ENOENT ? STATUS_OK : failure_tell("ps", status);
}

int command_kill(struct command command)
{
    struct process_info info;
    handle_t process = HANDLE_NONE;

    if (command.argc != 2) {
        return command_usage("kill");
    }
    int result = process_find("kill", command.argv[1], &info);

    if (result != STATUS_OK) {
        return result;
    }
    if (info.number == process_number(user_self())) {
        printf("kill: %" PRIu32 " is this shell; poweroff turns the machine off\n", info.number);
        return STATUS_USAGE;
    }
    long status = sys_process_open(user_machine(), info.number, &process);

    if (status == 0) {
        status = sys_process_kill(process);
        (void)sys_handle_close(process);
    }
    return status == 0 ? STATUS_OK : failure_tell("kill", status);
}
