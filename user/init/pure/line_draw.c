/* SPDX-License-Identifier: MIT */
/*
 * Showing the line: works out what the screen must hold, and changes only what differs.  Backspace
 * goes left, printing what is there already goes right, blanks erase; so no terminal is too plain.
 *
 * Of a line that is too long a window is shown, with < and > at the ends where it goes on.
 */
#include "line_edit.h"

#include <string.h>

/* Columns behind the prompt.  The last one stays free: writing there makes some terminals wrap. */
static size_t room_of(const struct line_edit *edit)
{
    size_t used = strlen(edit->prompt) + 1;

    return edit->columns >= used + 4 ? edit->columns - used : 4;
}

/* Characters from offset 0 to an offset. */
static size_t chars_until(const struct line_edit *edit, size_t offset)
{
    size_t count = 0;

    for (size_t at = 0; at < offset; at += line_edit_char_bytes(edit, at)) {
        count++;
    }
    return count;
}

/* Moves the window so that the cursor is in it, and not on a mark. */
static void window_choose(struct line_edit *edit, size_t chars, size_t cursor, size_t room)
{
    if (chars <= room) {
        edit->first = 0;
        return;
    }
    size_t low = edit->first > 0 ? edit->first + 1 : 0;
    size_t high = edit->first + room < chars ? edit->first + room - 2 : edit->first + room;

    if (cursor < low || cursor > high) {
        edit->first = cursor > room / 2 ? cursor - room / 2 : 0;
    }
    if (edit->first + room > chars) {
        edit->first = chars - room;
    }
}

static struct line_cell cell_of(const char *bytes, size_t count)
{
    struct line_cell cell = {.count = (uint8_t)count};

    memcpy(cell.bytes, bytes, count);
    return cell;
}

/* How a character is shown: in one column.  Letters up to Cyrillic are; what may be wide, combine
 * or mean something to the terminal is not shown as it is. */
static struct line_cell cell_of_char(const char *bytes, size_t count)
{
    unsigned char lead = (unsigned char)bytes[0];
    unsigned char next = count == 2 ? (unsigned char)bytes[1] : 0;
    int is_plain = count == 1 && lead < 0x80;
    int is_latin = count == 2 && lead <= 0xcb && (lead > 0xc2 || next > 0xa0) &&
                   !(lead == 0xc2 && next == 0xad);
    int is_greek_or_cyrillic = count == 2 && lead >= 0xce && lead <= 0xd1;

    return is_plain || is_latin || is_greek_or_cyrillic ? cell_of(bytes, count) : cell_of("?", 1);
}

/* Works out what the screen must hold. */
static void next_fill(struct line_edit *edit)
{
    struct line_screen *next = &edit->next;
    size_t room = room_of(edit);
    size_t chars = chars_until(edit, edit->used);
    size_t cursor = chars_until(edit, edit->at);
    size_t number = 0;

    window_choose(edit, chars, cursor, room);
    next->count = 0;
    next->at = cursor - edit->first;
    for (size_t at = 0; at < edit->used && next->count < room; number++) {
        size_t count = line_edit_char_bytes(edit, at);

        if (number >= edit->first) {
            next->cells[next->count++] = cell_of_char(edit->text + at, count);
        }
        at += count;
    }
    if (edit->first > 0) {
        next->cells[0] = cell_of("<", 1);
    }
    if (edit->first + room < chars) {
        next->cells[room - 1] = cell_of(">", 1);
    }
}

static void put(struct line_edit *edit, const char *text, size_t times)
{
    for (; times > 0; times--) {
        edit->write(edit->context, text, 1);
    }
}

static void put_cells(struct line_edit *edit, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        edit->write(edit->context, edit->next.cells[i].bytes, edit->next.cells[i].count);
    }
}

static void cursor_put(struct line_edit *edit, size_t at)
{
    if (at < edit->screen.at) {
        put(edit, "\b", edit->screen.at - at);
    } else {
        put_cells(edit, edit->screen.at, at);
    }
    edit->screen.at = at;
}

void line_draw(struct line_edit *edit)
{
    struct line_screen *screen = &edit->screen;
    struct line_screen *next = &edit->next;
    size_t same = 0;

    next_fill(edit);
    while (same < next->count && same < screen->count &&
           memcmp(&next->cells[same], &screen->cells[same], sizeof(next->cells[0])) == 0) {
        same++;
    }
    if (same < next->count || same < screen->count) {
        size_t stale = screen->count > next->count ? screen->count - next->count : 0;

        cursor_put(edit, same);
        put_cells(edit, same, next->count);
        put(edit, " ", stale);
        memcpy(screen->cells, next->cells, next->count * sizeof(next->cells[0]));
        screen->at = next->count + stale;
        screen->count = next->count;
    }
    cursor_put(edit, next->at);
}
