/* SPDX-License-Identifier: MIT */
/*
 * The scheduler.  Ready harts are a mask; one that waits for a lock leaves it until the lock has
 * been released (the step after the owner's ORACLE_UNLOCK).  If nobody is ready, those that wait
 * try once more; if no step comes of that, they wait for each other for ever, and the run has
 * failed.
 */
#include "world/sched.h"

#include <stdlib.h>
#include <string.h>

#include "arch_host/arch_host.h"
#include "world/decide.h"
#include "world/fiber.h"
#include "world/guard.h"

#define STEPS_MAX 2000000U /* of one history; more is a hart that never comes to an end */

static void (*work)(unsigned hart);
static void (*told)(unsigned from, unsigned to, const struct oracle_step *step);
static enum sched_detail detail;

static struct {
    const struct sched_chooser *chooser;
    uint32_t ready, blocked;
    uint64_t lock[FIBER_MAX];      /* that a blocked hart waits for                 */
    uint64_t unlocking[FIBER_MAX]; /* that the hart is releasing with this step     */
    struct oracle_step pending[FIBER_MAX];
    uint64_t steps, rescued;
    enum sched_noise noise;
    bool has_failed, was_abandoned;
    struct oracle_verdict verdict;
} sched;

static void go_to(unsigned hart)
{
    unsigned from = fiber_current();

    if (hart == from) {
        return;
    }
    if (told != NULL && from < FIBER_MAX && sched.noise == SCHED_NOISY) {
        told(from, hart, &sched.pending[from]);
    }
    host_hart_set(hart);
    fiber_switch(hart);
}

/* ---- decisions ---- */

unsigned sched_decide(enum oracle_step_kind kind, unsigned count, unsigned odds)
{
    if (count < 2 || sched.noise == SCHED_QUIET) {
        return 0;
    }
    if (sched.chooser != NULL) {
        unsigned value = sched.chooser->value(kind, count);

        decide_note(fiber_current(), value);
        return value;
    }
    return decide_number(fiber_current(), count, odds);
}

static unsigned choose(const struct oracle_step *step, unsigned count)
{
    return sched_decide(step->kind, count, 64);
}

/* The hart of the set that comes after `hart`, round and round. */
static unsigned next_after(uint32_t set, unsigned hart)
{
    do {
        hart = (hart + 1) % FIBER_MAX;
    } while ((set >> hart & 1U) == 0);
    return hart;
}

/* One of the set, which does not hold the one that runs. */
static unsigned pick_other(uint32_t set)
{
    unsigned next = next_after(set, fiber_current() % FIBER_MAX);

    if (sched.noise == SCHED_QUIET) {
        return next;
    }
    if (sched.chooser != NULL) {
        next = sched.chooser->next(set);
        decide_note(fiber_current(), 1 + next);
        return next;
    }
    return decide_hart(fiber_current(), set, 128, next);
}

/* ---- the machine's calls ---- */

static void wake_for(unsigned hart)
{
    uint64_t lock = sched.unlocking[hart];

    sched.unlocking[hart] = 0;
    for (uint32_t set = sched.blocked; lock != 0 && set != 0; set &= set - 1) {
        unsigned waiter = (unsigned)__builtin_ctz(set);

        if (sched.lock[waiter] == lock) {
            sched.blocked &= ~(1U << waiter);
            sched.ready |= 1U << waiter;
        }
    }
}

/* Others look at what this step does, or it looks at what they do. */
static unsigned odds_of(enum oracle_step_kind kind)
{
    return kind == ORACLE_SLOT_LOAD || kind == ORACLE_WORD_LOAD || kind == ORACLE_LOCK
               ? decide_odds() / 4
               : decide_odds();
}

/* The hart is about to take this step: perhaps another is first. */
static void let_others_go(const struct oracle_step *step, unsigned hart)
{
    uint32_t others = sched.ready & ~(1U << hart);
    unsigned target = hart;

    if (sched.chooser != NULL) {
        target = sched.chooser->next(sched.ready);
        if (others != 0) {
            decide_note(hart, target == hart ? 0 : 1 + target);
        }
    } else if (others != 0 && step->kind == ORACLE_PAUSE) {
        target = pick_other(others);
    } else if (others != 0) {
        target = decide_hart(hart, others, odds_of(step->kind), hart);
    }
    go_to(target);
}

