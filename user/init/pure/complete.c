/* SPDX-License-Identifier: MIT */
/* See complete.h. */
#include "complete.h"

#include <stdio.h>
#include <string.h>

/* Copies [from, end) of a text; 0: too long. */
static int word_copy(char *word, const char *from, const char *end)
{
    size_t count = (size_t)(end - from);

    if (count >= COMPLETE_NAME_BYTES) {
        return 0;
    }
    memcpy(word, from, count);
    word[count] = '\0';
    return 1;
}

void complete_place_find(const char *text, size_t at, int (*skip)(const char *name),
                         struct complete_place *place)
{
    const char *end = text + at;
    const char *word = text;
    int is_quoted = 0;

    *place = (struct complete_place){.fits = 1};
    for (const char *now = text; now < end; now++) {
        is_quoted ^= *now == '"';
        if (is_quoted || strchr(" ;&", *now) == NULL) {
            continue;
        }
        if (*now != ' ') {
            place->command[0] = '\0';
        } else if (now > word && place->command[0] == '\0') {
            place->fits = word_copy(place->command, word, now);
            if (place->fits && skip(place->command)) {
                place->command[0] = '\0';
            }
        }
        word = now + 1;
    }
    place->fits = place->fits && !is_quoted && word_copy(place->word, word, end);
}

void complete_begin(struct complete_set *set, const char *word)
{
    set->word = word;
    set->kept = 0;
    set->missed = 0;
    (void)snprintf(set->common, sizeof(set->common), "%s", word);
}

/* Shortens what all names have in common. */
static void common_shorten(struct complete_set *set, const char *name)
{
    size_t same = 0;

    while (set->common[same] != '\0' && set->common[same] == name[same]) {
        same++;
    }
    set->common[same] = '\0';
}

void complete_offer(struct complete_set *set, const char *name)
{
    size_t place = 0;

    if (strncmp(name, set->word, strlen(set->word)) != 0 || strlen(name) >= COMPLETE_NAME_BYTES) {
        return;
    }
    while (place < set->kept && strcmp(set->names[place], name) < 0) {
        place++;
    }
    if (place < set->kept && strcmp(set->names[place], name) == 0) {
        return;
    }
    if (set->kept == 0) {
        (void)snprintf(set->common, sizeof(set->common), "%s", name);
    }
    common_shorten(set, name);
    if (set->kept == COMPLETE_NAMES) {
        set->missed++;
        return;
    }
    memmove(set->names[place + 1], set->names[place], (set->kept - place) * COMPLETE_NAME_BYTES);
    (void)snprintf(set->names[place], COMPLETE_NAME_BYTES, "%s", name);
    set->kept++;
}
