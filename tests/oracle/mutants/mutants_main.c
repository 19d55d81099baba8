/* SPDX-License-Identifier: MIT */
/*
 * One mutant on, and histories run until one fails.
 *
 * All mutants are in this program; which is on is a number (mutants.h, made by generate.py).  The
 * histories are words (written down by an earlier search, or directed ones), as they are and, if
 * asked for, with deviations: one more decision at every place, or thrown ones; then the random
 * ones of a row of seeds.  What kills the mutant is shrunk and printed as one line of fields, tab
 * between them:
 *
 *   killed  RULE  SEED  OPERATIONS  STEPS  WORD
 *   lives   RUNS  STEPS
 *
 * Everything is counted in runs and steps, so a search ends in the same way everywhere.
 */
#include <stdlib.h>
#include <string.h>

#include "mutants.h"
#include "world/world.h"

#define SWEEP_MAX 600U /* decisions at which a sweep deviates */

unsigned mutant_on;
unsigned long mutant_scratch[ORACLE_HARTS_MAX];

static const char *const names[MUTANT_COUNT] = {MUTANT_NAMES};

static struct world_history history;
static struct world_history taken;

struct search {
    uint64_t seed;      /* first */
    uint64_t seeds;     /* how many */
    uint64_t steps_max; /* over all runs */
    uint64_t shrink_runs;
    uint64_t deviations; /* of each word, at once          */
    uint64_t tries;      /* of each word, with thrown ones */
    bool tells;
    uint64_t runs, steps; /* so far */
};

/* What the histories of a seed may be: machines of each kind, small ones more often. */
static struct world_limits limits_of(uint64_t seed)
{
    static const struct world_limits limits[] = {
        {.harts = 2, .levels = 3, .asid_bits = 9, .ad = 0, .ops_least = 4, .ops_most = 16},
        {.harts = 2, .levels = 3, .asid_bits = 0, .ad = 1, .ops_least = 4, .ops_most = 16},
        {.harts = 2, .levels = 3, .asid_bits = 3, .ad = 0, .ops_least = 8, .ops_most = 64},
        {.harts = 3, .levels = 4, .asid_bits = 16, .ad = 1, .ops_least = 8, .ops_most = 64},
        {.harts = 2, .levels = 3, .asid_bits = 9, .ad = 1, .ops_least = 8, .ops_most = 32},
        {.harts = 2, .levels = 5, .asid_bits = 0, .ad = 0, .ops_least = 8, .ops_most = 64},
        {.harts = 3, .levels = 3, .asid_bits = 3, .ad = 0, .ops_least = 16, .ops_most = 90},
        {.harts = 4, .levels = 3, .asid_bits = 4, .ad = 1, .ops_least = 16, .ops_most = 90},
    };

    return limits[seed % (sizeof(limits) / sizeof(limits[0]))];
}

/* True if a history fails with no mutant on, and so says nothing about one. */
static bool fails_without(const struct world_history *tried)
{
    static struct world_history ignored;
    struct world_result result = {0};
    unsigned on = mutant_on;

    if (on != 0) {
        mutant_on = 0;
        world_run(tried, &result, &ignored);
        mutant_on = on;
    }
    return result.failed;
}

/* Runs `history`; prints and returns true if it fails because of the mutant. */
static bool kills(struct search *search, uint64_t seed)
{
    static struct world_history whole;
    struct world_result result, shortest;

    world_run(&history, &result, &taken);
    search->runs++;
    search->steps += result.steps;
    if (!result.failed || fails_without(&taken)) {
        return false;
    }
    if (search->shrink_runs > 0) {
        whole = taken;
        shortest = result;
        world_shrink(&taken, &shortest, (unsigned)search->shrink_runs);
        if (fails_without(&taken)) {
            taken = whole;
        } else {
            result = shortest;
        }
    }
    printf("killed\t%s\t%llu\t%zu\t%llu\t", oracle_rule_name(result.verdict.rule),
           (unsigned long long)seed, taken.op_count, (unsigned long long)result.steps);
    world_print_word(&taken, stdout);
    printf("\n");
    return true;
}

static int search_seeds(struct search *search)
{
    for (uint64_t i = 0; i < search->seeds && search->steps < search->steps_max; i++) {
        struct world_limits limits = limits_of(search->seed + i);

        world_random(search->seed + i, &limits, &history);
        if (kills(search, search->seed + i)) {
            return 0;
        }
    }
    printf("lives\t%llu\t%llu\n", (unsigned long long)search->runs,
           (unsigned long long)search->steps);
    return 1;
}