static void before(const struct oracle_step *step)
{
    unsigned hart = fiber_current();

    sched.steps++;
    if (hart == FIBER_MAIN) {
        return;
    }
    if (sched.unlocking[hart] != 0) {
        wake_for(hart);
    }
    sched.pending[hart] = *step;
    if (told != NULL && detail == SCHED_STEPS) {
        told(hart, hart, step);
    }
    sched.unlocking[hart] = step->kind == ORACLE_UNLOCK ? step->place : 0;
    if (sched.steps > STEPS_MAX) {
        oracle_fail(ORACLE_RULE_MEANING, hart, "the history does not come to an end");
    }
    if (sched.noise == SCHED_NOISY) {
        let_others_go(step, hart);
    }
    guard_step(step);
}

/* Nobody is ready: those that wait look once more. */
static void rescue(unsigned hart)
{
    if (sched.blocked == 0) {
        return;
    }
    if (sched.rescued == sched.steps) {
        oracle_fail(ORACLE_RULE_MEANING, hart, "harts wait for each other's locks for ever");
    }
    sched.rescued = sched.steps;
    sched.ready = sched.blocked;
    sched.blocked = 0;
}

static void blocked(const void *lock, unsigned owner)
{
    unsigned hart = fiber_current();

    (void)owner;
    if (sched.noise == SCHED_QUIET) {
        oracle_fail(ORACLE_RULE_MEANING, hart, "a lock is held though no operation is under way");
    }
    sched.ready &= ~(1U << hart);
    sched.blocked |= 1U << hart;
    sched.lock[hart] = (uint64_t)(uintptr_t)lock;
    if (sched.ready == 0) {
        rescue(hart);
    }
    if ((sched.ready >> hart & 1U) != 0) {
        return;
    }
    go_to(pick_other(sched.ready));
}

static void failed(const struct oracle_verdict *verdict)
{
    if (fiber_current() == FIBER_MAIN) {
        (void)fprintf(stderr, "%s: %s\n", oracle_rule_name(verdict->rule), verdict->text);
        abort();
    }
    sched.has_failed = true;
    sched.verdict = *verdict;
    fiber_switch(FIBER_MAIN);
}

void sched_step(enum oracle_step_kind kind, uint64_t place)
{
    struct oracle_step step = {kind, fiber_current(), place, true, 0};

    before(&step);
}

_Noreturn void sched_abandon(void)
{
    sched.has_failed = true;
    sched.was_abandoned = true;
    fiber_switch(FIBER_MAIN);
    abort(); /* nobody comes back */
}

bool sched_was_abandoned(void)
{
    return sched.was_abandoned;
}

/* ---- runs ---- */

static void hart_body(unsigned hart)
{
    work(hart);
    wake_for(hart);
    sched.ready &= ~(1U << hart);
    if (sched.ready == 0) {
        rescue(hart);
    }
    if (sched.ready == 0) {
        fiber_switch(FIBER_MAIN);
    } else {
        go_to(pick_other(sched.ready));
    }
}

void sched_start(void (*function)(unsigned hart))
{
    static const struct oracle_driver driver = {before, choose, blocked, failed};

    work = function;
    fiber_start(hart_body);
    oracle_drive(&driver);
    guard_start();
}

void sched_begin(const struct world_history *history, struct world_history *taken)
{
    memset(&sched, 0, sizeof(sched));
    decide_begin(history, taken);
}

void sched_choose_by(const struct sched_chooser *chooser)
{
    sched.chooser = chooser;
}

bool sched_run(uint32_t harts, enum sched_noise noise)
{
    sched.ready = harts;
    sched.blocked = 0;
    sched.noise = noise;
    for (unsigned i = 0; i < FIBER_MAX; i++) {
        sched.pending[i] = (struct oracle_step){.kind = SCHED_BEGINS, .hart = i};
    }
    if (harts != 0) {
        go_to(pick_other(harts));
    }
    for (unsigned i = 0; sched.has_failed && i < FIBER_MAX; i++) {
        fiber_restart(i);
    }
    return !sched.has_failed;
}

const struct oracle_verdict *sched_verdict(void)
{
    return &sched.verdict;
}

uint64_t sched_steps(void)
{
    return sched.steps;
}

uint64_t sched_decisions(void)
{
    return decide_count();
}

const struct oracle_step *sched_pending(unsigned hart)
{
    return &sched.pending[hart];
}

enum sched_noise sched_hush(enum sched_noise noise)
{
    enum sched_noise before = sched.noise;

    sched.noise = noise;
    return before;
}

void sched_tell(void (*function)(unsigned from, unsigned to, const struct oracle_step *step),
                enum sched_detail how_much)
{
    told = function;
    detail = how_much;
}
