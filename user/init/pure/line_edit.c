/* SPDX-License-Identifier: MIT */
/* The line and its cursor.  `at` and `used` always are at the start of a character or the end. */
#include "line_edit.h"

#include <string.h>

void line_edit_init(struct line_edit *edit,
                    void (*write)(void *context, const char *bytes, size_t count), void *context)
{
    *edit = (struct line_edit){.write = write, .context = context, .columns = LINE_COLUMNS};
}

void line_edit_show(struct line_edit *edit)
{
    edit->screen.count = 0;
    edit->screen.at = 0;
    edit->write(edit->context, edit->prompt, strlen(edit->prompt));
    line_draw(edit);
}

void line_edit_begin(struct line_edit *edit, const char *prompt)
{
    edit->prompt = prompt;
    edit->used = 0;
    edit->at = 0;
    edit->first = 0;
    edit->partial_used = 0;
    edit->text[0] = '\0';
    line_edit_show(edit);
}

void line_edit_bell(struct line_edit *edit)
{
    edit->write(edit->context, "\a", 1);
}

void line_edit_resize(struct line_edit *edit, size_t columns)
{
    columns = columns < LINE_COLUMNS_MIN ? LINE_COLUMNS_MIN : columns;
    edit->columns = columns > LINE_COLUMNS_MAX ? LINE_COLUMNS_MAX : columns;
    edit->answered = 1;
    line_draw(edit);
}

size_t line_edit_char_wants(unsigned char byte)
{
    if (byte >= 0xc2 && byte <= 0xdf) {
        return 2;
    }
    if (byte >= 0xe0 && byte <= 0xef) {
        return 3;
    }
    return byte >= 0xf0 && byte <= 0xf4 ? 4 : 1;
}

size_t line_edit_char_bytes(const struct line_edit *edit, size_t offset)
{
    size_t wants = line_edit_char_wants((unsigned char)edit->text[offset]);

    for (size_t i = 1; i < wants; i++) {
        if (offset + i >= edit->used || ((unsigned char)edit->text[offset + i] & 0xc0) != 0x80) {
            return 1;
        }
    }
    return wants;
}

/* Start of the character before an offset above 0. */
static size_t char_before(const struct line_edit *edit, size_t offset)
{
    size_t at = 0;
    size_t next = line_edit_char_bytes(edit, 0);

    while (next < offset) {
        at = next;
        next += line_edit_char_bytes(edit, at);
    }
    return at;
}

static size_t word_before(const struct line_edit *edit)
{
    size_t at = edit->at;

    while (at > 0 && edit->text[at - 1] == ' ') {
        at--;
    }
    while (at > 0 && edit->text[at - 1] != ' ') {
        at--;
    }
    return at;
}

static size_t word_behind(const struct line_edit *edit)
{
    size_t at = edit->at;

    while (at < edit->used && edit->text[at] == ' ') {
        at++;
    }
    while (at < edit->used && edit->text[at] != ' ') {
        at++;
    }
    return at;
}

static size_t move_target(const struct line_edit *edit, enum line_move move)
{
    switch (move) {
    case LINE_LEFT:
        return edit->at > 0 ? char_before(edit, edit->at) : 0;
    case LINE_RIGHT:
        return edit->at < edit->used ? edit->at + line_edit_char_bytes(edit, edit->at) : edit->used;
    case LINE_HOME:
        return 0;
    case LINE_FAR_END:
        return edit->used;
    case LINE_WORD_LEFT:
        return word_before(edit);
    case LINE_WORD_RIGHT:
        return word_behind(edit);
    }
    return edit->at;
}

void line_edit_move(struct line_edit *edit, enum line_move move)
{
    edit->at = move_target(edit, move);
    line_draw(edit);
}

/* After a removal two halves of a character may stand together where there were two bytes; so the
 * cursor is put back to where a character begins. */
static void cursor_settle(struct line_edit *edit)
{
    size_t at = 0;

    while (at < edit->at) {
        at += line_edit_char_bytes(edit, at);
    }
    edit->at = at;
}

void line_edit_remove(struct line_edit *edit, enum line_move move)
{
    size_t target = move_target(edit, move);
    size_t from = target < edit->at ? target : edit->at;
    size_t to = target < edit->at ? edit->at : target;

    memmove(edit->text + from, edit->text + to, edit->used - to + 1);
    edit->used -= to - from;
    edit->at = from;
    cursor_settle(edit);
    line_draw(edit);
}

void line_edit_insert(struct line_edit *edit, const char *text, size_t count)
{
    if (count > sizeof(edit->text) - 1 - edit->used) {
        line_edit_bell(edit);
        return;
    }
    memmove(edit->text + edit->at + count, edit->text + edit->at, edit->used - edit->at + 1);
    memcpy(edit->text + edit->at, text, count);
    edit->used += count;
    edit->at += count;
    cursor_settle(edit);
    line_draw(edit);
}

void line_edit_set(struct line_edit *edit, const char *text)
{
    size_t count = strlen(text);

    edit->used = count < sizeof(edit->text) ? count : sizeof(edit->text) - 1;
    memcpy(edit->text, text, edit->used);
    edit->text[edit->used] = '\0';
    edit->at = edit->used;
    edit->partial_used = 0;
    line_draw(edit);
}
