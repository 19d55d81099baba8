/* SPDX-License-Identifier: MIT */
/*
 * A line editor, and a model of its terminal that knows printable characters, backspace, newline
 * and the bell. It fails the test on anything else, on a line that reaches the last column, and on
 * a cursor that leaves the row. For one test at a time.
 */
#pragma once

#include "user/init/pure/line_edit.h"

#include <stddef.h>

#define PROMPT "vellum> "
#define LEFT   "\033[D"
#define RIGHT  "\033[C"

struct terminal {
    char row[LINE_COLUMNS_MAX + 8][5]; /* a character a column */
    size_t at;
    size_t columns;
    unsigned bells;
    unsigned newlines;
    char partial[5];
    size_t partial_used;
};

extern struct terminal terminal;
extern struct line_edit edit;

/* A terminal of so many columns with an empty row, and the editor at its prompt. */
void line_begin(size_t columns);

/* Gives the bytes to the editor; what the last of them asks for. */
enum line_event line_type_bytes(const char *bytes, size_t count);
enum line_event line_type(const char *text);

/* Makes the row blank, the cursor at its begin. */
void line_row_clear(void);

/* What the row shows, without blanks at its end; good until the next call. */
const char *line_shown(void);
