/* SPDX-License-Identifier: MIT */
/*
 * The host's console: what the kernel prints goes to standard error and is kept, so that tests can
 * read it.  Also the end of a test that the model finds at fault.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arch/arch.h"
#include "arch_host/arch_host.h"
#include "lib/log.h"

#define LOG_BYTES 65536U

static char log_text[LOG_BYTES];
static size_t log_bytes;

_Noreturn void host_fail(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fputs("host model: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    abort();
}

void log_sink_write(const char *bytes, size_t len_bytes)
{
    size_t room = LOG_BYTES - 1 - log_bytes;
    size_t kept = len_bytes < room ? len_bytes : room;

    memcpy(log_text + log_bytes, bytes, kept);
    log_bytes += kept;
    (void)!write(STDERR_FILENO, bytes, len_bytes);
}

const char *host_log_text(void)
{
    return log_text;
}

void host_log_clear(void)
{
    memset(log_text, 0, log_bytes);
    log_bytes = 0;
}

void arch_console_write(const char *bytes, size_t len_bytes)
{
    log_sink_write(bytes, len_bytes);
}

int arch_console_read(void)
{
    return -1;
}

status_t arch_console_tell(enum arch_console_tell how)
{
    (void)how;
    return ERR_NOTSUP;
}

void arch_console_tell_no_more(void)
{
}