static unsigned number_of(const char *name)
{
    for (unsigned i = 0; i < MUTANT_COUNT; i++) {
        if (strcmp(names[i], name) == 0) {
            return i + 1;
        }
    }
    fprintf(stderr, "no mutant is called %s\n", name);
    exit(2);
}

static int usage(void)
{
    fprintf(stderr,
            "usage: oracle_mutants --kinds\n"
            "       oracle_mutants [--mutant NAME] [--seed FIRST] [--seeds COUNT]\n"
            "                      [--steps MAX] [--shrink RUNS] [--sweep DEVIATIONS] [--tries N]\n"
            "                      [--story] [WORD...]\n"
            "WORD...: histories to run first; without --mutant mm/ is as it is\n");
    return 2;
}

/* Decisions of `history` past those that its list makes. */
static uint64_t free_decisions(void)
{
    struct world_result result;
    uint64_t listed = history.choice_count;

    world_run(&history, &result, NULL);
    for (size_t i = 0; i < history.choice_count; i++) {
        listed += history.choices[i].gap;
    }
    return result.decisions > listed ? result.decisions - listed : 0;
}

/* `history` with `deviations` more decisions that are not 0, at every place and of every kind: a
 * hart is stopped there and others go on, or a load is early. */
static bool sweep(struct search *search, uint64_t deviations)
{
    size_t choice = history.choice_count;
    uint64_t decisions = free_decisions();

    for (uint64_t gap = 0; gap < decisions && gap < SWEEP_MAX; gap++) {
        for (uint8_t value = 1; value <= history.config.harts; value++) {
            history.choices[choice] = (struct world_choice){(uint16_t)gap, value};
            history.choice_count = choice + 1;
            if (search->steps >= search->steps_max) {
                return false;
            }
            if (deviations > 1 ? sweep(search, deviations - 1) : kills(search, 0)) {
                return true;
            }
        }
    }
    history.choice_count = choice;
    return false;
}

/* `history` with decisions that are thrown, so often. */
static bool dice(struct search *search)
{
    for (uint32_t i = 1; i <= search->tries && search->steps < search->steps_max; i++) {
        history.seed = i;
        if (kills(search, 0)) {
            return true;
        }
    }
    return false;
}

static int run_words(struct search *search, char **words)
{
    for (; *words != NULL; words++) {
        if (!world_read_word(*words, &history)) {
            fprintf(stderr, "not a history: %s\n", *words);
            return 2;
        }
        if (kills(search, 0) || (search->deviations > 0 && sweep(search, search->deviations)) ||
            dice(search)) {
            if (search->tells) {
                world_story(&taken, stdout);
            }
            return 0;
        }
    }
    return search_seeds(search);
}

static int print_kinds(void)
{
    for (unsigned kind = 0; kind < world_kind_count(); kind++) {
        printf("%s\n", world_kind_name(kind));
    }
    return 0;
}

/* The number that the option is for; NULL: there is none of that name. */
static uint64_t *number_for(struct search *search, const char *option)
{
    const struct {
        const char *name;
        uint64_t *number;
    } options[] = {
        {"--seed", &search->seed},        {"--seeds", &search->seeds},
        {"--steps", &search->steps_max},  {"--shrink", &search->shrink_runs},
        {"--sweep", &search->deviations}, {"--tries", &search->tries},
    };

    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        if (strcmp(options[i].name, option) == 0) {
            return options[i].number;
        }
    }
    return NULL;
}

int main(int argc, char **argv)
{
    struct search search = {.seed = 1, .steps_max = UINT64_MAX};
    int i = 1;

    if (argc == 2 && strcmp(argv[1], "--kinds") == 0) {
        return print_kinds();
    }
    for (; i < argc && argv[i][0] == '-'; i++) {
        uint64_t *number = number_for(&search, argv[i]);

        if (strcmp(argv[i], "--story") == 0) {
            search.tells = true;
        } else if (i + 1 < argc && strcmp(argv[i], "--mutant") == 0) {
            mutant_on = number_of(argv[++i]);
        } else if (i + 1 < argc && number != NULL) {
            *number = strtoull(argv[++i], NULL, 0);
        } else {
            return usage();
        }
    }
    return run_words(&search, argv + i);
}
