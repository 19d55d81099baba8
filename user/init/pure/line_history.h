/* SPDX-License-Identifier: MIT */
/* The lines typed before, oldest given up first, and the way through them. */
#pragma once

#include "line_edit.h"

#define HISTORY_BYTES 4096U

struct line_history {
    char lines[HISTORY_BYTES]; /* one behind the other, each ended by NUL               */
    size_t used;
    uint32_t first;          /* number of the oldest kept                             */
    uint32_t end;            /* number of the next                                    */
    uint32_t shown;          /* number of the line shown; end: the edited one         */
    char edited[LINE_BYTES]; /* what was typed before going back                      */
};

/* Keeps a line, unless it is blank or the same as the one before, and goes to the end. */
void line_history_add(struct line_history *history, const char *line);

/* The line before the shown one, NULL: none.  `current` is what the editor holds; it is kept when
 * it is the edited line. */
const char *line_history_older(struct line_history *history, const char *current);

/* The line after the shown one; behind the last comes the edited line as it was.  NULL: none. */
const char *line_history_newer(struct line_history *history);

/* Line of a number from first up to end. */
const char *line_history_line(const struct line_history *history, uint32_t number);
