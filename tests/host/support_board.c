/* SPDX-License-Identifier: MIT */
/* Device trees of boards: see support_board.h. */
#include "support_board.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support_sensible.h"
#include "support_tree.h"

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

void *board_tree_load(const glob_t *found, size_t i)
{
    static _Alignas(8) char room[TREE_ROOM_BYTES];

    cr_log_info("looking at %s", found->gl_pathv[i]);
    tree_load_file(found->gl_pathv[i], room);
    return room;
}

void expect_board(const char *file, const struct machine *want, const char *refused_for)
{
    glob_t found = board_trees_find(file);

    for (size_t i = 0; i < found.gl_pathc; i++) {
        const void *fdt = board_tree_load(&found, i);

        for (size_t hart = 0; hart < want->hart_count; hart++) {
            uint64_t boot_hart = want->harts[hart].hart_id;
            struct machine got = tree_conclude(fdt, boot_hart);

            expect_facts(&got, want);
            expect_sensible(&got, boot_hart);
        }
        expect_refusal(fdt, 0, ERR_NOTSUP, MONITOR, refused_for);
    }
    globfree(&found);
}

static bool is_one_of(const char *text, const char *const *names)
{
    while (*names != NULL && strcmp(*names, text) != 0) {
        names++;
    }
    return *names != NULL;
}

void expect_regions(const struct machine *ours, const struct machine *theirs,
                    const char *const *extra)
{
    for (size_t i = 0; i < ours->io_count; i++) {
        const struct machine_io *io = &ours->io[i];
        size_t same = 0;
        size_t overlapping = 0;

        for (size_t j = 0; j < theirs->io_count; j++) {
            struct pa_range range = theirs->io[j].range;

            same += io->range.start.raw == range.start.raw && io->range.end.raw == range.end.raw;
            overlapping += pa_ranges_overlap(io->range, range);
        }
        cr_assert(overlapping == same, "%s at %#lx lies otherwise in the board's tree",
                  io->compatible, (unsigned long)io->range.start.raw);
        cr_assert((same == 0) == is_one_of(io->compatible, extra),
                  "%s at %#lx is %zu times in the board's tree", io->compatible,
                  (unsigned long)io->range.start.raw, same);
    }
}
