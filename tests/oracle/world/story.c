/* SPDX-License-Identifier: MIT */
/*
 * Stories: a history told line by line.  What a hart asks for is told when it begins and when it
 * returns; in between a line says where another hart came in between, so that the order of what
 * matters can be read off.
 */
#include <string.h>

#include "world/op.h"
#include "world/ops.h"
#include "world/run.h"

static FILE *out;
static bool tells_steps;
static unsigned line;
static const struct world_history *story;

static const char *const prots[] = {"nothing", "R", "W", "RW", "X", "RX", "WX", "RWX"};
static const char *const accesses[] = {"reads", "writes", "executes"};

static void number_line(void)
{
    (void)fprintf(out, "%4u  ", ++line);
}

/* What is asked for, in words. */
static void tell_op(unsigned hart, const struct world_op *op)
{
    const struct ops_row *row = ops_row(op->kind);
    struct va_range range = op_range(op);

    (void)fprintf(out, "hart %u: ", hart);
    if (row->function == op_touch) {
        (void)fprintf(out, "a program %s %#lx", accesses[op->prot % 3U],
                      (unsigned long)ref_va(op->page % REF_PAGES));
    } else if (row->function == op_copy) {
        (void)fprintf(out, "the kernel copies at %#lx",
                      (unsigned long)ref_va(op->page % REF_PAGES));
    } else if (row->function == op_map || row->function == op_map_exclusive ||
               row->function == op_map_shared || row->function == op_map_device ||
               row->function == op_map_frames || row->function == op_protect ||
               row->function == op_object_map) {
        (void)fprintf(out, "%s, space %u, [%#lx, %#lx), %s", row->name, op->space % OP_HANDLES,
                      (unsigned long)range.start.raw, (unsigned long)range.end.raw,
                      prots[op->prot % 8U]);
    } else if (row->function == op_unmap || row->function == op_unmap_stepwise ||
               row->function == op_query || row->function == op_find || row->function == op_mixed ||
               row->function == op_two || row->function == op_nested || row->function == op_clone ||
               row->function == op_move) {
        (void)fprintf(out, "%s, space %u, [%#lx, %#lx)", row->name, op->space % OP_HANDLES,
                      (unsigned long)range.start.raw, (unsigned long)range.end.raw);
    } else {
        (void)fprintf(out, "%s, space %u", row->name, op->space % OP_HANDLES);
    }
}

static const struct world_op *last_begun;
static unsigned line_of[ORACLE_HARTS_MAX]; /* where what the hart does now was told */

/* The step that made the entry of the verdict stale, and the line that tells of its operation. */
static struct {
    uint64_t step;
    unsigned line, hart;
    struct oracle_step what;
} culprit;

static void on_event(enum run_event event, unsigned hart, const struct world_op *op)
{
    if (event == RUN_BEGINS) {
        bool is_setup = op < story->ops + story->setup_count;

        number_line();
        line_of[hart] = line;
        tell_op(hart, op);
        (void)fprintf(out, "%s   (step %lu)\n", is_setup ? ", undisturbed" : "",
                      (unsigned long)oracle_steps() + 1);
        last_begun = op;
    } else if (op != last_begun) {
        number_line();
        (void)fprintf(out, "hart %u: returns from \"%s\"   (step %lu)\n", hart,
                      ops_row(op->kind)->name, (unsigned long)oracle_steps());
    }
}

static const char *const step_names[] = {
    [ORACLE_SLOT_LOAD] = "loads the entry",
    [ORACLE_SLOT_STORE] = "stores to the entry",
    [ORACLE_WORD_LOAD] = "loads the word",
    [ORACLE_WORD_STORE] = "stores to the word",
    [ORACLE_FENCE] = "fences",
    [ORACLE_SFENCE] = "does sfence.vma",
    [ORACLE_RFENCE] = "asks the firmware for a fence on others",
    [ORACLE_RFENCE_AT] = "lets the firmware fence hart",
    [ORACLE_FENCE_I] = "does fence.i",
    [ORACLE_SATP] = "writes satp, root",
    [ORACLE_LOCK] = "takes the lock",
    [ORACLE_UNLOCK] = "releases the lock",
    [ORACLE_USER] = "accesses",
    [ORACLE_FRAME] = "takes or frees the frame",
    [ORACLE_PAUSE] = "waits",
    [SCHED_BEGINS] = "begins",
    [SCHED_RETURNS] = "returns to its program",
};

static void on_step(unsigned hart, const struct oracle_step *step)
{
    if (culprit.step != 0 && oracle_steps() + 1 == culprit.step) {
        culprit.line = line_of[hart];
        culprit.hart = hart;
        culprit.what = *step;
    }
}

static void on_change(unsigned from, unsigned to, const struct oracle_step *step)
{
    if (from == to) {
        on_step(from, step);
        if (!tells_steps) {
            return;
        }
        (void)fprintf(out, "           step %lu, hart %u: ", (unsigned long)oracle_steps() + 1,
                      from);
    } else {
        number_line();
        (void)fprintf(out, "   before hart %u ", from);
    }
    (void)fprintf(out, "%s", step_names[step->kind]);
    if (step->kind == ORACLE_RFENCE_AT) {
        (void)fprintf(out, " %u", step->other);
    } else if (step->place != 0) {
        (void)fprintf(out, " %#lx", (unsigned long)step->place);
    }
    if (from != to) {
        (void)fprintf(out, ", hart %u goes on", to);
    }
    (void)fprintf(out, "\n");
}

static void tell_culprit(void)
{
    if (culprit.line != 0) {
        (void)fprintf(out, "      line %u did it: at step %lu hart %u %s %#lx\n", culprit.line,
                      (unsigned long)culprit.step, culprit.hart, step_names[culprit.what.kind],
                      (unsigned long)culprit.what.place);
    }
}

static void tell_config(const struct oracle_config *config)
{
    (void)fprintf(out, "%u hart%s, Sv%u, %u ASID bits, A and D by %s%s\n", config->harts,
                  config->harts == 1 ? "" : "s", 12 + 9 * config->levels, config->asid_bits,
                  config->ad == ORACLE_AD_HARDWARE ? "hardware" : "faults",
                  config->has_svpbmt ? ", Svpbmt" : "");
}

static void tell(const struct world_history *history, FILE *to)
{
    struct world_result result;

    out = to;
    line = 0;
    story = history;
    last_begun = NULL;
    world_run(history, &result, NULL);
    memset(&culprit, 0, sizeof(culprit));
    culprit.step = result.failed ? result.verdict.since : 0;
    tell_config(&history->config);
    run_tell(on_event);
    sched_tell(on_change, SCHED_STEPS);
    world_run(history, &result, NULL);
    run_tell(NULL);
    sched_tell(NULL, SCHED_CHANGES);
    if (!result.failed) {
        (void)fprintf(to, "      and nothing was wrong\n");
        return;
    }
    (void)fprintf(to, "      %s at step %lu, hart %u: %s\n", oracle_rule_name(result.verdict.rule),
                  (unsigned long)result.verdict.step, result.verdict.hart, result.verdict.text);
    tell_culprit();
    (void)fprintf(to, "replay: scripts/oracle --replay ");
    world_print_word(history, to);
    (void)fprintf(to, "\n");
}

void world_story(const struct world_history *history, FILE *to)
{
    tells_steps = false;
    tell(history, to);
}

void world_story_in_steps(const struct world_history *history, FILE *to)
{
    tells_steps = true;
    tell(history, to);
}
