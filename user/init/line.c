/* SPDX-License-Identifier: MIT */
/*
 * Line editing on a console that neither echoes nor edits.  Backspace takes a character back,
 * Ctrl-U the line, Ctrl-C gives the line up, Ctrl-D on an empty line ends the input.  Escape
 * sequences (arrow keys) do nothing.  What does not fit rings the bell.
 */
#include <stdio.h>

#include "shell.h"

#define CTRL(letter) ((letter)&0x1f)
#define BELL         0x07
#define ESCAPE       0x1b
#define DELETE       0x7f

/* Swallows the rest of an escape sequence: ESC [ parameters final, or ESC O final. */
static void escape_skip(void)
{
    int byte = getchar();

    if (byte != '[' && byte != 'O') {
        return;
    }
    do {
        byte = getchar();
    } while (byte != EOF && (byte < 0x40 || byte > 0x7e));
}

static size_t erase(size_t used, size_t count)
{
    for (; count > 0 && used > 0; count--) {
        printf("\b \b");
        used--;
    }
    return used;
}

/* Reads a byte; the LF of a CR LF pair is not one. */
static int byte_read(void)
{
    static int last;
    int byte = getchar();

    if (byte == '\n' && last == '\r') {
        byte = getchar();
    }
    last = byte;
    return byte;
}

char *line_read(const char *prompt, char *line, size_t line_bytes)
{
    size_t used = 0;

    printf("%s", prompt);
    for (;;) {
        int byte = byte_read();

        if (byte == '\r' || byte == '\n') {
            break;
        }
        if (byte == EOF || (byte == CTRL('D') && used == 0)) {
            printf("\n");
            return NULL;
        }
        if (byte == CTRL('C')) {
            printf("^C\n%s", prompt);
            used = 0;
        } else if (byte == CTRL('U')) {
            used = erase(used, used);
        } else if (byte == '\b' || byte == DELETE) {
            used = erase(used, 1);
        } else if (byte == ESCAPE) {
            escape_skip();
        } else if (byte >= ' ' && byte < DELETE && used < line_bytes - 1) {
            line[used++] = (char)byte;
            putchar(byte);
        } else if (byte >= ' ' && byte < DELETE) {
            putchar(BELL);
        }
    }
    printf("\n");
    line[used] = '\0';
    return line;
}
