/* SPDX-License-Identifier: MIT */
/*
 * The line editor: keys, characters of several bytes, long lines, the width of its terminal, and
 * random bytes.
 */
#include "support_line.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void expect(const char *text, size_t at, const char *visible)
{
    cr_assert_str_eq(edit.text, text);
    cr_assert(edit.at == at, "the cursor is at %zu, not %zu", edit.at, at);
    cr_assert_str_eq(line_shown(), visible);
}

Test(line_edit, what_is_typed_is_shown_and_returned)
{
    line_begin(80);
    line_type("run hello");
    expect("run hello", 9, PROMPT "run hello");
    cr_assert(terminal.at == strlen(PROMPT) + 9);
    cr_assert(line_type("\r") == LINE_READY);
    cr_assert_str_eq(edit.text, "run hello");
    cr_assert(terminal.newlines == 1);
}

struct key_row {
    const char *name;
    const char *typed;
    const char *text;
    size_t at;
};

Test(line_edit, keys_move_and_erase)
{
    static const struct key_row rows[] = {
        {"left", "abc" LEFT, "abc", 2},
        {"left at the begin", "a" LEFT LEFT LEFT, "a", 0},
        {"right", "abc" LEFT LEFT RIGHT, "abc", 2},
        {"right at the end", "abc" RIGHT, "abc", 3},
        {"application keys", "abc\033OD\033OD\033OC", "abc", 2},
        {"insert in the middle", "ac" LEFT "b", "abc", 2},
        {"Home", "abc\033[H", "abc", 0},
        {"Home of other terminals", "abc\033[1~", "abc", 0},
        {"End", "abc\033[H\033[F", "abc", 3},
        {"End of other terminals", "abc\033[H\033[4~", "abc", 3},
        {"Ctrl-A", "abc\001", "abc", 0},
        {"Ctrl-E", "abc\001\005", "abc", 3},
        {"Ctrl-B and Ctrl-F", "abc\002\002\006", "abc", 2},
        {"Ctrl-K", "abc" LEFT "\013", "ab", 2},
        {"Ctrl-U", "abc" LEFT "\025", "c", 0},
        {"Ctrl-W", "one two  \027", "one ", 4},
        {"Ctrl-W in a word", "one two" LEFT "\027", "one o", 4},
        {"Backspace", "abc\177", "ab", 2},
        {"Backspace in the middle", "abc" LEFT "\b", "ac", 1},
        {"Backspace at the begin", "\177\177", "", 0},
        {"Delete", "abc\001\033[3~", "bc", 0},
        {"Ctrl-D in a line", "abc\001\004", "bc", 0},
        {"Delete at the end", "abc\033[3~", "abc", 3},
        {"words by Ctrl-arrows", "one two\033[1;5D\033[1;5D", "one two", 0},
        {"words forward", "one two\001\033[1;5C", "one two", 3},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char visible[64];

        line_begin(80);
        line_type(rows[i].typed);
        (void)snprintf(visible, sizeof(visible), "%s%s", PROMPT, rows[i].text);
        while (visible[strlen(visible) - 1] == ' ') {
            visible[strlen(visible) - 1] = '\0';
        }
        cr_assert(strcmp(edit.text, rows[i].text) == 0 && edit.at == rows[i].at &&
                      strcmp(line_shown(), visible) == 0,
                  "%s: \"%s\" at %zu, shown \"%s\"", rows[i].name, edit.text, edit.at,
                  line_shown());
        cr_assert(terminal.at == strlen(PROMPT) + edit.at, "%s: cursor", rows[i].name);
    }
}

Test(line_edit, keys_that_ask_for_something)
{
    static const struct {
        const char *typed;
        enum line_event event;
    } rows[] = {
        {"\033[A", LINE_OLDER},    {"\033OA", LINE_OLDER},
        {"\020", LINE_OLDER},      {"\033[B", LINE_NEWER},
        {"\016", LINE_NEWER},      {"\t", LINE_COMPLETE},
        {"\014", LINE_CLEAR},      {"\003", LINE_GIVEN_UP},
        {"\004", LINE_END},        {"\r", LINE_READY},
        {"\n", LINE_READY},        {"x\004", LINE_NONE},
        {"\033[31\r", LINE_READY}, {"\033]0;\003", LINE_GIVEN_UP},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        line_begin(80);
        cr_assert(line_type(rows[i].typed) == rows[i].event, "row %zu", i);
    }
}

Test(line_edit, unknown_sequences_do_nothing)
{
    static const char *const rows[] = {
        "\033[5~",
        "\033[24~",
        "\033[[A",
        "\033[?1;2c",
        "\033[200~",
        "\033[<0;1;1M",
        "\033OP",
        "\033q",
        "\033(B",
        "\033[1;2;3;4;5Z",
        "\033[99999999999999999999n",
        "\033]0;title\a",
        "\033P1$r\033\\",
        "\033\033[Z",
        "\001\002\005\006",
        "\033[38;5;196m",
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        line_begin(80);
        line_type("ab");
        line_type(rows[i]);
        line_type("c");
        cr_assert(strcmp(edit.text, "abc") == 0 || strcmp(edit.text, "acb") == 0 ||
                      strcmp(edit.text, "cab") == 0,
                  "row %zu: %s", i, edit.text);
    }
}

Test(line_edit, return_and_newline_together_are_one)
{
    line_begin(80);
    cr_assert(line_type("one\r") == LINE_READY);
    line_edit_begin(&edit, PROMPT);
    cr_assert(line_type("\n") == LINE_NONE);
    cr_assert(line_type("two\n") == LINE_READY);
    cr_assert_str_eq(edit.text, "two");
}

