/* SPDX-License-Identifier: MIT */
/* See line_history.h.  Numbers only grow; a session would have to type 2^32 lines to wrap them. */
#include "line_history.h"

#include <stdio.h>
#include <string.h>

const char *line_history_line(const struct line_history *history, uint32_t number)
{
    const char *line = history->lines;

    for (uint32_t i = history->first; i != number; i++) {
        line += strlen(line) + 1;
    }
    return line;
}

static void oldest_forget(struct line_history *history)
{
    size_t bytes = strlen(history->lines) + 1;

    history->used -= bytes;
    memmove(history->lines, history->lines + bytes, history->used);
    history->first++;
}

void line_history_add(struct line_history *history, const char *line)
{
    size_t bytes = strlen(line) + 1;
    int is_blank = line[strspn(line, " ")] == '\0';
    int is_same = history->end != history->first &&
                  strcmp(line_history_line(history, history->end - 1), line) == 0;

    if (!is_blank && !is_same && bytes <= LINE_BYTES) {
        while (bytes > HISTORY_BYTES - history->used) {
            oldest_forget(history);
        }
        memcpy(history->lines + history->used, line, bytes);
        history->used += bytes;
        history->end++;
    }
    history->shown = history->end;
}

const char *line_history_older(struct line_history *history, const char *current)
{
    if (history->shown == history->first) {
        return NULL;
    }
    if (history->shown == history->end) {
        (void)snprintf(history->edited, sizeof(history->edited), "%s", current);
    }
    history->shown--;
    return line_history_line(history, history->shown);
}

const char *line_history_newer(struct line_history *history)
{
    if (history->shown == history->end) {
        return NULL;
    }
    history->shown++;
    return history->shown == history->end ? history->edited
                                          : line_history_line(history, history->shown);
}
