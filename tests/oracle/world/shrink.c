/* SPDX-License-Identifier: MIT */
/*
 * Making a failing history short: fewer operations, then fewer harts, then fewer choices that are
 * not 0.
 *
 * When an operation goes, the choices made after it no longer mean what they meant; so a shorter
 * list of operations is tried with the choices as they were and then with a row of random ones, and
 * what fails is written down with the choices it made.
 */
#include <stdlib.h>
#include <string.h>

#include "world/world.h"

#define SEEDS_TRIED 24U

struct shrink {
    struct world_history *best;
    struct world_history *trial, *taken;
    struct world_result *result;
    unsigned runs_left;
};

static bool try_once(struct shrink *shrink)
{
    struct world_result result;

    if (shrink->runs_left == 0) {
        return false;
    }
    shrink->runs_left--;
    world_run(shrink->trial, &result, shrink->taken);
    if (!result.failed) {
        return false;
    }
    *shrink->best = *shrink->taken;
    *shrink->result = result;
    return true;
}

/* The trial's operations with their own choices, then with those of some seeds. */
static bool try_operations(struct shrink *shrink)
{
    if (try_once(shrink)) {
        return true;
    }
    shrink->trial->choice_count = 0;
    for (uint32_t seed = 1; seed <= SEEDS_TRIED; seed++) {
        shrink->trial->seed = seed;
        if (try_once(shrink)) {
            return true;
        }
    }
    return false;
}

static void cut(struct world_history *history, size_t first, size_t count)
{
    size_t rest = history->op_count - first - count;
    size_t of_setup = 0;

    if (first < history->setup_count) {
        of_setup = history->setup_count - first < count ? history->setup_count - first : count;
    }
    memmove(&history->ops[first], &history->ops[first + count], rest * sizeof(history->ops[0]));
    history->op_count -= count;
    history->setup_count -= of_setup;
}

static void drop_operations(struct shrink *shrink)
{
    for (size_t count = shrink->best->op_count / 2; count > 0; count /= 2) {
        size_t first = shrink->best->op_count;

        while (first > 0) {
            first = first > count ? first - count : 0;
            if (first + count > shrink->best->op_count || shrink->best->op_count <= count) {
                continue;
            }
            *shrink->trial = *shrink->best;
            cut(shrink->trial, first, count);
            (void)try_operations(shrink);
        }
    }
}

/* Takes the highest hart away: what it does becomes another's. */
static void drop_harts(struct shrink *shrink)
{
    while (shrink->best->config.harts > 1) {
        unsigned last = shrink->best->config.harts - 1;

        *shrink->trial = *shrink->best;
        shrink->trial->config.harts = last;
        for (size_t i = 0; i < shrink->trial->op_count; i++) {
            if (shrink->trial->ops[i].hart == last) {
                shrink->trial->ops[i].hart = (uint8_t)(last - 1);
            }
        }
        if (!try_operations(shrink)) {
            return;
        }
    }
}

/* Numbers of operations that mean nothing become 0. */
static void plain_operations(struct shrink *shrink)
{
    for (size_t i = 0; i < shrink->best->op_count; i++) {
        static const size_t fields[] = {
            offsetof(struct world_op, arg),   offsetof(struct world_op, arg) + 1,
            offsetof(struct world_op, shape), offsetof(struct world_op, page),
            offsetof(struct world_op, space),
        };

        for (size_t j = 0; j < sizeof(fields) / sizeof(fields[0]); j++) {
            uint8_t *field;

            *shrink->trial = *shrink->best;
            field = (uint8_t *)&shrink->trial->ops[i] + fields[j];
            if (*field != 0) {
                *field = 0;
                (void)try_once(shrink);
            }
        }
    }
}

/* Choice `i` becomes 0: its gap and the decision go to the next one. */
static void forget_choice(struct world_history *history, size_t i)
{
    if (i + 1 < history->choice_count) {
        uint32_t gap = (uint32_t)history->choices[i].gap + 1U + history->choices[i + 1].gap;

        if (gap > UINT16_MAX) {
            return;
        }
        history->choices[i + 1].gap = (uint16_t)gap;
    }
    memmove(&history->choices[i], &history->choices[i + 1],
            (history->choice_count - i - 1) * sizeof(history->choices[0]));
    history->choice_count--;
}

static void drop_choices(struct shrink *shrink)
{
    for (size_t count = shrink->best->choice_count; count > 0; count /= 2) {
        for (size_t at = 0; at < shrink->best->choice_count;) {
            *shrink->trial = *shrink->best;
            for (size_t i = 0; i < count && at < shrink->trial->choice_count; i++) {
                forget_choice(shrink->trial, at);
            }
            if (!try_once(shrink)) {
                at += count;
            }
            if (shrink->runs_left == 0) {
                return;
            }
        }
    }
}

void world_shrink(struct world_history *history, struct world_result *result, unsigned runs)
{
    struct shrink shrink = {.best = history,
                            .trial = malloc(sizeof(struct world_history)),
                            .taken = malloc(sizeof(struct world_history)),
                            .result = result,
                            .runs_left = runs};
    size_t before;

    if (shrink.trial == NULL || shrink.taken == NULL) {
        abort();
    }
    do {
        before = history->op_count;
        drop_operations(&shrink);
        drop_harts(&shrink);
    } while (history->op_count < before && shrink.runs_left > 0);
    plain_operations(&shrink);
    do {
        before = history->choice_count;
        drop_choices(&shrink);
    } while (history->choice_count < before && shrink.runs_left > 0);
    free(shrink.trial);
    free(shrink.taken);
}