Test(line_edit, characters_of_several_bytes_are_one)
{
    line_begin(80);
    line_type("a\xc3\xa4"
              "b");
    expect("a\xc3\xa4"
           "b",
           4,
           PROMPT "a\xc3\xa4"
                  "b");
    cr_assert(terminal.at == strlen(PROMPT) + 3);
    line_type(LEFT LEFT);
    cr_assert(edit.at == 1 && terminal.at == strlen(PROMPT) + 1);
    line_type("\033[3~");
    expect("ab", 1, PROMPT "ab");
}

Test(line_edit, what_may_not_be_one_column_is_a_question_mark)
{
    line_begin(80);
    line_type("\xe4\xb8\xad|\xcc\x81|\xf0\x9f\x98\x80|\xff|\x80|\xc2\x9b");
    cr_assert_str_eq(line_shown(), PROMPT "?|?|?|?|?|?");
    line_type("\177\177");
    cr_assert_str_eq(edit.text, "\xe4\xb8\xad|\xcc\x81|\xf0\x9f\x98\x80|\xff|\x80");
}

Test(line_edit, half_a_character_stands_for_itself)
{
    line_begin(80);
    line_type("\xe4\xb8"
              "a\r");
    cr_assert_str_eq(edit.text, "\xe4\xb8"
                                "a");
    line_begin(80);
    line_type("\xc3\r");
    cr_assert_str_eq(edit.text, "\xc3");
}

Test(line_edit, long_lines_scroll_sideways)
{
    line_begin(40);
    for (unsigned i = 0; i < 60; i++) {
        char digit[2] = {(char)('0' + i % 10), '\0'};

        line_type(digit);
    }
    cr_assert(edit.used == 60 && terminal.at < 40);
    cr_assert(line_shown()[strlen(PROMPT)] == '<');
    cr_assert(line_shown()[strlen(line_shown()) - 1] == '9');
    line_type("\001");
    cr_assert_str_eq(line_shown(), PROMPT "012345678901234567890123456789>");
    cr_assert(terminal.at == strlen(PROMPT));
    line_type("\005\025");
    expect("", 0, "vellum>");
}

Test(line_edit, a_full_line_rings_and_keeps_what_it_has)
{
    line_begin(80);
    for (unsigned i = 0; i < LINE_BYTES + 10; i++) {
        line_type("x");
    }
    cr_assert(edit.used == LINE_BYTES - 1 && terminal.bells == 11);
    line_type("\xc3\xa4");
    cr_assert(edit.used == LINE_BYTES - 1 && terminal.bells == 12);
}

Test(line_edit, the_terminal_tells_its_width)
{
    line_begin(80);
    line_type("\033[24;132R");
    cr_assert(edit.columns == 132 && edit.answered);
    line_type("\033[1;3R");
    cr_assert(edit.columns == LINE_COLUMNS_MIN);
    line_type("\033[1;9999R");
    cr_assert(edit.columns == LINE_COLUMNS_MAX);
    line_type("\033[7R");
    cr_assert(edit.columns == LINE_COLUMNS_MAX && edit.used == 0);
}

/* The cursor is where a character begins, and what stands there is that character. */
static void expect_cursor(unsigned step)
{
    const char *cell = terminal.row[terminal.at];
    size_t at = 0;

    while (at < edit.at) {
        at += line_edit_char_bytes(&edit, at);
    }
    cr_assert(at == edit.at, "step %u: the cursor is inside a character", step);
    cr_assert(at == edit.used || (edit.text[at] & 0x80) != 0 || cell[0] == edit.text[at],
              "step %u: the cursor is on '%s', not on '%c'", step, cell, edit.text[at]);
}

/* What the row must show, worked out anew from the text and the window. */
static void expect_consistent(unsigned step)
{
    static struct line_edit again;
    static struct terminal before;
    char row[LINE_COLUMNS_MAX * 4 + 1];
    size_t at = terminal.at;

    (void)snprintf(row, sizeof(row), "%s", line_shown());
    before = terminal;
    again = edit;
    line_row_clear();
    line_edit_show(&edit);
    cr_assert(strcmp(row, line_shown()) == 0, "step %u: shows \"%s\", anew \"%s\"", step, row,
              line_shown());
    cr_assert(at == terminal.at, "step %u: cursor at %zu, anew %zu", step, at, terminal.at);
    terminal = before;
    edit = again;
}

Test(line_edit, random_bytes_never_break_the_row)
{
    static const char *const pieces[] = {
        LEFT,           RIGHT,
        "\033[H",       "\033[F",
        "\033[3~",      "\177",
        "\001",         "\005",
        "\013",         "\027",
        "word ",        "\xc3\xa4",
        "\xe4\xb8\xad", "abcdefghijklmnopqrstuvwxyz",
        "\033[1;5D",    "\033[1;5C",
    };

    srand(20261122);
    for (unsigned round = 0; round < 200; round++) {
        line_begin(LINE_COLUMNS_MIN + (size_t)rand() % 80);
        for (unsigned step = 0; step < 300; step++) {
            if (rand() % 4 == 0) {
                char byte = (char)(rand() % 256);

                line_type_bytes(&byte, 1);
            } else {
                line_type(pieces[(size_t)rand() % (sizeof(pieces) / sizeof(pieces[0]))]);
            }
            cr_assert(edit.at <= edit.used && edit.used < LINE_BYTES);
            cr_assert(edit.text[edit.used] == '\0');
            if (edit.columns != terminal.columns) {
                break; /* the bytes happened to tell another width */
            }
            if (terminal.newlines != 0) {
                terminal.newlines = 0;
                line_edit_begin(&edit, PROMPT);
            }
            if (edit.state == LINE_PLAIN) {
                expect_cursor(step);
                expect_consistent(step);
            }
        }
    }
}
