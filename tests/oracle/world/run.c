/* SPDX-License-Identifier: MIT */
/*
 * One history from a fresh start to its end: the undisturbed operations one by one, then each hart
 * its own in order, side by side; then all leave, and everything must be given back.
 */
#include "world/run.h"
#include "arch_host/arch_host.h"
#include "world/decide.h"
#include "world/op.h"
#include "world/sched.h"

static void (*told)(enum run_event event, unsigned hart, const struct world_op *op);

static struct {
    const struct world_history *history;
    enum {
        PHASE_SETUP, /* one operation */
        PHASE_SIDE_BY_SIDE,
        PHASE_LEAVE,
        PHASE_END,
    } phase;
    size_t only; /* PHASE_SETUP */
} run;

void run_tell(void (*function)(enum run_event event, unsigned hart, const struct world_op *op))
{
    told = function;
}

static void one(unsigned hart, const struct world_op *op)
{
    decide_in_op(hart, (size_t)(op - run.history->ops));
    if (told != NULL) {
        told(RUN_BEGINS, hart, op);
    }
    op_do(hart, op);
    if (told != NULL) {
        told(RUN_RETURNS, hart, op);
    }
    decide_in_op(hart, DECIDE_NO_OP);
}

static void leave(unsigned hart)
{
    static const struct world_op nothing;
    struct op op = {hart, &nothing};

    op_enter(hart);
    op_space_leave(&op);
    op_leave(hart);
}

static void work(unsigned hart)
{
    const struct world_history *history = run.history;

    switch (run.phase) {
    case PHASE_SETUP:
        one(hart, &history->ops[run.only]);
        return;
    case PHASE_SIDE_BY_SIDE:
        for (size_t i = history->setup_count; i < history->op_count; i++) {
            if (history->ops[i].hart == hart) {
                one(hart, &history->ops[i]);
            }
        }
        return;
    case PHASE_LEAVE:
        leave(hart);
        return;
    case PHASE_END:
        op_enter(hart);
        op_end_world(hart);
        op_leave(hart);
        return;
    }
}

/* The harts that have something to do side by side. */
static uint32_t busy_harts(const struct world_history *history)
{
    uint32_t harts = 0;

    for (size_t i = history->setup_count; i < history->op_count; i++) {
        harts |= 1U << history->ops[i].hart;
    }
    return harts;
}

static bool run_phases(const struct world_history *history)
{
    bool goes_on = true;

    run.phase = PHASE_SETUP;
    for (run.only = 0; goes_on && run.only < history->setup_count; run.only++) {
        goes_on = sched_run(1U << history->ops[run.only].hart, SCHED_QUIET);
    }
    run.phase = PHASE_SIDE_BY_SIDE;
    goes_on = goes_on && sched_run(busy_harts(history), SCHED_NOISY);
    run.phase = PHASE_LEAVE;
    for (unsigned hart = 0; goes_on && hart < history->config.harts; hart++) {
        goes_on = sched_run(1U << hart, SCHED_QUIET);
    }
    run.phase = PHASE_END;
    return goes_on && sched_run(1, SCHED_QUIET);
}

void run_history(const struct world_history *history, const struct sched_chooser *chooser,
                 struct world_result *result, struct world_history *taken)
{
    static bool is_started;

    if (!is_started) {
        sched_start(work);
        is_started = true;
    }
    run.history = history;
    sched_begin(history, taken);
    sched_choose_by(chooser);
    op_begin_world(history);
    result->failed = !run_phases(history);
    result->verdict = *sched_verdict();
    result->steps = sched_steps();
    result->decisions = sched_decisions();
}

void world_run(const struct world_history *history, struct world_result *result,
               struct world_history *taken)
{
    run_history(history, NULL, result, taken);
}
