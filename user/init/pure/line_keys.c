/* SPDX-License-Identifier: MIT */
/*
 * What is typed: control characters, escape sequences, and characters of one or more bytes.
 *
 * A control character inside an escape sequence ends the sequence and counts for itself, so that
 * Enter and Ctrl-C always work, whatever came before.
 */
#include "line_edit.h"

#include <string.h>

#define CTRL(letter) ((letter)&0x1f)
#define ESCAPE       0x1b
#define DELETE       0x7f
#define NUMBER_MAX   9999U

struct key {
    unsigned char byte;
    enum line_move move;
};

static const struct key keys_that_move[] = {
    {CTRL('A'), LINE_HOME},
    {CTRL('B'), LINE_LEFT},
    {CTRL('E'), LINE_FAR_END},
    {CTRL('F'), LINE_RIGHT},
};

static const struct key keys_that_remove[] = {
    {CTRL('D'), LINE_RIGHT},   {'\b', LINE_LEFT},      {DELETE, LINE_LEFT},
    {CTRL('K'), LINE_FAR_END}, {CTRL('U'), LINE_HOME}, {CTRL('W'), LINE_WORD_LEFT},
};

/* ESC [ byte, ESC O byte */
static const struct key finals[] = {
    {'C', LINE_RIGHT},
    {'D', LINE_LEFT},
    {'H', LINE_HOME},
    {'F', LINE_FAR_END},
};

/* The same with Shift, Alt or Control, that is with a second number. */
static const struct key finals_shifted[] = {
    {'C', LINE_WORD_RIGHT},
    {'D', LINE_WORD_LEFT},
    {'H', LINE_HOME},
    {'F', LINE_FAR_END},
};

/* ESC [ number ~ */
static const struct key numbered[] = {
    {1, LINE_HOME},
    {7, LINE_HOME},
    {4, LINE_FAR_END},
    {8, LINE_FAR_END},
};
#define NUMBER_DELETE 3U

#define KEYS(table)   table, sizeof(table) / sizeof(table[0])

static const struct key *key_find(const struct key *keys, size_t count, uint32_t byte)
{
    for (size_t i = 0; i < count; i++) {
        if (keys[i].byte == byte) {
            return &keys[i];
        }
    }
    return NULL;
}

static void key_move(struct line_edit *edit, const struct key *key)
{
    if (key != NULL) {
        line_edit_move(edit, key->move);
    }
}

/* The last byte of a sequence whose numbers have been read. */
static enum line_event sequence_end(struct line_edit *edit, unsigned char byte)
{
    edit->state = LINE_PLAIN;
    if (edit->is_private) {
        return LINE_NONE;
    }
    switch (byte) {
    case 'A':
        return LINE_OLDER;
    case 'B':
        return LINE_NEWER;
    case 'R':
        if (edit->number == 1) {
            line_edit_resize(edit, edit->numbers[1]);
        }
        break;
    case '~':
        if (edit->numbers[0] == NUMBER_DELETE) {
            line_edit_remove(edit, LINE_RIGHT);
        }
        key_move(edit, key_find(KEYS(numbered), edit->numbers[0]));
        break;
    default:
        key_move(edit, edit->numbers[1] > 1 ? key_find(KEYS(finals_shifted), byte)
                                            : key_find(KEYS(finals), byte));
        break;
    }
    return LINE_NONE;
}

static enum line_event sequence_byte(struct line_edit *edit, unsigned char byte)
{
    if (byte >= '0' && byte <= '9') {
        uint32_t *number = &edit->numbers[edit->number < 2 ? edit->number : 1];

        *number = *number * 10 + byte - '0';
        *number = *number > NUMBER_MAX ? NUMBER_MAX : *number;
    } else if (byte == ';') {
        edit->number++;
    } else if (byte < 0x40) {
        edit->is_private = 1;
    } else if (byte == '[' && edit->number == 0 && edit->numbers[0] == 0) {
        edit->state = LINE_SKIP; /* a Linux console's function key */
    } else {
        return sequence_end(edit, byte);
    }
    return LINE_NONE;
}

