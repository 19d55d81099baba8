/* SPDX-License-Identifier: MIT */
/*
 * Lines typed on the console, for stdin and read(): what is typed is shown and can be erased until
 * Enter.  One line of the process is kept here, behind one lock, which a reader holds while it
 * waits; a new copy of the process frees it, as its holder was not copied.
 *
 * The console is asked for one byte at a time, so that what follows Enter is left to whoever reads
 * next.  A line that has no room is handed out in pieces; what has gone out cannot be erased.
 */
#include "user/console_line.h"

#include <stdint.h>
#include <string.h>

#include "user/lock.h"
#include "user/vellum.h"
#include "vellum/calls.h"

#define LINE_BYTES   256U
#define CTRL(letter) ((letter)&0x1f)
#define DELETE       0x7f

static struct {
    struct user_lock lock;
    uint32_t used;    /* (l), like all below */
    uint32_t taken;   /* of these, handed out */
    int after_return; /* an LF now belongs to the CR before it */
    unsigned char bytes[LINE_BYTES];
} line;

/* Without a console that can be written to, nothing is shown. */
static void show(const char *text)
{
    (void)sys_console_write(user_console(), (uintptr_t)text, strlen(text), NULL);
}

static int is_control(unsigned char byte)
{
    return byte < ' ' || byte == DELETE;
}

/* A byte behind the first of a character in UTF-8. */
static int is_rest(unsigned char byte)
{
    return (byte & 0xc0) == 0x80;
}

/* A control character is shown as ^ and a letter. */
static void show_byte(unsigned char byte)
{
    char text[] = {(char)byte, '\0', '\0'};

    if (is_control(byte)) {
        text[0] = '^';
        text[1] = (char)(byte ^ 0x40);
    }
    show(text);
}

static void erase_locked(void)
{
    while (line.used > 1 && is_rest(line.bytes[line.used - 1])) {
        line.used--;
    }
    if (line.used > 0) {
        line.used--;
        show(is_control(line.bytes[line.used]) ? "\b\b  \b\b" : "\b \b");
    }
}

/* Does what a byte asks for.  Nonzero: the line, or this piece of it, is whole. */
static int take_in_locked(unsigned char byte)
{
    int is_second = byte == '\n' && line.after_return;

    line.after_return = byte == '\r';
    if (is_second) {
        return 0;
    }
    switch (byte) {
    case '\b':
    case DELETE:
        erase_locked();
        return 0;
    case CTRL('U'):
        while (line.used > 0) {
            erase_locked();
        }
        return 0;
    case CTRL('D'):
        return 1;
    case '\r':
    case '\n':
        show("\n");
        line.bytes[line.used++] = '\n';
        return 1;
    default:
        show_byte(byte);
        line.bytes[line.used++] = byte;
        return line.used == LINE_BYTES;
    }
}

static long read_locked(void)
{
    unsigned char byte = 0;

    line.used = 0;
    line.taken = 0;
    do {
        long status = sys_console_read(user_console(), (uintptr_t)&byte, sizeof(byte), NULL);

        if (status != 0) {
            line.used = 0;
            return status;
        }
    } while (!take_in_locked(byte));
    return 0;
}

long user_console_line(void *buffer, size_t bytes, size_t *taken)
{
    long status = 0;

    *taken = 0;
    if (bytes == 0) {
        return 0;
    }
    user_lock_acquire(&line.lock);
    if (line.taken == line.used) {
        status = read_locked();
    }
    uint32_t left = line.used - line.taken;

    *taken = bytes < left ? bytes : left;
    memcpy(buffer, line.bytes + line.taken, *taken);
    line.taken += (uint32_t)*taken;
    user_lock_release(&line.lock);
    return status;
}

void user_console_line_copied(void)
{
    if (!user_lock_try(&line.lock)) {
        line.used = 0;
        line.taken = 0;
        line.after_return = 0;
    }
    user_lock_release(&line.lock);
}
