/* SPDX-License-Identifier: MIT */
/*
 * Making a failing history short: fewer operations, then fewer harts, then fewer decisions that are
 * not 0.
 *
 * Decisions go by keys meanwhile: those of an operation that is taken out go with it, the others
 * stay where they were.  Where that does not fail any more, a row of random ones is tried.
 */
#include <stdlib.h>
#include <string.h>

#include "world/decide.h"

#define SEEDS_TRIED 24U

struct shrink {
    struct world_history *best;
    struct world_result *result;
    unsigned runs_left;
    bool has_begun;
    enum oracle_rule rule; /* by which it failed at first */
    struct world_history trial, taken;
    struct decide_keys keys; /* of the best */
    struct decide_keys trial_keys, noted;
};

/* The trial with the decisions of `keys`, or (NULL) with its own. */
static bool try_once(struct shrink *shrink, const struct decide_keys *keys)
{
    struct world_result result;

    if (shrink->runs_left == 0) {
        return false;
    }
    shrink->runs_left--;
    decide_by_keys(keys, &shrink->noted);
    world_run(&shrink->trial, &result, &shrink->taken);
    decide_by_keys(NULL, NULL);
    if (!result.failed || (shrink->has_begun && result.verdict.rule != shrink->rule)) {
        return false;
    }
    *shrink->best = shrink->taken;
    *shrink->result = result;
    shrink->keys = shrink->noted;
    return true;
}

/* The trial's operations with the decisions that are left, then with those of some seeds. */
static bool try_operations(struct shrink *shrink)
{
    if (try_once(shrink, &shrink->trial_keys)) {
        return true;
    }
    shrink->trial.choice_count = 0;
    for (uint32_t seed = 1; seed <= SEEDS_TRIED; seed++) {
        shrink->trial.seed = seed;
        if (try_once(shrink, NULL)) {
            return true;
        }
    }
    return false;
}

static void begin_trial(struct shrink *shrink)
{
    shrink->trial = *shrink->best;
    shrink->trial_keys = shrink->keys;
}

/* Takes operations out of the trial, and their decisions. */
static void cut(struct shrink *shrink, size_t first, size_t count)
{
    struct world_history *history = &shrink->trial;
    struct decide_keys *keys = &shrink->trial_keys;
    size_t kept = 0;

    if (first < history->setup_count) {
        size_t rest = history->setup_count - first;

        history->setup_count -= rest < count ? rest : count;
    }
    memmove(&history->ops[first], &history->ops[first + count],
            (history->op_count - first - count) * sizeof(history->ops[0]));
    history->op_count -= count;
    for (size_t i = 0; i < keys->count; i++) {
        struct decide_key key = keys->at[i];

        if (key.op != DECIDE_NO_OP && key.op >= first) {
            if (key.op < first + count) {
                continue;
            }
            key.op = (uint16_t)(key.op - count);
        }
        keys->at[kept++] = key;
    }
    keys->count = kept;
}

static void drop_operations(struct shrink *shrink)
{
    for (size_t count = shrink->best->op_count / 2; count > 0; count /= 2) {
        size_t first = shrink->best->op_count;

        while (first > 0) {
            first = first > count ? first - count : 0;
            if (first + count <= shrink->best->op_count && shrink->best->op_count > count) {
                begin_trial(shrink);
                cut(shrink, first, count);
                (void)try_operations(shrink);
            }
        }
    }
}

static uint8_t moved_down(uint8_t number, unsigned gone)
{
    return number > gone ? (uint8_t)(number - 1U) : number;
}

/* Takes a hart that does nothing away: the ones above it move down. */
static void move_harts_down(struct shrink *shrink, unsigned gone)
{
    for (size_t i = 0; i < shrink->trial.op_count; i++) {
        shrink->trial.ops[i].hart = moved_down(shrink->trial.ops[i].hart, gone);
    }
    for (size_t i = 0; i < shrink->trial_keys.count; i++) {
        struct decide_key *key = &shrink->trial_keys.at[i];

        if (key->hart < ORACLE_HARTS_MAX) {
            key->hart = moved_down(key->hart, gone);
        }
        key->value = moved_down(key->value, gone + 1); /* hart + 1, mostly */
    }
    shrink->trial.config.harts--;
}

static bool is_idle(const struct world_history *history, unsigned hart)
{
    for (size_t i = 0; i < history->op_count; i++) {
        if (history->ops[i].hart == hart) {
            return false;
        }
    }
    return true;
}

static void drop_harts(struct shrink *shrink)
{
    for (unsigned hart = shrink->best->config.harts; hart > 0; hart--) {
        if (shrink->best->config.harts > 1) {
            begin_trial(shrink);
            if (!is_idle(&shrink->trial, hart - 1)) {
                continue; /* what it does is needed; perhaps another can do it (merge_harts) */
            }
            move_harts_down(shrink, hart - 1);
            (void)try_operations(shrink);
        }
    }
}

/* What the last hart does becomes another's. */
static void merge_harts(struct shrink *shrink)
{
    while (shrink->best->config.harts > 1) {
        unsigned last = shrink->best->config.harts - 1;

        begin_trial(shrink);
        shrink->trial.config.harts = last;
        for (size_t i = 0; i < shrink->trial.op_count; i++) {
            if (shrink->trial.ops[i].hart == last) {
                shrink->trial.ops[i].hart = (uint8_t)(last - 1);
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
    static const size_t fields[] = {
        offsetof(struct world_op, arg),   offsetof(struct world_op, arg) + 1,
        offsetof(struct world_op, shape), offsetof(struct world_op, page),
        offsetof(struct world_op, space),
    };

    for (size_t i = 0; i < shrink->best->op_count; i++) {
        for (size_t j = 0; j < sizeof(fields) / sizeof(fields[0]); j++) {
            uint8_t *field;

            begin_trial(shrink);
            field = (uint8_t *)&shrink->trial.ops[i] + fields[j];
            if (*field != 0) {
                *field = 0;
                (void)try_once(shrink, &shrink->trial_keys);
            }
        }
    }
}

static void drop_decisions(struct shrink *shrink)
{
    for (size_t count = shrink->keys.count; count > 0; count /= 2) {
        size_t at = 0;

        while (at < shrink->keys.count && shrink->runs_left > 0) {
            size_t gone = shrink->keys.count - at < count ? shrink->keys.count - at : count;

            begin_trial(shrink);
            memmove(&shrink->trial_keys.at[at], &shrink->trial_keys.at[at + gone],
                    (shrink->keys.count - at - gone) * sizeof(shrink->keys.at[0]));
            shrink->trial_keys.count -= gone;
            if (!try_once(shrink, &shrink->trial_keys)) {
                at += count;
            }
        }
    }
}

void world_shrink(struct world_history *history, struct world_result *result, unsigned runs)
{
    struct shrink *shrink = calloc(1, sizeof(*shrink));
    size_t before;

    if (shrink == NULL) {
        abort();
    }
    shrink->best = history;
    shrink->result = result;
    shrink->runs_left = runs;
    shrink->trial = *history;
    if (try_once(shrink, NULL)) { /* writes its keys down */
        shrink->has_begun = true;
        shrink->rule = result->verdict.rule;
        do {
            before = history->op_count + shrink->keys.count;
            drop_operations(shrink);
            drop_harts(shrink);
            drop_decisions(shrink);
            merge_harts(shrink);
            plain_operations(shrink);
        } while (history->op_count + shrink->keys.count < before && shrink->runs_left > 0);
    }
    free(shrink);
}