static void sequence_begin(struct line_edit *edit, enum line_state state)
{
    edit->state = state;
    edit->numbers[0] = 0;
    edit->numbers[1] = 0;
    edit->number = 0;
    edit->is_private = 0;
}

/* The byte after ESC. */
static void escape_byte(struct line_edit *edit, unsigned char byte)
{
    switch (byte) {
    case '[':
        sequence_begin(edit, LINE_SEQUENCE);
        break;
    case 'O':
        sequence_begin(edit, LINE_SHIFT);
        break;
    case ']':
    case 'P':
    case 'X':
    case '^':
    case '_':
        edit->state = LINE_STRING;
        break;
    default:
        edit->state = byte >= 0x20 && byte < 0x30 ? LINE_SKIP : LINE_PLAIN;
        break;
    }
}

/* Leaves the line as it is, marked at its end if the mark fits. */
static void give_up(struct line_edit *edit)
{
    line_edit_move(edit, LINE_FAR_END);
    if (strlen(edit->prompt) + edit->screen.at + 2 < edit->columns) {
        edit->write(edit->context, "^C", 2);
    }
    edit->write(edit->context, "\n", 1);
}

static enum line_event key_control(struct line_edit *edit, unsigned char byte)
{
    switch (byte) {
    case '\r':
    case '\n':
        edit->write(edit->context, "\n", 1);
        return LINE_READY;
    case '\t':
        return LINE_COMPLETE;
    case CTRL('C'):
        give_up(edit);
        return LINE_GIVEN_UP;
    case CTRL('L'):
        return LINE_CLEAR;
    case CTRL('N'):
        return LINE_NEWER;
    case CTRL('P'):
        return LINE_OLDER;
    default:
        break;
    }
    if (byte == CTRL('D') && edit->used == 0) {
        edit->write(edit->context, "\n", 1);
        return LINE_END;
    }
    const struct key *key = key_find(KEYS(keys_that_remove), byte);

    if (key != NULL) {
        line_edit_remove(edit, key->move);
    }
    key_move(edit, key_find(KEYS(keys_that_move), byte));
    return LINE_NONE;
}

/* What has come of a character will not become whole: its bytes stand for themselves. */
static void partial_give_up(struct line_edit *edit)
{
    size_t count = edit->partial_used;

    edit->partial_used = 0;
    if (count != 0) {
        line_edit_insert(edit, edit->partial, count);
    }
}

/* A byte of text: whole characters go into the line. */
static void text_byte(struct line_edit *edit, unsigned char byte)
{
    if ((byte & 0xc0) != 0x80) {
        partial_give_up(edit);
    }
    edit->partial[edit->partial_used++] = (char)byte;
    if (edit->partial_used >= line_edit_char_wants((unsigned char)edit->partial[0])) {
        partial_give_up(edit);
    }
}

enum line_event line_keys_byte(struct line_edit *edit, unsigned char byte)
{
    int is_second = edit->after_return && byte == '\n';

    edit->after_return = byte == '\r';
    if (is_second) {
        return LINE_NONE;
    }
    if (byte < 0x20 || byte == DELETE) {
        partial_give_up(edit);
        edit->state = byte == ESCAPE ? LINE_ESCAPE : LINE_PLAIN;
        return key_control(edit, byte);
    }
    switch (edit->state) {
    case LINE_ESCAPE:
        escape_byte(edit, byte);
        return LINE_NONE;
    case LINE_SEQUENCE:
        return sequence_byte(edit, byte);
    case LINE_SHIFT:
        return sequence_end(edit, byte);
    case LINE_SKIP:
        edit->state = LINE_PLAIN;
        return LINE_NONE;
    case LINE_STRING:
        return LINE_NONE;
    case LINE_PLAIN:
        break;
    }
    text_byte(edit, byte);
    return LINE_NONE;
}
