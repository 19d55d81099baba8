/* SPDX-License-Identifier: MIT */
/* See words.h. */
#include "words.h"

#include <string.h>

#define NAME_MAX_BYTES 32U

/* Takes one word: returns where it ends in the source, NULL if a quote is open.  The word itself,
 * without quotes, is written from *write on, which never passes what is read. */
static char *word_take(char *read, char **write)
{
    int is_quoted = 0;

    for (; *read != '\0' && (is_quoted || strchr(" \t\r\n;&", *read) == NULL); read++) {
        if (*read == '"') {
            is_quoted = !is_quoted;
        } else {
            *(*write)++ = *read;
        }
    }
    return is_quoted ? NULL : read;
}

enum words_result words_next(char **text, struct words *words)
{
    char *read = *text;

    *words = (struct words){.argc = 0};
    *text = NULL;
    for (;;) {
        read += strspn(read, " \t\r\n");
        char end = *read;

        if (end == '\0' || end == ';' || end == '&') {
            words->is_background = end == '&';
            *text = end == '\0' ? NULL : read + 1;
            return WORDS_OK;
        }
        if (words->argc == WORDS_MAX) {
            return WORDS_TOO_MANY;
        }
        char *write = read;

        words->argv[words->argc++] = read;
        read = word_take(read, &write);
        if (read == NULL) {
            return WORDS_UNCLOSED;
        }
        end = *read;
        *write = '\0';
        if (end == ';' || end == '&' || end == '\0') {
            words->is_background = end == '&';
            *text = end == '\0' ? NULL : read + 1;
            return WORDS_OK;
        }
        read++;
    }
}

static unsigned least(unsigned one, unsigned other)
{
    return one < other ? one : other;
}

unsigned words_distance(const char *one, const char *other)
{
    unsigned rows[3][NAME_MAX_BYTES + 1];
    size_t one_bytes = strlen(one);
    size_t other_bytes = strlen(other);

    if (one_bytes > NAME_MAX_BYTES || other_bytes > NAME_MAX_BYTES) {
        return WORDS_FAR;
    }
    for (size_t j = 0; j <= other_bytes; j++) {
        rows[0][j] = (unsigned)j;
    }
    for (size_t i = 1; i <= one_bytes; i++) {
        unsigned *row = rows[i % 3];
        const unsigned *above = rows[(i - 1) % 3];
        const unsigned *above_that = rows[(i + 1) % 3];

        row[0] = (unsigned)i;
        for (size_t j = 1; j <= other_bytes; j++) {
            unsigned differs = one[i - 1] != other[j - 1];

            row[j] = least(above[j - 1] + differs, least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1]) {
                row[j] = least(row[j], above_that[j - 2] + 1);
            }
        }
    }
    return least(rows[one_bytes % 3][other_bytes], WORDS_FAR);
}

int words_plain(const char *text, char *plain, size_t plain_bytes)
{
    size_t at = 0;

    for (; text[at] != '\0' && at + 1 < plain_bytes; at++) {
        unsigned char byte = (unsigned char)text[at];

        plain[at] = byte < 0x20 || byte == 0x7f ? '?' : text[at];
    }
    plain[at] = '\0';
    return text[at] == '\0';
}
