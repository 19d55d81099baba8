/* SPDX-License-Identifier: MIT */
/*
 * The C library's three standard streams, on the console.  Output is gathered to lines, stdout and
 * stderr in the same buffer so that their order is kept; a full buffer, a newline, fflush() and
 * reading from stdin write it out.  One lock keeps threads' characters whole.  Input comes in lines
 * from console_line.c.
 */
#include <stdint.h>
#include <stdio.h>

#include "fork.h"
#include "user/console_line.h"
#include "user/lock.h"
#include "user/vellum.h"
#include "vellum/calls.h"

#define LINE_BYTES 256U

static struct {
    struct user_lock lock;
    uint32_t used;          /* (l) */
    char bytes[LINE_BYTES]; /* (l) */
} line;

void user_stdio_lock(void)
{
    user_lock_acquire(&line.lock);
}

void user_stdio_unlock(void)
{
    user_lock_release(&line.lock);
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
    user_stdio_lock();
    line.bytes[line.used++] = byte;
    if ((byte == '\n' || line.used == LINE_BYTES) && line_write_locked() != 0) {
        result = EOF;
    }
    user_stdio_unlock();
    return result;
}

static int stream_flush(FILE *stream)
{
    (void)stream;
    user_stdio_lock();
    int result = line_write_locked();
    user_stdio_unlock();
    return result;
}

static int stream_get(FILE *stream)
{
    unsigned char byte = 0;
    size_t count = 0;

    (void)stream_flush(stream);
    if (user_console_line(&byte, sizeof(byte), &count) != 0) {
        return _FDEV_ERR;
    }
    return count != 0 ? byte : _FDEV_EOF;
}

static FILE console_stream =
    FDEV_SETUP_STREAM(stream_put, stream_get, stream_flush, _FDEV_SETUP_RW);

FILE *const stdin = &console_stream;
FILE *const stdout = &console_stream;
FILE *const stderr = &console_stream;
