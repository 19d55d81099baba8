/* SPDX-License-Identifier: MIT */
/*
 * The C library's three standard streams, on the console.  Output is gathered to lines, stdout and
 * stderr in the same buffer so that their order is kept; a full buffer, a newline, fflush() and
 * reading from stdin write it out.  One lock keeps threads' characters whole.
 */
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>

#include "user/vellum.h"
#include "vellum/calls.h"

#define LINE_BYTES 256U

static struct {
    atomic_flag lock; /* acquire in line_lock pairs with release in line_unlock */
    uint32_t used;
    char bytes[LINE_BYTES];
} line = {.lock = ATOMIC_FLAG_INIT};

static void line_lock(void)
{
    while (atomic_flag_test_and_set_explicit(&line.lock, memory_order_acquire)) {
        (void)sys_yield();
    }
}

static void line_unlock(void)
{
    atomic_flag_clear_explicit(&line.lock, memory_order_release);
}

/* Writes out what is gathered; without a working console it is lost. */
static int line_write_locked(void)
{
    uint32_t done = 0;
    int result = 0;

    while (done < line.used) {
        uint64_t written = 0;

        if (sys_console_write(user_console(), (uintptr_t)line.bytes + done, line.used - done,
                              &written) != 0) {
            result = EOF;
            break;
        }
        done += (uint32_t)written;
    }
    line.used = 0;
    return result;
}

static int stream_put(char byte, FILE *stream)
{
    int result = (unsigned char)byte;

    (void)stream;
    line_lock();
    line.bytes[line.used++] = byte;
    if ((byte == '\n' || line.used == LINE_BYTES) && line_write_locked() != 0) {
        result = EOF;
    }
    line_unlock();
    return result;
}

static int stream_flush(FILE *stream)
{
    (void)stream;
    line_lock();
    int result = line_write_locked();
    line_unlock();
    return result;
}

static int stream_get(FILE *stream)
{
    unsigned char byte = 0;
    uint64_t count = 0;

    (void)stream_flush(stream);
    if (sys_console_read(user_console(), (uintptr_t)&byte, 1, &count) != 0 || count != 1) {
        return EOF;
    }
    return byte;
}

static FILE console_stream =
    FDEV_SETUP_STREAM(stream_put, stream_get, stream_flush, _FDEV_SETUP_RW);

FILE *const stdin = &console_stream;
FILE *const stdout = &console_stream;
FILE *const stderr = &console_stream;
