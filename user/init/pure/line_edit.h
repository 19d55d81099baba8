/* SPDX-License-Identifier: MIT */
/*
 * Line editing as a machine over bytes: what is typed goes in byte by byte, what the terminal must
 * show comes out.  No I/O of its own, so the host tests it.
 *
 * Out go only printable characters, backspaces, newlines and the bell, so any console will do.  In
 * may come anything: escape sequences of a VT100 in pieces, unknown ones, bytes that are no UTF-8.
 * The invariant: the line on the screen is the visible part of `text`, never wraps, and the cursor
 * stands at `at`.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define LINE_BYTES       512U /* of a line, with the final NUL               */
#define LINE_COLUMNS_MIN 20U  /* widths outside of this are taken as these   */
#define LINE_COLUMNS_MAX 400U
#define LINE_COLUMNS     80U /* until the terminal tells its width          */

enum line_event {
    LINE_NONE,     /* go on                                                       */
    LINE_READY,    /* Enter: the line is in `text`, ended by NUL                  */
    LINE_END,      /* Ctrl-D on an empty line                                     */
    LINE_GIVEN_UP, /* Ctrl-C                                                      */
    LINE_OLDER,    /* up, Ctrl-P                                                  */
    LINE_NEWER,    /* down, Ctrl-N                                                */
    LINE_COMPLETE, /* Tab                                                         */
    LINE_CLEAR,    /* Ctrl-L                                                      */
};

enum line_state {
    LINE_PLAIN,
    LINE_ESCAPE,   /* after ESC                                                   */
    LINE_SEQUENCE, /* after ESC [                                                 */
    LINE_SHIFT,    /* after ESC O                                                 */
    LINE_SKIP,     /* one more byte belongs to something unknown                  */
    LINE_STRING,   /* after ESC ] and the like: up to BEL or ESC                  */
};

/* One column of the screen: a character of 1 to 4 bytes. */
struct line_cell {
    char bytes[4];
    uint8_t count;
};

/* What the terminal shows behind the prompt. */
struct line_screen {
    struct line_cell cells[LINE_COLUMNS_MAX];
    size_t count;
    size_t at; /* where its cursor is */
};

struct line_edit {
    char text[LINE_BYTES];
    size_t used;
    size_t at; /* byte offset, at the start of a character */
    const char *prompt;
    size_t columns; /* the terminal's width                   */
    int answered;   /* 1: the terminal has told its width     */
    void (*write)(void *context, const char *bytes, size_t count);
    void *context;

    /* The rest is the machine's own. */
    enum line_state state;
    uint32_t numbers[2]; /* of the escape sequence                 */
    unsigned number;     /* which of them is read                  */
    int is_private;
    char partial[4]; /* of a character that has not come whole */
    size_t partial_used;
    int after_return; /* an LF now belongs to the CR before it  */
    size_t first;     /* number of the first visible character  */
    struct line_screen screen;
    struct line_screen next; /* room for drawing                       */
};

/* Prepares an editor that shows what it must by `write`. */
void line_edit_init(struct line_edit *edit,
                    void (*write)(void *context, const char *bytes, size_t count), void *context);

/* Begins an empty line behind a prompt of one column a byte, which it shows.  The prompt is kept.
 */
void line_edit_begin(struct line_edit *edit, const char *prompt);

/* line_keys.c: takes one byte and tells what it asks for. */
enum line_event line_keys_byte(struct line_edit *edit, unsigned char byte);

/* Replaces the line; the cursor goes to its end.  What does not fit is cut off. */
void line_edit_set(struct line_edit *edit, const char *text);

/* Inserts text before the cursor.  If it does not fit, the bell rings and nothing changes. */
void line_edit_insert(struct line_edit *edit, const char *text, size_t count);

/* Shows prompt and line anew, at the start of an empty line of the screen. */
void line_edit_show(struct line_edit *edit);

/* Where the cursor can go from where it is. */
enum line_move {
    LINE_LEFT,
    LINE_RIGHT,
    LINE_HOME,
    LINE_FAR_END,
    LINE_WORD_LEFT,
    LINE_WORD_RIGHT,
};

/* Moves the cursor. */
void line_edit_move(struct line_edit *edit, enum line_move move);

/* Removes what lies between the cursor and where that move would take it. */
void line_edit_remove(struct line_edit *edit, enum line_move move);

/* Takes the width that the terminal has told. */
void line_edit_resize(struct line_edit *edit, size_t columns);

/* Rings the bell. */
void line_edit_bell(struct line_edit *edit);

/* Bytes that a character has whose first byte this is; 1 for a byte that begins none. */
size_t line_edit_char_wants(unsigned char byte);

/* Bytes of the character at an offset below used: 1 also for a byte that is no UTF-8. */
size_t line_edit_char_bytes(const struct line_edit *edit, size_t offset);

/* line_draw.c: brings the screen up to date. */
void line_draw(struct line_edit *edit);
