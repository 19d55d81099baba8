/* SPDX-License-Identifier: MIT */
/*
 * Random histories, one after the other, by as many processes as asked for.
 *
 * Process j of n runs the seeds S + j, S + j + n, ...; a budget in steps is shared out evenly, so
 * that it means the same work everywhere.  The first failure is shrunk and told by the process that
 * met it; the others stop.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "world/main.h"

#define JOBS_MAX    64U
#define SHRINK_RUNS 20000U

/* Shared by all processes; each writes its own row. */
struct progress {
    volatile uint64_t histories, steps, seed;
};

static struct progress *rows;
static struct world_history history, taken;
static struct world_result result;

static double now(void)
{
    struct timespec time;

    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* A run that took the process with it: the sanitizer's findings, say. */
static void on_death(int number)
{
    (void)fprintf(stderr,
                  "seed %lu ended the process (signal %d); replay: ", (unsigned long)rows[0].seed,
                  number);
    world_print_word(&history, stderr);
    (void)fprintf(stderr, "\n");
    (void)signal(number, SIG_DFL);
    (void)raise(number);
}

static int tell_failure(uint64_t seed)
{
    world_run(&history, &result, &taken);
    printf("seed %lu fails after %lu steps: %s: %s\n", (unsigned long)seed,
           (unsigned long)result.steps, oracle_rule_name(result.verdict.rule), result.verdict.text);
    if (!result.failed) {
        printf("and not when it is run again: the world is not deterministic\n");
        return 1;
    }
    world_shrink(&taken, &result, SHRINK_RUNS);
    printf("the shortest history found:\n");
    world_story(&taken, stdout);
    (void)fflush(stdout);
    return 1;
}

static int job(const struct soak *soak, unsigned number)
{
    uint64_t steps = soak->steps / soak->jobs;
    double end = soak->minutes > 0 ? now() + soak->minutes * 60 : 0;

    rows += number;
    (void)signal(SIGABRT, on_death);
    for (uint64_t seed = soak->seed + number;; seed += soak->jobs) {
        rows->seed = seed;
        world_random(seed, &soak->limits, &history);
        world_run(&history, &result, NULL);
        if (result.failed) {
            return tell_failure(seed);
        }
        rows->histories++;
        rows->steps += result.steps;
        if ((steps > 0 && rows->steps >= steps) || (end > 0 && now() >= end)) {
            return 0;
        }
    }
}

static void print_progress(const struct soak *soak, double began, bool is_last)
{
    double seconds = now() - began;
    uint64_t histories = 0;
    uint64_t steps = 0;

    for (unsigned i = 0; i < soak->jobs; i++) {
        histories += rows[i].histories;
        steps += rows[i].steps;
    }
    printf("%s%.0f s: %lu histories, %lu steps, %.0f steps a second\n", is_last ? "all in " : "",
           seconds, (unsigned long)histories, (unsigned long)steps,
           (double)steps / (seconds > 0 ? seconds : 1));
}

/* Waits for all jobs, or for the first that fails. */
static int wait_for_jobs(const struct soak *soak, const pid_t *jobs)
{
    double began = now();
    double told = began;
    unsigned running = soak->jobs;
    int worst = 0;

    while (running > 0 && worst == 0) {
        int status;
        pid_t done = waitpid(-1, &status, WNOHANG);

        if (done > 0) {
            running--;
            worst = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
            continue;
        }
        (void)usleep(50000);
        if (now() - told >= 10) {
            told = now();
            print_progress(soak, began, false);
        }
    }
    for (unsigned i = 0; running > 0 && i < soak->jobs; i++) {
        (void)kill(jobs[i], SIGTERM);
    }
    print_progress(soak, began, true);
    return worst;
}

int soak_run(const struct soak *soak)
{
    pid_t jobs[JOBS_MAX];

    if (soak->jobs > JOBS_MAX) {
        return 2;
    }
    rows = mmap(NULL, sizeof(*rows) * JOBS_MAX, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                -1, 0);
    if (rows == MAP_FAILED) {
        return 2;
    }
    printf("seeds from %lu on\n", (unsigned long)soak->seed);
    (void)fflush(stdout);
    for (unsigned i = 0; i < soak->jobs; i++) {
        jobs[i] = fork();
        if (jobs[i] == 0) {
            _exit(job(soak, i));
        }
    }
    return wait_for_jobs(soak, jobs);
}
