/* SPDX-License-Identifier: MIT */
/* Completion: which word of a line is to be completed, and what the names that fit have in common.
 */
#pragma once

#include <stddef.h>

#define COMPLETE_NAMES      128U /* kept to be listed; more are only counted          */
#define COMPLETE_NAME_BYTES 48U  /* with the final NUL; longer names are not offered  */

/* Where the cursor's word stands. */
struct complete_place {
    char command[COMPLETE_NAME_BYTES]; /* the command's name, "" in the first word    */
    char word[COMPLETE_NAME_BYTES];    /* the word up to the cursor                   */
    int fits;                          /* 0: the word is too long, or inside quotes */
};

/* Finds the word that ends at text + at.  skip(name): nonzero for commands that run the command
 * behind them ("count"), which are passed over. */
void complete_place_find(const char *text, size_t at, int (*skip)(const char *name),
                         struct complete_place *place);

/* The names offered that begin with the word; sorted, each once. */
struct complete_set {
    const char *word;
    char names[COMPLETE_NAMES][COMPLETE_NAME_BYTES];
    size_t kept;
    size_t missed;                    /* names for which there was no room        */
    char common[COMPLETE_NAME_BYTES]; /* what all have in front, the word at least */
};

void complete_begin(struct complete_set *set, const char *word);
void complete_offer(struct complete_set *set, const char *name);
