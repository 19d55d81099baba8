/* SPDX-License-Identifier: MIT */
/*
 * Decisions of a run: by the history's list, by random numbers past it, or by keys.
 *
 * In a history a decision is found by counting all decisions.  A key finds it by the operation in
 * which it was made, so that it stays where it is when other operations are taken out.
 */
#pragma once

#include "world/world.h"

#define DECIDE_NO_OP UINT16_MAX /* of a hart that is in no operation */

struct decide_key {
    uint16_t op;     /* by number in the history */
    uint8_t hart;    /* who decided              */
    uint8_t value;   /* not 0                    */
    uint32_t number; /* of the decision in that operation */
};

struct decide_keys {
    size_t count;
    struct decide_key at[WORLD_CHOICES_MAX];
};

/* A new run.  `taken` (or NULL) gets the decisions that are made as a list, `keys` as keys. */
void decide_begin(const struct world_history *history, struct world_history *taken);

/* The next run is decided by `by` alone (NULL: by its history), and its keys are written to
 * `noted` (NULL: nowhere). */
void decide_by_keys(const struct decide_keys *by, struct decide_keys *noted);

/* The hart is in that operation from now on. */
void decide_in_op(unsigned hart, size_t op);

/* A number below count, made by the hart: 0, but with `odds` of 256 when random. */
unsigned decide_number(unsigned hart, unsigned count, unsigned odds);

/* A hart of the set, or `otherwise`, with those odds of not being that.  Harts are named by number,
 * so that a decision means the same when others are taken out. */
unsigned decide_hart(unsigned hart, uint32_t set, unsigned odds, unsigned otherwise);

/* A decision that somebody else has made is written down: a number, or 1 + a hart. */
void decide_note(unsigned hart, unsigned value);

/* How often harts change in this run, when random, of 256. */
unsigned decide_odds(void);

/* Decisions of this run. */
uint64_t decide_count(void);
