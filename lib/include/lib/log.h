/* SPDX-License-Identifier: MIT */
/*
 * Printing for the kernel: formatted lines to the early console.
 *
 * Formats: %d %i %u %x %X %p %s %c %% with flags `0` and `-`, width and precision (for %s) as
 * digits or `*`, and l, ll, z. Anything else prints as it stands.  The console is slow: nothing is
 * printed while a cursor is open or a spinlock is held, except by a panic.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

/* Prints to the console.  Any context without locks. */
void log_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_vprintf(const char *format, va_list args);

/* Formats into buf (always terminated if buf_bytes > 0); returns the length the whole text has,
 * without the end, like snprintf. */
size_t format_text(char *buf, size_t buf_bytes, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
size_t format_text_va(char *buf, size_t buf_bytes, const char *format, va_list args);

/* Where the bytes go.  Implemented by arch (early console) and by the host tests. */
void log_sink_write(const char *bytes, size_t len_bytes);
