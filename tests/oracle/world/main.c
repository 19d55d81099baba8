/* SPDX-License-Identifier: MIT */
/*
 * The oracle's program.
 *
 *   oracle soak    random histories, for minutes or for a number of steps
 *   oracle small   every interleaving of small worlds
 *   oracle memory  one long history, once for each allocation in it, which then fails
 *   oracle replay  one history, told as a story
 *   oracle words   the histories of a file, which must run well
 */
#include "world/main.h"

#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: oracle soak   [--minutes N | --steps N] [--seed S] [--jobs N] [--harts N]\n"
    "                     [--levels 3|4|5] [--asid BITS] [--ad hardware|fault] [--ops MOST]\n"
    "       oracle small  [--most EXECUTIONS] [--half 0|1] [--list]\n"
    "       oracle memory [--seed S]\n"
    "       oracle replay WORD [--steps]\n"
    "       oracle words FILE\n";

struct option {
    const char *name;
    double *number;
};

_Noreturn static void refuse(const char *what)
{
    (void)fprintf(stderr, "oracle: %s\n%s", what, usage);
    exit(2);
}

static double number_of(const char *text)
{
    char *end;
    double number = strtod(text, &end);

    if (end == text || *end != '\0' || number < 0) {
        refuse("a number is needed");
    }
    return number;
}

/* Reads `--name value` pairs into the table. */
static void read_options(int count, char **words, const struct option *options)
{
    for (int i = 0; i < count; i += 2) {
        const struct option *option = options;

        while (option->name != NULL && strcmp(option->name, words[i]) != 0) {
            option++;
        }
        if (option->name == NULL || i + 1 >= count) {
            refuse(words[i]);
        }
        if (strcmp(words[i], "--ad") == 0) {
            *option->number = strcmp(words[i + 1], "fault") == 0 ? 1 : 0;
        } else {
            *option->number = number_of(words[i + 1]);
        }
    }
}

static int soak(int count, char **words)
{
    double minutes = 0, steps = 0, seed = 1, jobs = 1, harts = 0, levels = 0, asid = -1, ad = -1;
    double ops = 64;
    const struct option options[] = {
        {"--minutes", &minutes}, {"--steps", &steps},   {"--seed", &seed}, {"--jobs", &jobs},
        {"--harts", &harts},     {"--levels", &levels}, {"--asid", &asid}, {"--ad", &ad},
        {"--ops", &ops},         {NULL, NULL},
    };

    read_options(count, words, options);
    if (harts > ORACLE_HARTS_MAX || (levels != 0 && (levels < 3 || levels > 5)) || asid > 16 ||
        jobs < 1 || ops < 1) {
        refuse("no such machine");
    }
    return soak_run(&(struct soak){
        .minutes = minutes == 0 && steps == 0 ? 1 : minutes,
        .steps = (uint64_t)steps,
        .seed = (uint64_t)seed,
        .jobs = (unsigned)jobs,
        .limits = {.harts = (unsigned)harts,
                   .levels = (unsigned)levels,
                   .asid_bits = (int)asid,
                   .ad = (int)ad,
                   .ops_least = ops < 4 ? 1 : (unsigned)ops / 4,
                   .ops_most = (unsigned)ops},
    });
}

static int small(int count, char **words)
{
    enum small_report report = SMALL_TOTAL;
    double most = 200000;
    double half = 2;
    const struct option options[] = {{"--most", &most}, {"--half", &half}, {NULL, NULL}};

    if (count > 0 && strcmp(words[count - 1], "--list") == 0) {
        report = SMALL_EACH;
        count--;
    }
    read_options(count, words, options);
    return small_run((uint64_t)most, report, half < 2 ? (unsigned)half : 2);
}

static int memory(int count, char **words)
{
    double seed = 1;
    const struct option options[] = {{"--seed", &seed}, {NULL, NULL}};

    read_options(count, words, options);
    return memory_run((uint64_t)seed);
}

static int replay(int count, char **words)
{
    static struct world_history history;
    struct world_result result;
    bool all_steps = count == 2 && strcmp(words[1], "--steps") == 0;

    if ((count != 1 && !all_steps) || !world_read_word(words[0], &history)) {
        refuse("replay needs a word that a failing run has printed");
    }
    if (all_steps) {
        world_story_in_steps(&history, stdout);
    } else {
        world_story(&history, stdout);
    }
    world_run(&history, &result, NULL);
    return result.failed ? 1 : 0;
}

/* One word a line; lines that begin with # are comments. */
static int run_words(int count, char **words)
{
    static struct world_history history;
    FILE *file = count == 1 ? fopen(words[0], "r") : NULL;
    struct world_result result;
    char *line = NULL;
    size_t room = 0;
    unsigned runs = 0;

    if (file == NULL) {
        refuse("words needs a file");
    }
    while (getline(&line, &room, file) > 0) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '#') {
            continue;
        }
        if (!world_read_word(line, &history)) {
            refuse("a line of the file is no word");
        }
        world_run(&history, &result, NULL);
        runs++;
        if (result.failed) {
            world_story(&history, stdout);
            return 1;
        }
    }
    free(line);
    (void)fclose(file);
    printf("%u histories\n", runs);
    return 0;
}

int main(int count, char **words)
{
    static const struct {
        const char *name;
        int (*function)(int count, char **words);
    } commands[] = {{"soak", soak},
                    {"small", small},
                    {"memory", memory},
                    {"replay", replay},
                    {"words", run_words}};

    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    for (size_t i = 0; count > 1 && i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(words[1], commands[i].name) == 0) {
            return commands[i].function(count - 2, words + 2);
        }
    }
    refuse("which command?");
}
