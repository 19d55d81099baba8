/* SPDX-License-Identifier: MIT */
/*
 * Numbers that are no system calls give ENOSYS; instructions a program may not execute end it with
 * a report; the console takes and gives what its contract says.
 */
#include "support.h"

#define FIRST_UNKNOWN 62

static int illegal(void *argument)
{
    (void)argument;
    __asm__ volatile(".word 0");
    return 0;
}

static int privileged(void *argument)
{
    (void)argument;
    __asm__ volatile("csrr t0, sstatus" ::: "t0");
    return 0;
}

static int breakpoint(void *argument)
{
    (void)argument;
    __asm__ volatile("ebreak");
    return 0;
}

static void check_ends(int (*run)(void *argument), uint64_t access, const char *what)
{
    struct user_end end = {0};

    tap_status(user_fork_wait(run, NULL, &end), 0, "a child executes %s", what);
    tap_ok(end.reason == EXIT_FAULT && end.access == access, "and is ended for it");
    tap_ok(end.pc >= (uintptr_t)run && end.pc < (uintptr_t)run + 64, "there");
}

static void console_check(void)
{
    static char lines[600];
    uint64_t written = 9;

    for (uint64_t i = 0; i < sizeof(lines); i++) {
        lines[i] = i % 60 == 59 ? '\n' : (i % 60 == 0 ? '#' : '.');
    }
    tap_status(sys_console_write(user_console(), (uintptr_t)lines, 0, &written), 0,
               "writing nothing");
    tap_is(written, 0, "writes nothing");
    uint64_t all = 0;
    unsigned calls = 0;
    while (all < sizeof(lines) && calls < 1000) {
        written = 0;
        (void)sys_console_write(user_console(), (uintptr_t)lines + all, sizeof(lines) - all,
                                &written);
        all += written;
        calls++;
    }
    tap_is(all, sizeof(lines), "a long text is written in pieces");
    tap_ok(calls >= 3, "of 256 bytes at most");
}

int main(void)
{
    static const uint64_t numbers[] = {FIRST_UNKNOWN, FIRST_UNKNOWN + 1,    64,
                                       1000,          UINT64_C(1) << 32,    UINT64_MAX,
                                       INT64_MAX,     UINT64_C(1) << 63,    UINT64_MAX - 7,
                                       0xffffffff,    UINT64_C(0x100000001)};
    static const uint64_t args[7] = {1, 2, 3, 4, 5, 6, 7};

    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        tap_status(raw_status(numbers[i], args), -SYS_ENOSYS, "an unknown call");
    }
    check_ends(illegal, ACCESS_ILLEGAL, "no instruction at all");
    check_ends(privileged, ACCESS_ILLEGAL, "a privileged instruction");
    check_ends(breakpoint, ACCESS_BREAKPOINT, "a breakpoint");
    console_check();
    return tap_done();
}
