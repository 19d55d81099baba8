/* SPDX-License-Identifier: MIT */
/*
 * Every call that takes a handle, with numbers that are no handles, with handles of the wrong type
 * (EBADF), and with one that lacks the right it needs (EACCES).  Everything else about the call is
 * as it should be, so the handle is what is refused.
 */
#include "support.h"

#define ANY         0
#define CALL_MAP_IO 16

#define SPACE       (PLACE + 16 * PAGE) /* free in every process here */

struct call {
    const char *name;
    uint64_t number;
    int at;        /* the argument under test          */
    uint64_t type; /* HANDLE_*, or ANY                 */
    uint64_t right;
    uint64_t args[7];
};

/* Sample handles by type, also for the other handle of a call. */
static handle_t samples[HANDLE_MEMORY + 1];

/* Arguments that stand for sample handles. */
#define PROCESS (UINT64_C(0xabcd) << 48 | HANDLE_PROCESS)
#define IO      (UINT64_C(0xabcd) << 48 | HANDLE_IO)
#define MACHINE (UINT64_C(0xabcd) << 48 | HANDLE_MACHINE)
#define CONSOLE (UINT64_C(0xabcd) << 48 | HANDLE_CONSOLE)
#define MEMORY  (UINT64_C(0xabcd) << 48 | HANDLE_MEMORY)
#define TESTED  0

static uint64_t buffer[64];

#define BUFFER 1 /* stands for the address of buffer */

