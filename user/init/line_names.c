/* SPDX-License-Identifier: MIT */
/* Completion: which names there are for a word, and showing those that fit. */
#include <stdio.h>
#include <string.h>

#include "pure/complete.h"
#include "pure/line_edit.h"
#include "pure/words.h"
#include "shell.h"

static int runs_another(const char *name)
{
    return command_completes(name) == COMPLETES_COMMAND;
}

static void offer_commands(struct complete_set *set)
{
    const char *name;

    for (size_t i = 0; (name = command_name(i)) != NULL; i++) {
        complete_offer(set, name);
    }
}

/* The files of a folder of the archive.  What they all have in front need not be typed. */
static void offer_files(struct complete_set *set, const char *folder, const char *front)
{
    struct cpio_file file;

    for (size_t offset = 0; archive_next(&offset, &file) == CPIO_OK;) {
        const char *name = archive_name(&file);

        if (strncmp(name, folder, strlen(folder)) != 0) {
            continue;
        }
        name += strlen(folder);
        if (strncmp(name, front, strlen(front)) == 0 &&
            strncmp(set->word, front, strlen(front)) != 0) {
            name += strlen(front);
        }
        char plain[COMPLETE_NAME_BYTES];

        if (words_plain(name, plain, sizeof(plain))) {
            complete_offer(set, plain);
        }
    }
}

static void offer_processes(struct complete_set *set)
{
    struct process_info info = {0};

    for (unsigned i = 0; i < PROCESSES_MAX && process_next(&info) == 0; i++) {
        complete_offer(set, info.name);
    }
}

static void offer_for(struct complete_set *set, const char *command)
{
    switch (command[0] == '\0' ? COMPLETES_COMMAND : command_completes(command)) {
    case COMPLETES_NOTHING:
        break;
    case COMPLETES_COMMAND:
        offer_commands(set);
        offer_files(set, "bin/", "");
        break;
    case COMPLETES_NAME:
        offer_commands(set);
        break;
    case COMPLETES_PROGRAM:
        offer_files(set, "bin/", "");
        break;
    case COMPLETES_TEST:
        offer_files(set, ARCHIVE_TESTS, "t_");
        break;
    case COMPLETES_PROCESS:
        offer_processes(set);
        break;
    case COMPLETES_TRACE:
        complete_offer(set, "on");
        complete_offer(set, "off");
        complete_offer(set, "dump");
        break;
    }
}

/* Lists names in columns, by rising order down each. */
static void names_list(const struct complete_set *set)
{
    size_t width = 1;

    for (size_t i = 0; i < set->kept; i++) {
        size_t bytes = strlen(set->names[i]) + 2;

        width = bytes > width ? bytes : width;
    }
    size_t across = line_columns() > width ? (line_columns() - 1) / width : 1;
    size_t down = (set->kept + across - 1) / across;

    for (size_t row = 0; row < down; row++) {
        for (size_t i = row; i < set->kept; i += down) {
            int is_last = i + down >= set->kept;

            printf("%-*s", is_last ? 0 : (int)width, set->names[i]);
        }
        printf("\n");
    }
    if (set->missed != 0) {
        printf("and %zu more\n", set->missed);
    }
}

void line_names_complete(struct line_edit *edit)
{
    static struct complete_set set;
    struct complete_place place;

    complete_place_find(edit->text, edit->at, runs_another, &place);
    complete_begin(&set, place.word);
    if (place.fits) {
        offer_for(&set, place.command);
    }
    if (set.kept == 0) {
        line_edit_bell(edit);
        return;
    }
    size_t typed = strlen(place.word);

    line_edit_insert(edit, set.common + typed, strlen(set.common) - typed);
    if (set.kept == 1) {
        if (edit->text[edit->at] != ' ') {
            line_edit_insert(edit, " ", 1);
        }
        return;
    }
    printf("\n");
    names_list(&set);
    line_edit_show(edit);
}
