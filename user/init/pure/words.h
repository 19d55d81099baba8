/* SPDX-License-Identifier: MIT */
/* Splitting a line into commands and their words, and guessing what a mistyped name meant. */
#pragma once

#include <stddef.h>

#define WORDS_MAX 32

enum words_result {
    WORDS_OK,
    WORDS_UNCLOSED, /* a quote is not closed    */
    WORDS_TOO_MANY, /* more than WORDS_MAX      */
};

struct words {
    int argc; /* 0: an empty command                          */
    const char *argv[WORDS_MAX + 1];
    int is_background; /* 1: it ended with &                           */
};

/* Takes the first command off *text: up to `;`, `&` or the end, outside of quotes.  Blanks separate
 * words; in "..." they do not, and quotes vanish.  The words lie in the text, which is changed.
 * *text is NULL after the last command, and after an error. */
enum words_result words_next(char **text, struct words *words);

/* Copies a text as far as there is room, with '?' for each byte that would steer a terminal.
 * Nonzero: all of it is there. */
int words_plain(const char *text, char *plain, size_t plain_bytes);

/* How many letters must be changed, added, left out or swapped to turn one name into the other;
 * WORDS_FAR if more than a slip of the hand. */
#define WORDS_FAR 3U
unsigned words_distance(const char *one, const char *other);
