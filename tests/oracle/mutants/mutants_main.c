/* SPDX-License-Identifier: MIT */
/*
 * One mutant on, and histories run until one fails.
 *
 * All mutants are in this program; which is on is a number (mutants.h, made by generate.py).  The
 * histories are words (written down by an earlier search, or directed ones) or the random ones of a
 * row of seeds.  What kills the mutant is shrunk and printed as one line of fields, tab between
 * them:
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

unsigned mutant_on;
unsigned long mutant_scratch[ORACLE_HARTS_MAX];

static const char *const names[MUTANT_COUNT] = {MUTANT_NAMES};

static struct world_history history;
static struct world_history taken;

struct search {
    uint64_t seed;      /* first */
    uint64_t seeds;     /* how many */
    uint64_t steps_max; /* over all runs */
    unsigned shrink_runs;
    uint64_t runs, steps; /* so far */
};

/* What the histories of a seed may be: small ones first, where most mutants die at once. */
static struct world_limits limits_of(uint64_t seed)
{
    static const struct world_limits limits[] = {
        {.harts = 2, .levels = 3, .asid_bits = -1, .ad = -1, .ops_least = 4, .ops_most = 16},
        {.harts = 2, .levels = 3, .asid_bits = 9, .ad = -1, .ops_least = 8, .ops_most = 32},
        {.harts = 3, .levels = 3, .asid_bits = -1, .ad = -1, .ops_least = 8, .ops_most = 48},
        {.harts = 0, .levels = 0, .asid_bits = -1, .ad = -1, .ops_least = 16, .ops_most = 96},
    };

    return limits[seed % (sizeof(limits) / sizeof(limits[0]))];
}

/* Runs `history`; prints and returns true if it fails. */
static bool kills(struct search *search, uint64_t seed)
{
    struct world_result result;

    world_run(&history, &result, &taken);
    search->runs++;
    search->steps += result.steps;
    if (!result.failed) {
        return false;
    }
    if (search->shrink_runs > 0) {
        world_shrink(&taken, &result, search->shrink_runs);
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
    fprintf(stderr, "usage: oracle_mutants [--mutant NAME] [--seed FIRST] [--seeds COUNT]\n"
                    "                      [--steps MAX] [--shrink RUNS] [--story] [WORD...]\n"
                    "WORD...: histories to run first; without --mutant mm/ is as it is\n");
    return 2;
}

static int run_words(struct search *search, char **words, bool tells)
{
    for (; *words != NULL; words++) {
        if (!world_read_word(*words, &history)) {
            fprintf(stderr, "not a history: %s\n", *words);
            return 2;
        }
        if (kills(search, 0)) {
            if (tells) {
                world_story(&taken, stdout);
            }
            return 0;
        }
    }
    return search_seeds(search);
}

int main(int argc, char **argv)
{
    struct search search = {.seed = 1, .steps_max = UINT64_MAX};
    bool tells = false;
    int i = 1;

    for (; i < argc && argv[i][0] == '-'; i++) {
        if (strcmp(argv[i], "--story") == 0) {
            tells = true;
            continue;
        }
        if (i + 1 == argc) {
            return usage();
        }
        if (strcmp(argv[i], "--mutant") == 0) {
            mutant_on = number_of(argv[++i]);
        } else if (strcmp(argv[i], "--seed") == 0) {
            search.seed = strtoull(argv[++i], NULL, 0);
        } else if (strcmp(argv[i], "--seeds") == 0) {
            search.seeds = strtoull(argv[++i], NULL, 0);
        } else if (strcmp(argv[i], "--steps") == 0) {
            search.steps_max = strtoull(argv[++i], NULL, 0);
        } else if (strcmp(argv[i], "--shrink") == 0) {
            search.shrink_runs = (unsigned)strtoul(argv[++i], NULL, 0);
        } else {
            return usage();
        }
    }
    return run_words(&search, argv + i, tells);
}
