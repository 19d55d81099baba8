/* SPDX-License-Identifier: MIT */
/*
 * Ends of the road, and the console, as a world has them: a panic of mm/, or a mistake that the
 * host's arch finds, ends the history and not the program.  What mm/ prints is dropped.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "arch_host/arch_host.h"
#include "lib/assert.h"
#include "lib/log.h"
#include "machine/oracle.h"
#include "world/fiber.h"

/* In a history a verdict; outside of one (boot) the end. */
_Noreturn static void give_up(const char *text)
{
    if (fiber_current() != FIBER_MAIN) {
        oracle_fail(ORACLE_RULE_AUDIT, fiber_current(), "%s", text);
    }
    (void)fprintf(stderr, "oracle: %s\n", text);
    abort();
}

_Noreturn void panic_at(const char *file, int line, const char *format, ...)
{
    const char *name = strrchr(file, '/');
    char text[200];
    va_list args;
    int length =
        snprintf(text, sizeof(text), "PANIC %s:%d: ", name != NULL ? name + 1 : file, line);

    va_start(args, format);
    (void)vsnprintf(text + length, sizeof(text) - (size_t)length, format, args);
    va_end(args);
    give_up(text);
}

_Noreturn void host_fail(const char *format, ...)
{
    char text[200];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    give_up(text);
}

void log_sink_write(const char *bytes, size_t len_bytes)
{
    (void)bytes;
    (void)len_bytes;
}

const char *host_log_text(void)
{
    return "";
}

void host_log_clear(void)
{
}

void arch_console_write(const char *bytes, size_t len_bytes)
{
    log_sink_write(bytes, len_bytes);
}

int arch_console_read(void)
{
    return -1;
}
