/* SPDX-License-Identifier: MIT */
/*
 * Every kind of bad pointer on every call that takes one: the call answers with EFAULT or ERANGE,
 * the program goes on, and neighbouring memory is as it was.
 */
#include <inttypes.h>
#include <string.h>

#include "support.h"

enum {
    CONSOLE = 1,
    MACHINE,
    SELF,
    OBJECT,
}; /* stand for handles in the table */

/* A call that reads or writes `bytes` bytes at argument `at`; bytes_at: the argument that says how
 * many, or -1 where the call fixes it. */
struct call {
    const char *name;
    uint64_t number;
    int handle;
    int at;
    int bytes_at;
    uint64_t bytes;
    uint64_t access;
    uint64_t other; /* argument 1, where that is not the pointer */
};

static const struct call calls[] = {
    {"console_write", 1, CONSOLE, 1, 2, 64, ACCESS_READ, 0},
    {"process_create", 7, 0, 0, 1, 24, ACCESS_READ, 0},
    {"vm_read, the buffer", 21, SELF, 2, 3, 64, ACCESS_WRITE, PLACE},
    {"vm_read, the source", 21, SELF, 1, 3, 64, ACCESS_READ, 0},
    {"vm_write, the buffer", 22, SELF, 2, 3, 64, ACCESS_READ, PLACE},
    {"vm_write, the target", 22, SELF, 1, 3, 64, ACCESS_WRITE, 0},
    {"machine_info", 24, MACHINE, 1, -1, sizeof(struct machine_info), ACCESS_WRITE, 0},
    {"counter_info", 25, MACHINE, 2, -1, sizeof(struct counter_info), ACCESS_WRITE, 0},
    {"io_info", 26, MACHINE, 2, -1, sizeof(struct io_info), ACCESS_WRITE, 0},
    {"selftest", 61, MACHINE, 2, -1, sizeof(struct selftest_info), ACCESS_WRITE, 0},
    {"process_info", 37, MACHINE, 2, -1, sizeof(struct process_info), ACCESS_WRITE, 0},
    {"thread_info", 39, SELF, 2, -1, sizeof(struct thread_info), ACCESS_WRITE, 0},
    {"memory_read", 51, OBJECT, 2, 3, 64, ACCESS_WRITE, 0},
    {"memory_write", 52, OBJECT, 2, 3, 64, ACCESS_READ, 0},
};

/* PLACE: a good page; then one to straddle from, an absent one, a read-only and an execute-only. */
#define GOOD     PLACE
#define EDGE     (PLACE + PAGE)
#define ABSENT   (PLACE + 2 * PAGE)
#define READONLY (PLACE + 3 * PAGE)
#define UNREAD   (PLACE + 4 * PAGE)

struct pointer {
    const char *what;
    uint64_t address;
    long want;
};

static handle_t object; /* as long as any buffer here */

static long call_with(const struct call *call, uint64_t address, uint64_t bytes)
{
    const uint64_t handles[] = {0, user_console(), user_machine(), user_self(), object};
    uint64_t args[7] = {0};

    args[1] = call->other;
    args[2] = GOOD + 512; /* the buffer, where the pointer under test is the other one */
    if (call->handle != 0) {
        args[0] = handles[call->handle];
    }
    args[call->at] = address;
    if (call->bytes_at >= 0) {
        args[call->bytes_at] = bytes;
    }
    return raw_status(call->number, args);
}

static void pointer_try(const struct call *call, const struct pointer *pointer, unsigned *bad)
{
    long got = call_with(call, pointer->address, call->bytes);

    if (got != pointer->want) {
        tap_diag("%s, %s: got %ld, want %ld", call->name, pointer->what, got, pointer->want);
        (*bad)++;
    }
}

