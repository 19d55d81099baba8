/* SPDX-License-Identifier: MIT */
/*
 * Histories: what several harts ask of mm/, in which order their steps come, and how it ended.
 *
 * A history is a configuration, a list of operations for each hart, and a list of choices (who
 * takes the next step, what an early load sees, which of the legal outcomes an access has).  It is
 * made from a seed, decoded from any byte string (fuzzing), or written down and read again
 * (replay); all three are the same thing, so that all failures can be shrunk and told alike.
 * Running a history twice gives the same steps and the same verdict.
 */
#pragma once

#include <stdio.h>

#include "machine/oracle.h"

#define WORLD_OPS_MAX     96U
#define WORLD_CHOICES_MAX 65536U
#define WORLD_HEADER      8U
#define WORLD_OP_BYTES    8U

/* One operation, whatever its numbers are: each is taken modulo what there is. */
struct world_op {
    uint8_t kind; /* row of the table of operations (world_kind_name) */
    uint8_t hart;
    uint8_t space; /* which handle                                     */
    uint8_t page;  /* first page, by number                            */
    uint8_t shape; /* how far it reaches                               */
    uint8_t prot;  /* permissions, or kind of access                   */
    uint8_t arg[2];
};

/* After `gap` decisions of 0 (go on as you are) this one. */
struct world_choice {
    uint16_t gap;
    uint8_t value;
};

struct world_history {
    struct oracle_config config;
    uint32_t seed;      /* of the decisions past the list; 0: all of them are 0 */
    bool audits;        /* all spaces are audited before the end */
    size_t setup_count; /* so many of the first operations run one after the other, undisturbed */
    size_t op_count, choice_count;
    struct world_op ops[WORLD_OPS_MAX];
    struct world_choice choices[WORLD_CHOICES_MAX];
};

struct world_result {
    bool failed;
    struct oracle_verdict verdict; /* if it failed                  */
    uint64_t steps;
    uint64_t decisions;
};

/* What a random history may be. */
struct world_limits {
    unsigned harts;     /* 0: any                     */
    unsigned levels;    /* 0: any                     */
    int asid_bits;      /* -1: any                    */
    int ad;             /* -1: any, else enum oracle_ad */
    unsigned ops_least; /* operations, all harts together */
    unsigned ops_most;  /* at most WORLD_OPS_MAX      */
};

/* Any bytes are a history; too few for a header: false. */
bool world_decode(const uint8_t *bytes, size_t count, struct world_history *out);

/* The bytes of a history, at most WORLD_BYTES_MAX; returns how many. */
#define WORLD_BYTES_MAX (WORLD_HEADER + WORLD_OPS_MAX * WORLD_OP_BYTES + WORLD_CHOICES_MAX * 3U)
size_t world_encode(const struct world_history *history, uint8_t *bytes);

/* The history of a seed: the same everywhere. */
void world_random(uint64_t seed, const struct world_limits *limits, struct world_history *out);

/* Runs it from a fresh start.  *result says how it ended; `taken`, if not NULL, becomes the same
 * history with the decisions written out that were made. */
void world_run(const struct world_history *history, struct world_result *result,
               struct world_history *taken);

/* Makes a failing history shorter while it still fails by some rule; at most so many runs. */
void world_shrink(struct world_history *history, struct world_result *result, unsigned runs);

/* Runs a failing history once more and tells it, one numbered line for each operation and each
 * change of hart that matters, then the verdict, then how to replay it. */
void world_story(const struct world_history *history, FILE *to);

/* The same with each step of the machine. */
void world_story_in_steps(const struct world_history *history, FILE *to);

/* The history as one word for a command line, and back.  False: not such a word. */
void world_print_word(const struct world_history *history, FILE *to);
bool world_read_word(const char *word, struct world_history *out);

/* Name of a kind of operation, and how many kinds there are. */
const char *world_kind_name(unsigned kind);
unsigned world_kind_count(void);
