/* SPDX-License-Identifier: MIT */
/* Small worlds: programs of two harts, as words over an alphabet of operations. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* What both pages are at first, and so which letters make sense. */
enum small_alphabet {
    SMALL_MAPPED,
    SMALL_READ,   /* reserved, and programs read them  */
    SMALL_WRITE,  /* reserved, and programs write them */
    SMALL_CLONE,  /* mapped, and programs clone them to space 1          */
    SMALL_CLONED, /* cloned to space 1, which hart 1 runs                */
    SMALL_MOVE,   /* mapped, and moved: inside, and to space 1                 */
    SMALL_PAGED,  /* an object's, in space 0 and in space 1, which hart 1 runs */
    SMALL_LARGE,  /* parts of one large page                                   */
    SMALL_SPLIT,  /* parts of a table that may become one                      */
    SMALL_ALPHABETS,
};

struct small_words {
    unsigned at[2][2]; /* letters of each hart's word, in order */
    unsigned count[2];
    enum small_alphabet alphabet;
};

enum small_report {
    SMALL_TOTAL, /* only worlds that fail or do not come to their end are told of */
    SMALL_EACH,
};

struct small_total {
    unsigned worlds, cut; /* cut: not all executions were run */
    uint64_t executions, abandoned, steps;
    enum small_report report;
    unsigned odd; /* 0, 1: every second world is searched, 2: all */
    unsigned met; /* worlds searched or left out                  */
};

/* How many letters there are; the number of one by name, as many as there are if there is none. */
unsigned small_letters(void);
unsigned small_letter(const char *name);
bool small_letter_is_of(unsigned letter, enum small_alphabet alphabet);

/* Searches one world to its end, or for `most` executions, and adds to *total, unless it is left
 * out.  False: it fails; the story has been told. */
bool small_search(const struct small_words *words, unsigned asid_bits, uint64_t most,
                  struct small_total *total);

/* Runs one world with the reduction and in every order: true if both end in the same ways. */
bool small_compare(const struct small_words *words, unsigned asid_bits, uint64_t most);
