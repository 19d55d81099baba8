/* SPDX-License-Identifier: MIT */
/* The shell's words: splitting, quotes, completion, guesses at what was meant, and history. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "user/init/pure/complete.h"
#include "user/init/pure/line_history.h"
#include "user/init/pure/words.h"

/* The commands of a line as "word|word&;word;": quotes gone, & and ; where they end one. */
static const char *split(const char *line)
{
    static char text[512];
    static char result[512];
    char *rest = text;
    size_t used = 0;

    (void)snprintf(text, sizeof(text), "%s", line);
    result[0] = '\0';
    while (rest != NULL) {
        struct words words;
        enum words_result taken = words_next(&rest, &words);

        if (taken != WORDS_OK) {
            cr_assert(rest == NULL);
            return taken == WORDS_UNCLOSED ? "unclosed" : "too many";
        }
        cr_assert(words.argv[words.argc] == NULL);
        for (int i = 0; i < words.argc; i++) {
            used += (size_t)snprintf(result + used, sizeof(result) - used, "%s%s",
                                     i == 0 ? "" : "|", words.argv[i]);
        }
        used += (size_t)snprintf(result + used, sizeof(result) - used, "%s;",
                                 words.is_background ? "&" : "");
    }
    return result;
}

Test(init_words, lines_are_split)
{
    static const char *const rows[][2] = {
        {"", ";"},
        {"one", "one;"},
        {"  one   two ", "one|two;"},
        {"one;two;", "one;two;;"},
        {" ; one", ";one;"},
        {"run \"a b\" c", "run|a b|c;"},
        {"a\"b; c\"d", "ab; cd;"},
        {"\"\"", ";"},
        {"echo \"\" x", "echo||x;"},
        {"one & two", "one&;two;"},
        {"one&", "one&;;"},
        {"\"one&two\"", "one&two;"},
        {"one \"two", "unclosed"},
        {"\"", "unclosed"},
        {"a\tb\r", "a|b;"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_assert_str_eq(split(rows[i][0]), rows[i][1]);
    }
}

Test(init_words, an_empty_word_in_quotes_is_a_word)
{
    char text[] = "\"\"";
    char *rest = text;
    struct words words;

    cr_assert(words_next(&rest, &words) == WORDS_OK && words.argc == 1);
    cr_assert_str_eq(words.argv[0], "");
}

Test(init_words, more_words_than_fit_are_refused)
{
    char line[WORDS_MAX * 2 + 3] = "";

    for (int i = 0; i < WORDS_MAX; i++) {
        strcat(line, "a ");
    }
    cr_assert_str_neq(split(line), "too many");
    strcat(line, "a");
    cr_assert_str_eq(split(line), "too many");
}

Test(init_words, distance_counts_slips)
{
    cr_assert(words_distance("vmmap", "vmmap") == 0);
    cr_assert(words_distance("vmap", "vmmap") == 1);
    cr_assert(words_distance("hlep", "help") == 1);
    cr_assert(words_distance("coutn", "count") == 1);
    cr_assert(words_distance("pts", "ps") == 1);
    cr_assert(words_distance("", "ps") == 2);
    cr_assert(words_distance("nonsense", "help") == WORDS_FAR);
    cr_assert(words_distance("a-name-that-is-longer-than-any-command", "help") == WORDS_FAR);
}

static int is_count(const char *name)
{
    return strcmp(name, "count") == 0;
}

Test(init_words, completion_finds_the_word_and_its_command)
{
    static const struct {
        const char *text;
        const char *command;
        const char *word;
        int fits;
    } rows[] = {
        {"", "", "", 1},
        {"he", "", "he", 1},
        {"run he", "run", "he", 1},
        {"run hello a", "run", "a", 1},
        {"ls; te", "", "te", 1},
        {"count ru", "", "ru", 1},
        {"count run he", "run", "he", 1},
        {"  run  x", "run", "x", 1},
        {"a & b", "", "b", 1},
        {"echo \"a b", "echo", "", 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct complete_place place;

        complete_place_find(rows[i].text, strlen(rows[i].text), is_count, &place);
        cr_assert(place.fits == rows[i].fits, "%s", rows[i].text);
        cr_assert_str_eq(place.command, rows[i].command);
        cr_assert(!place.fits || strcmp(place.word, rows[i].word) == 0, "%s", rows[i].text);
    }
}

Test(init_words, completion_of_a_word_too_long_is_none)
{
    char text[200];
    struct complete_place place;

    memset(text, 'x', sizeof(text));
    complete_place_find(text, sizeof(text), is_count, &place);
    cr_assert(!place.fits);
}

Test(init_words, names_are_sorted_and_have_something_in_common)
{
    static struct complete_set set;

    complete_begin(&set, "t_");
    complete_offer(&set, "t_copy");
    complete_offer(&set, "hello");
    complete_offer(&set, "t_counts");
    complete_offer(&set, "t_code_moves");
    complete_offer(&set, "t_copy");
    cr_assert(set.kept == 3);
    cr_assert_str_eq(set.names[0], "t_code_moves");
    cr_assert_str_eq(set.names[1], "t_copy");
    cr_assert_str_eq(set.names[2], "t_counts");
    cr_assert_str_eq(set.common, "t_co");
}

Test(init_words, more_names_than_fit_are_counted)
{
    static struct complete_set set;
    char name[16];

    complete_begin(&set, "");
    for (unsigned i = 0; i < COMPLETE_NAMES + 5; i++) {
        (void)snprintf(name, sizeof(name), "n%05u", i);
        complete_offer(&set, name);
    }
    cr_assert(set.kept == COMPLETE_NAMES && set.missed == 5);
    cr_assert_str_eq(set.common, "n00");
}

Test(init_words, plain_text_steers_no_terminal)
{
    char plain[8];

    cr_assert(words_plain("a\x1b[J\x7f\n\xc3", plain, sizeof(plain)));
    cr_assert_str_eq(plain, "a?[J??\xc3");
    cr_assert(!words_plain("12345678", plain, sizeof(plain)));
    cr_assert_str_eq(plain, "1234567");
    cr_assert(words_plain("", plain, sizeof(plain)));
    cr_assert_str_eq(plain, "");
}

Test(init_words, history_goes_back_and_keeps_the_edited_line)
{
    static struct line_history history;

    line_history_add(&history, "one");
    line_history_add(&history, "two");
    line_history_add(&history, "two");
    line_history_add(&history, "  ");
    cr_assert(history.end == 2);
    cr_assert_str_eq(line_history_older(&history, "edi"), "two");
    cr_assert_str_eq(line_history_older(&history, "two"), "one");
    cr_assert(line_history_older(&history, "one") == NULL);
    cr_assert_str_eq(line_history_newer(&history), "two");
    cr_assert_str_eq(line_history_newer(&history), "edi");
    cr_assert(line_history_newer(&history) == NULL);
}

Test(init_words, history_forgets_the_oldest)
{
    static struct line_history history;
    char line[LINE_BYTES];
    unsigned lines = 3 * HISTORY_BYTES / 100;
    unsigned kept = 0;

    for (unsigned i = 0; i < lines; i++) {
        (void)snprintf(line, sizeof(line), "line %u%*s", i, (int)(i * 7 % 400), "x");
        line_history_add(&history, line);
        cr_assert(history.used <= HISTORY_BYTES);
    }
    while (line_history_older(&history, "") != NULL) {
        kept++;
    }
    cr_assert(kept == history.end - history.first && kept > 10 && kept < lines);
    for (unsigned i = lines - kept + 1; i < lines; i++) {
        (void)snprintf(line, sizeof(line), "line %u%*s", i, (int)(i * 7 % 400), "x");
        cr_assert_str_eq(line_history_newer(&history), line);
    }
    cr_assert_str_eq(line_history_newer(&history), "");
}
