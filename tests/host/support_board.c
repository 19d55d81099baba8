/* SPDX-License-Identifier: MIT */
/* Device trees of boards: see support_board.h. */
#include "support_board.h"

#include <stdio.h>
#include <stdlib.h>

#include "support.h"

static void find_below(const char *directory, const char *pattern, glob_t *found)
{
    char path[1024];
    int length = snprintf(path, sizeof(path), "%s/%s", directory, pattern);
    int error;

    cr_assert(length > 0 && (size_t)length < sizeof(path));
    error = glob(path, found->gl_pathc > 0 ? GLOB_APPEND : 0, NULL, found);
    cr_assert(error == 0 || error == GLOB_NOMATCH, "looking for %s failed", path);
}

glob_t board_trees_find(const char *pattern)
{
    const char *instead = getenv("VELLUM_BOARD_TREES");
    glob_t found = {0};

    if (instead != NULL) {
        find_below(instead, pattern, &found);
    } else {
        find_below(VELLUM_BOARD_TREES, pattern, &found);
        find_below("/usr/lib/linux-image-*", pattern, &found);
    }
    if (found.gl_pathc == 0) {
        cr_skip_test("%s is not here; scripts/setup --for full fetches it", pattern);
    }
    return found;
}
