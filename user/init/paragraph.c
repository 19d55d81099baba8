/* SPDX-License-Identifier: MIT */
/* Text in lines of whole words, as wide as the terminal but no wider than is good to read. */
#include <stdio.h>
#include <string.h>

#include "shell.h"

#define COLUMNS_MAX 100U

void paragraph_print(const char *text, size_t at, size_t indent)
{
    size_t width = line_columns() - 1 < COLUMNS_MAX ? line_columns() - 1 : COLUMNS_MAX;
    int is_first = 1;

    while (*text != '\0') {
        size_t bytes = strcspn(text, " ");

        if (!is_first && at + 1 + bytes > width) {
            printf("\n");
            is_first = 1;
            at = 0;
        }
        size_t blanks = !is_first ? 1 : at < indent ? indent - at : 0;

        printf("%*s%.*s", (int)blanks, "", (int)bytes, text);
        at += blanks + bytes;
        text += bytes + strspn(text + bytes, " ");
        is_first = 0;
    }
    printf("\n");
}
