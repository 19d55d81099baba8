/* SPDX-License-Identifier: MIT */
/*
 * Who takes the next step.  Harts are fibers; the machine calls the scheduler before each of their
 * steps, and when one waits for a lock.  Every decision is a number, 0 for "go on as you are", so
 * that a run is its list of decisions.
 */
#pragma once

#include "world/world.h"

/* Decides instead of the list and the random numbers (exhaustive worlds). */
struct sched_chooser {
    /* The hart of `ready` that takes its next step (sched_pending). */
    unsigned (*next)(uint32_t ready);
    /* A number below count, for a step of that kind. */
    unsigned (*value)(enum oracle_step_kind kind, unsigned count);
};

/* Once per process; function(hart) does what a hart has to do. */
void sched_start(void (*function)(unsigned hart));

/* A new run: decisions of `history`; `taken` (or NULL) gets those that are made. */
void sched_begin(const struct world_history *history, struct world_history *taken);
void sched_choose_by(const struct sched_chooser *chooser); /* NULL: by the history */

/* From the main stack: runs the harts of the set until all are done.  False: a rule was broken
 * (sched_verdict), and no hart is anywhere any more. */
enum sched_noise {
    SCHED_QUIET, /* no decision is made: one hart, undisturbed */
    SCHED_NOISY,
};
bool sched_run(uint32_t harts, enum sched_noise noise);
const struct oracle_verdict *sched_verdict(void);

/* A number below count, for a step of that kind: 0, but with `odds` of 256 when random. */
unsigned sched_decide(enum oracle_step_kind kind, unsigned count, unsigned odds);

/* A step of the world itself, on what `place` names. */
void sched_step(enum oracle_step_kind kind, uint64_t place);

/* Ends the run here, without a verdict: what would follow is known. */
_Noreturn void sched_abandon(void);
bool sched_was_abandoned(void);

/* The kind of a pending step before a hart has taken its first one. */
#define SCHED_BEGINS ((enum oracle_step_kind)(ORACLE_PAUSE + 1))

/* An operation is about to return: what it made stale is judged. */
#define SCHED_RETURNS ((enum oracle_step_kind)(ORACLE_PAUSE + 2))

/* Steps and decisions of this run. */
uint64_t sched_steps(void);
uint64_t sched_decisions(void);

/* The step that a hart is about to take. */
const struct oracle_step *sched_pending(unsigned hart);

/* While it is quiet no other hart gets a step: for what a lock of the kernel's would guard. Returns
 * how it was. */
enum sched_noise sched_hush(enum sched_noise noise);

/* Told of every change of hart, or of every step (from == to too), for stories; NULL: nobody. */
enum sched_detail {
    SCHED_CHANGES,
    SCHED_STEPS,
};
void sched_tell(void (*function)(unsigned from, unsigned to, const struct oracle_step *step),
                enum sched_detail detail);
