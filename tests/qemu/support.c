/* SPDX-License-Identifier: MIT */
/* What the test programs share. */
#include "support.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Written in assembly so that the address of the access is known. */
void touch_read(uint64_t address);
void touch_write(uint64_t address);
void touch_execute(uint64_t address);

__asm__(".text\n"
        ".balign 4\n"
        ".globl touch_read, touch_write, touch_execute\n"
        "touch_read:\n"
        "    lb a0, 0(a0)\n"
        "    ret\n"
        "touch_write:\n"
        "    sb a0, 0(a0)\n"
        "    ret\n"
        "touch_execute:\n"
        "    jr a0\n");

void touch(uint64_t access, uint64_t address)
{
    if (access == ACCESS_READ) {
        touch_read(address);
    } else if (access == ACCESS_WRITE) {
        touch_write(address);
    } else {
        touch_execute(address);
    }
}

uint64_t touch_pc(uint64_t access, uint64_t address)
{
    if (access == ACCESS_READ) {
        return (uintptr_t)touch_read;
    }
    return access == ACCESS_WRITE ? (uintptr_t)touch_write : address;
}

void check_fault(const struct user_end *end, uint64_t access, uint64_t address, const char *what)
{
    uint64_t pc = touch_pc(access, address);
    char text[96];

    static const char *const words[] = {
        [ACCESS_READ] = "READ",
        [ACCESS_WRITE] = "WRITE",
        [ACCESS_EXECUTE] = "EXECUTE",
    };

    tap_expect_log("unhandled %s fault at 0x%" PRIx64 ", pc 0x%" PRIx64, words[access], address,
                   pc);
    int matches = end->reason == EXIT_FAULT && end->detail == address && end->access == access &&
                  end->pc == pc;
    tap_ok(matches, "%s: the process ends by that fault", what);
    if (!matches) {
        user_end_text(end, text, sizeof(text));
        tap_diag("it %s; want access %" PRIu64 " of 0x%" PRIx64 " at pc 0x%" PRIx64, text, access,
                 address, pc);
    }
}

struct touching {
    uint64_t access;
    uint64_t address;
};

static int touch_run(void *argument)
{
    const struct touching *touching = argument;

    touch(touching->access, touching->address);
    return 0;
}

void check_touch(uint64_t access, uint64_t address, const char *what)
{
    struct touching touching = {.access = access, .address = address};
    struct user_end end = {0};
    long status = user_fork_wait(touch_run, &touching, &end);

    if (status != 0) {
        tap_status(status, 0, "%s: a child starts", what);
        return;
    }
    check_fault(&end, access, address, what);
}

void check_child(int (*run)(void *argument), void *argument, uint64_t status, const char *what)
{
    struct user_end end = {0};
    char text[96];
    long error = user_fork_wait(run, argument, &end);

    if (error != 0) {
        tap_status(error, 0, "%s: a child starts", what);
        return;
    }
    if (!tap_ok(end.reason == EXIT_STATUS && end.detail == status, "%s", what)) {
        user_end_text(&end, text, sizeof(text));
        tap_diag("the child %s; want status %" PRIu64, text, status);
    }
}

uint64_t frames_free(void)
{
    struct machine_info machine = {.free_frames = 0};

    (void)sys_quiesce(user_machine());
    (void)sys_machine_info(user_machine(), (uintptr_t)&machine);
    return machine.free_frames;
}

unsigned threads_waiting_in(handle_t process, uint64_t call)
{
    struct thread_info info = {0};
    unsigned count = 0;

    while (sys_thread_info(process, info.number, (uintptr_t)&info) == 0) {
        count += info.state == THREAD_IS_WAITING && info.call == call ? 1 : 0;
    }
    return count;
}

uint64_t counter_value(const char *name)
{
    struct counter_info counter;

    for (uint64_t i = 0; sys_counter_info(user_machine(), i, (uintptr_t)&counter) == 0; i++) {
        if (strcmp(counter.name, name) == 0) {
            return counter.value;
        }
    }
    return 0;
}

void raw_call(struct raw_call *call)
{
    register uint64_t a0 __asm__("a0") = call->args[0];
    register uint64_t a1 __asm__("a1") = call->args[1];
    register uint64_t a2 __asm__("a2") = call->args[2];
    register uint64_t a3 __asm__("a3") = call->args[3];
    register uint64_t a4 __asm__("a4") = call->args[4];
    register uint64_t a5 __asm__("a5") = call->args[5];
    register uint64_t a6 __asm__("a6") = call->args[6];
    register uint64_t a7 __asm__("a7") = call->number;

    __asm__ volatile("ecall"
                     : "+r"(a0), "+r"(a1), "+r"(a2), "+r"(a3), "+r"(a4), "+r"(a5), "+r"(a6),
                       "+r"(a7)
                     :
                     : "t0", "t1", "t2", "t3", "t4", "t5", "t6", "memory");
    const uint64_t out[8] = {a0, a1, a2, a3, a4, a5, a6, a7};
    memcpy(call->out, out, sizeof(out));
}

long raw_status(uint64_t number, const uint64_t args[7])
{
    struct raw_call call = {.number = number};

    memcpy(call.args, args, sizeof(call.args));
    raw_call(&call);
    return (long)call.out[0];
}

long io_find(const char *compatible, struct io_info *info)
{
    for (uint64_t i = 0;; i++) {
        if (sys_io_info(user_machine(), i, (uintptr_t)info) != 0) {
            return -1;
        }
        if (strncmp(info->compatible, compatible, IO_NAME_BYTES) == 0) {
            return (long)i;
        }
    }
}