static void call_try(const struct call *call)
{
    uint64_t limit = user_limit();
    unsigned bad = 0;
    const struct pointer pointers[] = {
        {"null", 0, -SYS_EFAULT},
        {"below the program", USER_IMAGE_START - PAGE, -SYS_EFAULT},
        {"unmapped", ABSENT, -SYS_EFAULT},
        {"unmapped, unaligned", ABSENT + 13, -SYS_EFAULT},
        {"the last user bytes", limit - call->bytes, -SYS_EFAULT},
        {"leaving the user range", limit - call->bytes + 1, -SYS_ERANGE},
        {"the first byte past the user range", limit, -SYS_ERANGE},
        {"the hole", UINT64_C(1) << 62, -SYS_ERANGE},
        {"the sign bit", UINT64_C(1) << 63, -SYS_ERANGE},
        {"the kernel's direct map", ~(limit - 1), -SYS_ERANGE},
        {"kernel text", UINT64_C(0xffffffff80000000), -SYS_ERANGE},
        {"wrapping", UINT64_MAX - call->bytes / 2, -SYS_ERANGE},
        {"wrapping to just zero", UINT64_MAX - call->bytes + 1, -SYS_ERANGE},
        {"the last byte", UINT64_MAX, -SYS_ERANGE},
    };

    for (size_t i = 0; i < COUNT_OF(pointers); i++) {
        pointer_try(call, &pointers[i], &bad);
    }
    if (call->access == ACCESS_READ) {
        pointer_try(call, &(struct pointer){"execute-only", UNREAD, -SYS_EFAULT}, &bad);
    } else if (call->number != 22) { /* vm_write may fill read-only pages */
        pointer_try(call, &(struct pointer){"read-only", READONLY, -SYS_EFAULT}, &bad);
    }
    if (call->number != 1) { /* console_write writes what it can read */
        uint64_t straddling = ABSENT - call->bytes / 2;

        pointer_try(call, &(struct pointer){"straddling", straddling, -SYS_EFAULT}, &bad);
    }
    if (call->bytes_at >= 0) {
        long got = call_with(call, GOOD, UINT64_MAX);
        long want = call->number == 7 ? -SYS_EINVAL : -SYS_ERANGE;

        bad += got == want ? 0 : 1;
        if (got != want) {
            tap_diag("%s, all bytes there are: got %ld, want %ld", call->name, got, want);
        }
    }
    tap_ok(bad == 0, "%s", call->name);
}

int main(void)
{
    uint64_t written = 0;
    uint64_t read = 0;

    tap_status(page_map(PLACE, 5 * PAGE, RW), 0, "pages are mapped");
    memset((void *)(uintptr_t)PLACE, 'x', 5 * PAGE);
    *word_at(READONLY) = 77;
    tap_status(page_unmap(ABSENT, PAGE), 0, "one is absent");
    tap_status(sys_vm_protect(user_self(), READONLY, PAGE, VM_PROT_R, NULL), 0, "one read-only");
    tap_status(sys_vm_protect(user_self(), UNREAD, PAGE, VM_PROT_X, NULL), 0, "one unreadable");

    tap_status(sys_memory_create(16 * PAGE, 0, &object), 0, "a memory object");
    for (size_t i = 0; i < COUNT_OF(calls); i++) {
        call_try(&calls[i]);
    }
    (void)sys_handle_close(object);
    tap_is(*word_at(READONLY), 77, "the read-only page is as it was");

    uint64_t end = user_limit();
    tap_status(sys_console_read(user_console(), end - 4, 8, &read), -SYS_ERANGE,
               "console_read leaving the user range");
    tap_status(sys_console_read(user_console(), UINT64_MAX - 4, 8, &read), -SYS_ERANGE,
               "console_read wrapping");
    tap_status(sys_console_read(user_console(), PLACE, 0, &read), 0, "console_read of no bytes");
    /* Whatever part of it is written, the line after it is a result. */
    memcpy((void *)(uintptr_t)(ABSENT - 4), "\n\n\n\n", 4);
    tap_status(sys_console_write(user_console(), ABSENT - 4, 8, &written), 0,
               "console_write writes what it can read");
    tap_ok(written >= 1 && written <= 4, "and tells how much");
    tap_status(page_unmap(PLACE, 5 * PAGE), 0, "pages are unmapped");
    return tap_done();
}