static const struct call calls[] = {
    {"console_write", 1, 0, HANDLE_CONSOLE, RIGHT_WRITE, {TESTED, BUFFER, 0}},
    {"console_read", 2, 0, HANDLE_CONSOLE, RIGHT_READ, {TESTED, BUFFER, 0}},
    {"handle_close", 3, 0, ANY, 0, {TESTED}},
    {"handle_duplicate", 4, 0, ANY, RIGHT_DUPLICATE, {TESTED, 0}},
    {"handle_info", 5, 0, ANY, 0, {TESTED}},
    {"handle_transfer, to", 6, 0, HANDLE_PROCESS, RIGHT_MANAGE, {TESTED, CONSOLE, 0}},
    {"handle_transfer, what", 6, 1, ANY, RIGHT_TRANSFER, {PROCESS, TESTED, 0}},
    {"process_kill", 9, 0, HANDLE_PROCESS, RIGHT_MANAGE, {TESTED}},
    {"process_wait", 10, 0, HANDLE_PROCESS, RIGHT_READ, {TESTED}},
    {"thread_start", 11, 0, HANDLE_PROCESS, RIGHT_EXECUTE, {TESTED, SPACE, SPACE, 0, 0}},
    {"thread_wait", 13, 0, HANDLE_THREAD, RIGHT_READ, {TESTED}},
    {"vm_map", 15, 0, HANDLE_PROCESS, RIGHT_MAP, {TESTED, SPACE, PAGE, RW}},
    {"vm_map_io, space",
     16,
     0,
     HANDLE_PROCESS,
     RIGHT_MAP,
     {TESTED, SPACE, PAGE, VM_PROT_R, 0, IO, 0}},
    {"vm_map_io, region",
     16,
     5,
     HANDLE_IO,
     RIGHT_MAP,
     {PROCESS, SPACE, PAGE, VM_PROT_R, 0, TESTED, 0}},
    {"vm_unmap", 17, 0, HANDLE_PROCESS, RIGHT_MAP, {TESTED, SPACE, PAGE}},
    {"vm_protect", 18, 0, HANDLE_PROCESS, RIGHT_MAP, {TESTED, SPACE, PAGE, RW}},
    {"vm_query", 19, 0, HANDLE_PROCESS, RIGHT_READ, {TESTED, SPACE}},
    {"vm_find_next", 20, 0, HANDLE_PROCESS, RIGHT_READ, {TESTED, SPACE, PAGE}},
    {"vm_read", 21, 0, HANDLE_PROCESS, RIGHT_READ, {TESTED, SPACE, BUFFER, 8}},
    {"vm_write", 22, 0, HANDLE_PROCESS, RIGHT_WRITE, {TESTED, SPACE, BUFFER, 8}},
    {"machine_info", 24, 0, HANDLE_MACHINE, RIGHT_READ, {TESTED, BUFFER}},
    {"counter_info", 25, 0, HANDLE_MACHINE, RIGHT_READ, {TESTED, 0, BUFFER}},
    {"io_info", 26, 0, HANDLE_MACHINE, RIGHT_READ, {TESTED, 0, BUFFER}},
    {"io_open", 27, 0, HANDLE_MACHINE, RIGHT_MAP, {TESTED, 0}},
    {"quiesce", 28, 0, HANDLE_MACHINE, RIGHT_MANAGE, {TESTED}},
    {"power_off", 29, 0, HANDLE_MACHINE, RIGHT_MANAGE, {TESTED, 99}},
    {"selftest", 61, 0, HANDLE_MACHINE, RIGHT_MANAGE, {TESTED, 0, BUFFER}},
    {"vm_check, machine", 30, 0, HANDLE_MACHINE, RIGHT_MANAGE, {TESTED, PROCESS}},
    {"vm_check, process", 30, 1, HANDLE_PROCESS, RIGHT_READ, {MACHINE, TESTED}},
    {"process_info", 37, 0, HANDLE_MACHINE, RIGHT_READ, {TESTED, 0, BUFFER}},
    {"process_open", 38, 0, HANDLE_MACHINE, RIGHT_MANAGE, {TESTED, 2}},
    {"thread_info", 39, 0, HANDLE_PROCESS, RIGHT_READ, {TESTED, 0, BUFFER}},
    {"vm_ranges", 40, 0, HANDLE_PROCESS, RIGHT_READ, {TESTED, SPACE, PAGE, BUFFER, 2}},
    {"vm_table, machine",
     41,
     0,
     HANDLE_MACHINE,
     RIGHT_READ,
     {TESTED, PROCESS, SPACE, 0, 0, BUFFER, 2}},
    {"vm_table, process",
     41,
     1,
     HANDLE_PROCESS,
     RIGHT_READ,
     {MACHINE, TESTED, SPACE, 0, 0, BUFFER, 2}},
    {"trace_control", 42, 0, HANDLE_MACHINE, RIGHT_MANAGE, {TESTED, 0}},
    {"trace_read", 43, 0, HANDLE_MACHINE, RIGHT_READ, {TESTED, 0, 0, BUFFER, 8}},
    {"vm_mark", 46, 0, HANDLE_PROCESS, RIGHT_MAP, {TESTED, SPACE, PAGE, VM_KIND_RESERVED, RW}},
    {"vm_clone, from, MAP",
     47,
     0,
     HANDLE_PROCESS,
     RIGHT_MAP,
     {TESTED, PROCESS, SPACE, PAGE, SPACE}},
    {"vm_clone, from, READ",
     47,
     0,
     HANDLE_PROCESS,
     RIGHT_READ,
     {TESTED, PROCESS, SPACE, PAGE, SPACE}},
    {"vm_clone, to", 47, 1, HANDLE_PROCESS, RIGHT_MAP, {PROCESS, TESTED, SPACE, PAGE, SPACE}},
    {"memory_info", 49, 0, HANDLE_MEMORY, 0, {TESTED}},
    {"memory_resize", 50, 0, HANDLE_MEMORY, RIGHT_MANAGE, {TESTED, PAGE}},
    {"memory_read", 51, 0, HANDLE_MEMORY, RIGHT_READ, {TESTED, 0, BUFFER, 8}},
    {"memory_write", 52, 0, HANDLE_MEMORY, RIGHT_WRITE, {TESTED, 0, BUFFER, 8}},
    {"memory_map, space", 53, 0, HANDLE_PROCESS, RIGHT_MAP, {TESTED, SPACE, PAGE, RW, 0, MEMORY}},
    {"memory_map, MAP", 53, 5, HANDLE_MEMORY, RIGHT_MAP, {PROCESS, SPACE, PAGE, RW, 0, TESTED}},
    {"memory_map, READ", 53, 5, HANDLE_MEMORY, RIGHT_READ, {PROCESS, SPACE, PAGE, RW, 0, TESTED}},
    {"memory_map, WRITE", 53, 5, HANDLE_MEMORY, RIGHT_WRITE, {PROCESS, SPACE, PAGE, RW, 0, TESTED}},
    {"memory_map, EXECUTE",
     53,
     5,
     HANDLE_MEMORY,
     RIGHT_EXECUTE,
     {PROCESS, SPACE, PAGE, VM_PROT_R | VM_PROT_X, 0, TESTED}},
    {"vm_move, from, MAP", 54, 0, HANDLE_PROCESS, RIGHT_MAP, {TESTED, PROCESS, SPACE, PAGE, SPACE}},
    {"vm_move, from, READ",
     54,
     0,
     HANDLE_PROCESS,
     RIGHT_READ,
     {TESTED, PROCESS, SPACE, PAGE, SPACE}},
    {"vm_move, to", 54, 1, HANDLE_PROCESS, RIGHT_MAP, {PROCESS, TESTED, SPACE, PAGE, SPACE}},
    {"vm_txn", 59, 0, HANDLE_PROCESS, RIGHT_MAP, {TESTED, BUFFER, 1}},
    {"reboot", 60, 0, HANDLE_MACHINE, RIGHT_MANAGE, {TESTED}},
};

