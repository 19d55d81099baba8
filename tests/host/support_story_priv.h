/* SPDX-License-Identifier: MIT */
/* Between the files of the teller of stories. */
#pragma once

#include <stdatomic.h>

#include "support_story.h"

#define STORY_TABLES    UINT64_C(0x80400000)
#define STORY_PAGES     UINT64_C(0x80600000)
#define STORY_BLOCK     UINT64_C(0x80800000)
#define STORY_WORDS_MAX 8U

/* The story that is being told. */
struct teller {
    char *words[STORY_WORDS_MAX]; /* of the line */
    size_t count;
    unsigned hart;
    bool picks_old, picks_refusal;
    char problem[256]; /* what went otherwise than the story says; empty: nothing */
    int verdict;
    char text[240]; /* of the verdict */
};

extern struct teller teller;

/* Notes a problem, which ends the story. */
void story_complain(const char *what);

/* Words of the line: "" past its end; numbers as C has them. */
const char *story_word(size_t i);
uint64_t story_number(size_t i);

uint64_t story_place(const char *name);
uint64_t story_value(const char *text);
memory_order story_order(const char *name);

/* Does the line for the hart.  False: there is no such verb. */
bool story_act(const char *verb);

/* Shared words are 0 again. */
void story_words_clear(void);
