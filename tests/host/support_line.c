/* SPDX-License-Identifier: MIT */
/* See support_line.h. */
#include "support_line.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

struct terminal terminal;
struct line_edit edit;

void line_row_clear(void)
{
    for (size_t i = 0; i < LINE_COLUMNS_MAX + 8; i++) {
        memcpy(terminal.row[i], " ", 2);
    }
    terminal.at = 0;
}

static size_t char_bytes(unsigned char lead)
{
    if (lead < 0x80) {
        return 1;
    }
    return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

static void terminal_char(void)
{
    cr_assert(terminal.at + 1 < terminal.columns, "the line reaches column %zu", terminal.at + 1);
    memcpy(terminal.row[terminal.at++], terminal.partial, sizeof(terminal.partial));
    memset(terminal.partial, 0, sizeof(terminal.partial));
    terminal.partial_used = 0;
}

static void terminal_byte(char byte)
{
    unsigned char value = (unsigned char)byte;

    if (byte == '\b') {
        cr_assert(terminal.at > 0, "a backspace at the left edge");
        terminal.at--;
    } else if (byte == '\a') {
        terminal.bells++;
    } else if (byte == '\n') {
        terminal.newlines++;
        line_row_clear();
    } else {
        cr_assert(value >= 0x20 && value != 0x7f, "byte %#x is sent", value);
        terminal.partial[terminal.partial_used++] = byte;
        if (terminal.partial_used == char_bytes((unsigned char)terminal.partial[0])) {
            terminal_char();
        }
    }
}

static void terminal_write(void *context, const char *bytes, size_t count)
{
    (void)context;
    for (size_t i = 0; i < count; i++) {
        terminal_byte(bytes[i]);
    }
}

void line_begin(size_t columns)
{
    memset(&terminal, 0, sizeof(terminal));
    terminal.columns = columns;
    line_row_clear();
    line_edit_init(&edit, terminal_write, NULL);
    edit.columns = columns;
    line_edit_begin(&edit, PROMPT);
}

enum line_event line_type_bytes(const char *bytes, size_t count)
{
    enum line_event event = LINE_NONE;

    for (size_t i = 0; i < count; i++) {
        event = line_keys_byte(&edit, (unsigned char)bytes[i]);
    }
    return event;
}

enum line_event line_type(const char *text)
{
    return line_type_bytes(text, strlen(text));
}

const char *line_shown(void)
{
    static char text[LINE_COLUMNS_MAX * 4 + 1];
    size_t used = 0;

    for (size_t i = 0; i < terminal.columns; i++) {
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s", terminal.row[i]);
    }
    while (used > 0 && text[used - 1] == ' ') {
        text[--used] = '\0';
    }
    return text;
}
