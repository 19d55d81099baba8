/* SPDX-License-Identifier: MIT */
/*
 * Reading lines from the console with the editor, and the lines typed before.
 *
 * The terminal's width is asked for at the first prompt; a terminal that answers is asked again
 * when a line begins to be typed, for its window may have changed.  Nobody waits for the answer: it
 * comes in as an escape sequence like any other, and until then lines are 80 columns.
 */
#include <inttypes.h>
#include <stdio.h>

#include "pure/line_edit.h"
#include "pure/line_history.h"
#include "shell.h"
#include "vellum/calls.h"

/* Saves the cursor, goes to the right end, asks where that is, and goes back. */
#define ASK_WIDTH "\0337\033[999C\033[6n\0338"
#define CLEAR     "\033[H\033[2J"

static struct line_edit editor; /* columns 0: no line has been read yet */
static struct line_history history;

static void bytes_write(void *context, const char *bytes, size_t count)
{
    (void)context;
    (void)fwrite(bytes, 1, count, stdout);
}

/* One byte at a time: what is typed ahead may be meant for the program that the line starts. */
static int byte_read(void)
{
    unsigned char byte = 0;
    uint64_t count = 0;

    (void)fflush(stdout);
    if (sys_console_read(user_console(), (uintptr_t)&byte, 1, &count) != 0 || count != 1) {
        return -1;
    }
    return byte;
}

static void editor_set(const char *text)
{
    if (text != NULL) {
        line_edit_set(&editor, text);
    } else {
        line_edit_bell(&editor);
    }
}

/* Does what a byte asked for; 0: the line is whole, or the input has ended. */
static int event_serve(enum line_event event, const char *prompt)
{
    switch (event) {
    case LINE_NONE:
        break;
    case LINE_READY:
    case LINE_END:
        return 0;
    case LINE_GIVEN_UP:
        line_history_add(&history, "");
        line_edit_begin(&editor, prompt);
        break;
    case LINE_OLDER:
        editor_set(line_history_older(&history, editor.text));
        break;
    case LINE_NEWER:
        editor_set(line_history_newer(&history));
        break;
    case LINE_COMPLETE:
        line_names_complete(&editor);
        break;
    case LINE_CLEAR:
        printf(CLEAR ASK_WIDTH);
        line_edit_show(&editor);
        break;
    }
    return 1;
}

char *line_read(const char *prompt)
{
    static int was_asked;
    enum line_event event = LINE_NONE;

    if (!was_asked) {
        line_edit_init(&editor, bytes_write, NULL);
        printf(ASK_WIDTH);
        was_asked = 1;
    }
    int is_width_known = !editor.answered; /* or will never be */

    line_edit_begin(&editor, prompt);
    do {
        int byte = byte_read();

        if (byte < 0) {
            return NULL;
        }
        event = line_keys_byte(&editor, (unsigned char)byte);
        if (!is_width_known && (editor.used > 0 || event == LINE_OLDER)) {
            printf(ASK_WIDTH);
            is_width_known = 1;
        }
    } while (event_serve(event, prompt));
    if (event == LINE_END) {
        return NULL;
    }
    line_history_add(&history, editor.text);
    return editor.text;
}

size_t line_columns(void)
{
    return editor.columns != 0 ? editor.columns : LINE_COLUMNS;
}

int command_history(struct command command)
{
    if (command.argc != 1) {
        return command_usage("history");
    }
    for (uint32_t i = history.first; i != history.end; i++) {
        printf("%5" PRIu32 "  %s\n", i + 1, line_history_line(&history, i));
    }
    return STATUS_OK;
}

int command_clear(struct command command)
{
    if (command.argc != 1) {
        return command_usage("clear");
    }
    printf(CLEAR);
    return STATUS_OK;
}
