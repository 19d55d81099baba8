/* SPDX-License-Identifier: MIT */
/*
 * The command `trace`: recording on and off, and the dump that scripts/trace2json reads.
 * docs/debugging.md has the format of its lines; all numbers are hexadecimal.  A dump ends the
 * recording first, or it would record itself.
 */
#include "uapi/trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "shell.h"
#include "vellum/calls.h"

#define BATCH                 32U

#define EVENT(id, name, a, b) #id,
static const char *const kinds[] = {
#include "vellum/trace.def"
};
#undef EVENT

/* What the dump has come to. */
struct dump {
    uint64_t harts; /* set of those that run */
    uint64_t events;
    uint64_t lost;
};

static int control(uint64_t mode)
{
    long status = sys_trace_control(user_machine(), mode);

    return status == 0 ? STATUS_OK : failure_tell("trace", status);
}

static void event_print(const struct trace_event *event, uint64_t number)
{
    const char *kind =
        event->kind < sizeof(kinds) / sizeof(kinds[0]) ? kinds[event->kind] : "UNKNOWN";

    printf("trace: %x %" PRIx64 " %" PRIx64 " %" PRIx32 " %s %" PRIx64 " %" PRIx64 "\n",
           (unsigned)event->hart, number, event->ticks, event->thread, kind, event->a, event->b);
}

static long hart_dump(struct dump *dump, uint64_t hart)
{
    struct trace_event events[BATCH];
    uint64_t count = 0;
    uint64_t next = 0;
    uint64_t lost = 0;
    long status;

    do {
        status = sys_trace_read(user_machine(), hart, next, (uintptr_t)events, BATCH, &count, &next,
                                &lost);
        for (uint64_t i = 0; status == 0 && i < count; i++) {
            event_print(&events[i], next - count + i);
        }
        dump->events += count;
        dump->lost += lost;
    } while (status == 0 && count > 0);
    return status;
}

/* The threads of a process that lives, so many at most; returns how many. */
static unsigned threads_name(uint32_t process, unsigned room)
{
    struct thread_info thread = {0};
    handle_t handle = HANDLE_NONE;
    unsigned named = 0;

    if (sys_process_open(user_machine(), process, &handle) != 0) {
        return 0;
    }
    while (named < room && sys_thread_info(handle, thread.number, (uintptr_t)&thread) == 0) {
        printf("trace: thread %" PRIx32 " %" PRIx32 "\n", thread.number, process);
        named++;
    }
    (void)sys_handle_close(handle);
    return named;
}

/* Names of the processes that there are; those that have ended are named by events, if at all.
 * Returns how many lines that were. */
static unsigned processes_name(void)
{
    struct process_info process = {0};
    unsigned named = 0;

    while (named < PROCESSES_MAX && process_next(&process) == 0) {
        printf("trace: process %" PRIx32 " %s\n", process.number, process.name);
        named++;
        if (process.ended == 0) {
            named += threads_name(process.number, PROCESSES_MAX - named);
        }
    }
    return named;
}

static int dump_all(void)
{
    struct machine_info machine = {0};
    struct dump dump = {0};
    long status = sys_machine_info(user_machine(), (uintptr_t)&machine);

    if (status == 0) {
        status = sys_hart_get(NULL, &dump.harts);
    }
    printf("trace: begin %" PRIx64 " %" PRIx64 "\n", machine.timebase_hz, dump.harts);
    unsigned named = processes_name();
    for (uint64_t hart = 0; status == 0 && dump.harts >> hart != 0; hart++) {
        if ((dump.harts >> hart & 1) != 0) {
            status = hart_dump(&dump, hart);
        }
    }
    printf("trace: end %" PRIx64 " %" PRIx64 "\n", dump.events, dump.lost);
    if (named == PROCESSES_MAX) {
        printf("... and perhaps more: trace names at most %u processes and threads\n", named);
    }
    return status == 0 ? STATUS_OK : failure_tell("trace", status);
}

int command_trace(struct command command)
{
    const char *what = command.argc == 2 ? command.argv[1] : "";

    if (strcmp(what, "on") == 0) {
        return control(TRACE_ON);
    }
    if (strcmp(what, "off") == 0) {
        return control(TRACE_OFF);
    }
    if (strcmp(what, "dump") == 0) {
        return control(TRACE_OFF) == STATUS_OK ? dump_all() : STATUS_FAILED;
    }
    return command_usage("trace");
}
