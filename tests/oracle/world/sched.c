/* SPDX-License-Identifier: MIT */
/*
 * The scheduler.  Ready harts are a mask; one that waits for a lock leaves it until the lock has
 * been released (the step after the owner's ORACLE_UNLOCK).  If nobody is ready, those that wait
 * try once more; if no step comes of that, they wait for each other for ever, and the run has
 * failed.
 */
#include "world/sched.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "arch_host/arch_host.h"
#include "world/fiber.h"

#define STEPS_MAX 2000000U /* of one history; more is a hart that never comes to an end */

static void (*work)(unsigned hart);
static void (*told)(unsigned from, unsigned to, const struct oracle_step *step);
static enum sched_detail detail;

static struct {
    const struct world_history *history;
    struct world_history *taken;
    const struct sched_chooser *chooser;
    uint32_t ready, blocked;
    uint64_t lock[FIBER_MAX];      /* that a blocked hart waits for                 */
    uint64_t unlocking[FIBER_MAX]; /* that the hart is releasing with this step     */
    struct oracle_step pending[FIBER_MAX];
    size_t choice; /* next one of the list                                          */
    unsigned gap, taken_gap;
    uint64_t random;
    unsigned odds; /* of a change of hart at a step that others can see, of 256     */
    uint64_t steps, decisions, rescued;
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

static uint64_t random_next(void)
{
    sched.random ^= sched.random << 13;
    sched.random ^= sched.random >> 7;
    sched.random ^= sched.random << 17;
    return sched.random >> 11;
}

static void take_down(unsigned value)
{
    struct world_history *taken = sched.taken;

    if (taken == NULL || taken->choice_count == WORLD_CHOICES_MAX) {
        return;
    }
    if (value == 0 && sched.taken_gap < UINT16_MAX) {
        sched.taken_gap++;
        return;
    }
    taken->choices[taken->choice_count++] =
        (struct world_choice){(uint16_t)sched.taken_gap, (uint8_t)value};
    sched.taken_gap = 0;
}

/* The next decision of the list, which has one. */
static unsigned listed_value(void)
{
    const struct world_choice *choice = &sched.history->choices[sched.choice];

    if (sched.gap < choice->gap) {
        sched.gap++;
        return 0;
    }
    sched.choice++;
    sched.gap = 0;
    return choice->value;
}

static unsigned by_history(unsigned count, unsigned odds)
{
    const struct world_history *history = sched.history;

    if (sched.choice < history->choice_count) {
        return listed_value() % count;
    }
    if (history->seed != 0) {
        uint64_t number = random_next();

        return (number & 0xff) < odds ? 1 + (unsigned)((number >> 8) % (count - 1)) : 0;
    }
    return 0;
}

unsigned sched_decide(enum oracle_step_kind kind, unsigned count, unsigned odds)
{
    unsigned value;

    if (count < 2 || sched.noise == SCHED_QUIET) {
        return 0;
    }
    sched.decisions++;
    value = sched.chooser != NULL ? sched.chooser->value(kind, count) : by_history(count, odds);
    take_down(value);
    return value;
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

static unsigned nth_of(uint32_t set, unsigned n)
{
    for (; n > 0; n--) {
        set &= set - 1;
    }
    return (unsigned)__builtin_ctz(set);
}

/* One of the set, or `otherwise`: 0 is that, n is hart n - 1 if it is in the set.  Harts are named
 * by number, so that a decision means the same when others are taken out. */
static unsigned decide_hart(uint32_t set, unsigned odds, unsigned otherwise)
{
    unsigned value = 0;

    if (sched.noise == SCHED_QUIET || set == 0) {
        return otherwise;
    }
    sched.decisions++;
    if (sched.choice < sched.history->choice_count) {
        value = listed_value() % (FIBER_MAX + 1);
    } else if (sched.history->seed != 0) {
        uint64_t number = random_next();

        if ((number & 0xff) < odds) {
            value = 1 + nth_of(set, (unsigned)((number >> 8) %
                                               (unsigned)__builtin_popcount(set)));
        }
    }
    if (value == 0 || (set >> (value - 1) & 1U) == 0) {
        take_down(0);
        return otherwise;
    }
    take_down(value);
    return value - 1;
}

/* One of the set, which does not hold the one that runs. */
static unsigned pick_other(uint32_t set)
{
    if (sched.chooser != NULL && sched.noise == SCHED_NOISY) {
        return sched.chooser->next(set);
    }
    return decide_hart(set, 128, next_after(set, fiber_current() % FIBER_MAX));
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
               ? sched.odds / 4
               : sched.odds;
}

static void before(const struct oracle_step *step)
{
    unsigned hart = fiber_current();
    uint32_t others;
    unsigned target = hart;

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
    if (sched.noise == SCHED_QUIET) {
        return;
    }
    others = sched.ready & ~(1U << hart);
    if (sched.chooser != NULL) {
        target = sched.chooser->next(sched.ready);
    } else if (others != 0 && step->kind == ORACLE_PAUSE) {
        target = pick_other(others);
    } else {
        target = decide_hart(others, odds_of(step->kind), hart);
    }
    go_to(target);
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

/* A wild access of mm/ is the end of a run, not of the program. */
static void on_fault(int number, siginfo_t *info, void *context)
{
    (void)context;
    if (fiber_current() == FIBER_MAIN || sched.has_failed) {
        (void)signal(number, SIG_DFL);
        return;
    }
    oracle_fail(ORACLE_RULE_AUDIT, fiber_current(), "mm touches %p, where nothing is (signal %d)",
                info->si_addr, number);
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
    static unsigned char signal_stack[65536];
    stack_t stack = {.ss_sp = signal_stack, .ss_size = sizeof(signal_stack)};
    struct sigaction action = {.sa_sigaction = on_fault,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};

    work = function;
    fiber_start(hart_body);
    oracle_drive(&driver);
#ifndef __SANITIZE_ADDRESS__
    (void)sigaltstack(&stack, NULL);
    (void)sigaction(SIGSEGV, &action, NULL);
    (void)sigaction(SIGBUS, &action, NULL);
#else
    (void)stack;
    (void)action;
#endif
}

void sched_begin(const struct world_history *history, struct world_history *taken)
{
    static const unsigned odds[] = {128, 64, 24, 8};

    memset(&sched, 0, sizeof(sched));
    sched.history = history;
    sched.taken = taken;
    sched.random = (uint64_t)history->seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    (void)random_next();
    sched.odds = odds[random_next() % 4];
    if (taken != NULL) {
        *taken = *history;
        taken->choice_count = 0;
        taken->seed = 0;
    }
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
    return sched.decisions;
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
