/* SPDX-License-Identifier: MIT */
/* Says each line that is typed, until Ctrl-D: by fgets, or with the argument `read` by read(). */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static size_t line_take(char *text, size_t text_bytes, int by_read)
{
    if (!by_read) {
        return fgets(text, (int)text_bytes, stdin) != NULL ? strlen(text) : 0;
    }
    ssize_t count = read(STDIN_FILENO, text, text_bytes - 1);

    text[count > 0 ? count : 0] = '\0';
    return count > 0 ? (size_t)count : 0;
}

int main(int argc, char **argv)
{
    int by_read = argc > 1 && strcmp(argv[1], "read") == 0;
    char text[80];
    size_t bytes;

    printf("lines: type some; Ctrl-D ends\n");
    while ((bytes = line_take(text, sizeof(text), by_read)) != 0) {
        size_t letters = strcspn(text, "\n");

        printf("%zu bytes: %.*s%s\n", bytes, (int)letters, text, letters < bytes ? "" : " ...");
    }
    printf("lines: the end\n");
    return 0;
}