static long call_with(const struct call *call, uint64_t handle)
{
    uint64_t args[7];

    for (int i = 0; i < 7; i++) {
        args[i] = call->args[i];
        if (args[i] >> 48 == 0xabcd) {
            args[i] = samples[args[i] & 0xff];
        } else if (args[i] == BUFFER) {
            args[i] = (uintptr_t)buffer;
        }
    }
    args[call->at] = handle;
    return raw_status(call->number, args);
}

static unsigned handle_try(const struct call *call, uint64_t handle, long want, const char *what)
{
    long got = call_with(call, handle);

    if (got != want) {
        tap_diag("%s, %s: got %ld, want %ld", call->name, what, got, want);
    }
    return got == want ? 0 : 1;
}

static void call_try(const struct call *call, handle_t stale)
{
    unsigned bad = 0;
    handle_t weak = HANDLE_NONE;

    bad += handle_try(call, HANDLE_NONE, -SYS_EBADF, "none");
    bad += handle_try(call, UINT32_MAX, -SYS_EBADF, "the largest number");
    bad += handle_try(call, UINT64_MAX, -SYS_EBADF, "all bits");
    bad += handle_try(call, stale, -SYS_EBADF, "a closed one");
    bad += handle_try(call, user_self() | UINT64_C(1) << 32, -SYS_EBADF, "a bit above");
    for (uint64_t type = HANDLE_PROCESS; type <= HANDLE_MEMORY; type++) {
        if (call->type != ANY && type != call->type && samples[type] != HANDLE_NONE) {
            bad += handle_try(call, samples[type], -SYS_EBADF, "another type");
        }
    }
    uint64_t type = call->type == ANY ? HANDLE_PROCESS : call->type;
    if (call->right != 0 && samples[type] != HANDLE_NONE) {
        long status = sys_handle_duplicate(samples[type], RIGHT_ALL & ~call->right, &weak);

        bad += status == 0 ? 0 : 1;
        bad += handle_try(call, weak, -SYS_EACCES, "without the right");
        bad += handle_try(call, weak, -SYS_EACCES, "without the right, again");
        (void)sys_handle_close(weak);
    }
    tap_ok(bad == 0, "%s", call->name);
}

int main(void)
{
    handle_t stale = HANDLE_NONE;
    struct user_end end;

    tap_status(sys_process_create((uintptr_t) "target", 6, 0, &samples[HANDLE_PROCESS]), 0,
               "a process to aim at");
    tap_status(sys_handle_duplicate(user_self(), RIGHT_ALL, &stale), 0, "a handle");
    tap_status(
        sys_thread_start(samples[HANDLE_PROCESS], SPACE, SPACE, 0, 0, &samples[HANDLE_THREAD]), 0,
        "a thread, which faults at once");
    tap_status(sys_thread_wait(samples[HANDLE_THREAD], WAIT_FOREVER), 0, "it ends");
    (void)sys_handle_close(samples[HANDLE_PROCESS]);
    tap_status(sys_process_create((uintptr_t) "target", 6, 0, &samples[HANDLE_PROCESS]), 0,
               "another process to aim at");
    if (sys_io_open(user_machine(), 0, &samples[HANDLE_IO]) != 0) {
        samples[HANDLE_IO] = HANDLE_NONE;
    }
    tap_status(sys_memory_create(PAGE, 0, &samples[HANDLE_MEMORY]), 0, "a memory object");
    samples[HANDLE_CONSOLE] = user_console();
    samples[HANDLE_MACHINE] = user_machine();
    (void)sys_handle_close(stale);

    for (size_t i = 0; i < COUNT_OF(calls); i++) {
        if (calls[i].number == CALL_MAP_IO && samples[HANDLE_IO] == HANDLE_NONE) {
            tap_ok(1, "%s # SKIP the machine has no I/O region", calls[i].name);
        } else {
            call_try(&calls[i], stale);
        }
    }
    tap_status(sys_vm_find_next(samples[HANDLE_PROCESS], 0, user_limit(), NULL), -SYS_ENOENT,
               "nothing was mapped in the target");
    (void)sys_process_kill(samples[HANDLE_PROCESS]);
    (void)user_finish(samples[HANDLE_PROCESS], &end);
    (void)sys_handle_close(samples[HANDLE_THREAD]);
    (void)sys_handle_close(samples[HANDLE_IO]);
    (void)sys_handle_close(samples[HANDLE_MEMORY]);
    return tap_done();
}
