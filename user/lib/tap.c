/* SPDX-License-Identifier: MIT */
/* Counting and printing test results. */
#include "user/tap.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define INDENT "    "

static struct {
    unsigned count;
    unsigned failed;
} tap;

static int result_print(int condition, const char *format, va_list arguments)
{
    tap.count++;
    tap.failed += condition ? 0 : 1;
    printf(INDENT "%s %u - ", condition ? "ok" : "not ok", tap.count);
    (void)vprintf(format, arguments);
    printf("\n");
    return condition;
}

int tap_ok(int condition, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    result_print(condition, format, arguments);
    va_end(arguments);
    return condition;
}

int tap_is(uint64_t got, uint64_t want, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    result_print(got == want, format, arguments);
    va_end(arguments);
    if (got != want) {
        tap_diag("got 0x%" PRIx64 ", want 0x%" PRIx64, got, want);
    }
    return got == want;
}

int tap_status(long got, long want, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    result_print(got == want, format, arguments);
    va_end(arguments);
    if (got != want) {
        tap_diag("got status %ld, want %ld", got, want);
    }
    return got == want;
}

void tap_diag(const char *format, ...)
{
    va_list arguments;

    printf(INDENT "# ");
    va_start(arguments, format);
    (void)vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
}

void tap_expect_log(const char *format, ...)
{
    va_list arguments;

    printf(INDENT "# expect-log: ");
    va_start(arguments, format);
    (void)vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
}

int tap_skip_all(const char *reason)
{
    printf(INDENT "1..0 # SKIP %s\n", reason);
    return 0;
}

int tap_done(void)
{
    printf(INDENT "1..%u\n", tap.count);
    return tap.failed == 0 && tap.count > 0 ? 0 : 1;
}
