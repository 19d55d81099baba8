/* SPDX-License-Identifier: MIT */
/*
 * Exhaustive search without stored states: dynamic partial-order reduction with sleep sets
 * (Flanagan and Godefroid; Godefroid).
 *
 * An execution is a row of nodes, one for each decision; to search on, the longest prefix that has
 * an untried decision is run again with it.  Two steps of different harts that are dependent and
 * not ordered otherwise are a race: at the node of the earlier one the other hart must be tried
 * too.  A hart whose turn at a node has been searched sleeps below it until a step that depends on
 * its own is taken.
 */
#include "world/search.h"

#include <stdlib.h>
#include <string.h>

#include "world/depend.h"

#define DEPTH_MAX 8192U
#define HARTS_MAX 4U

/* A decision: which hart (values == 0), or which of `values` numbers. */
struct node {
    unsigned values, value;
    uint32_t enabled, backtrack, done, asleep;
    unsigned hart;
    struct oracle_step pending[HARTS_MAX];
    uint32_t number;           /* of the step among those of its hart, from 1      */
    uint32_t clock[HARTS_MAX]; /* steps of each hart that come before its end      */
};

static struct {
    enum search_mode mode;
    struct node nodes[DEPTH_MAX];
    unsigned depth;  /* of this execution so far          */
    unsigned prefix; /* nodes whose decision is given     */
    uint32_t counts[HARTS_MAX];
    uint32_t clocks[HARTS_MAX][HARTS_MAX];
    struct {
        uint64_t place;
        unsigned owner; /* 1 + hart, 0: free */
    } locks[64];
    unsigned lock_count;
} search;

/* ---- locks: a hart that would wait cannot take its step ---- */

static unsigned *lock_owner(uint64_t place)
{
    for (unsigned i = 0; i < search.lock_count; i++) {
        if (search.locks[i].place == place) {
            return &search.locks[i].owner;
        }
    }
    if (search.lock_count == sizeof(search.locks) / sizeof(search.locks[0])) {
        abort();
    }
    search.locks[search.lock_count].place = place;
    search.locks[search.lock_count].owner = 0;
    return &search.locks[search.lock_count++].owner;
}

static bool must_wait(const struct oracle_step *step)
{
    return step->kind == ORACLE_LOCK && *lock_owner(step->place) != 0;
}

/* ---- races ---- */

static void demand(struct node *node, unsigned hart)
{
    node->backtrack |= (node->enabled >> hart & 1U) != 0 ? 1U << hart : node->enabled;
}

/* The step of `node` is taken: orders it after all that it depends on, and finds its races. */
static void note_races(unsigned at)
{
    struct node *node = &search.nodes[at];
    const struct oracle_step *step = &node->pending[node->hart];
    uint32_t *clock = search.clocks[node->hart];
    uint32_t joined[HARTS_MAX];
    uint32_t raced = 1U << node->hart; /* harts whose race has been found */
    uint32_t met = 1U << node->hart;   /* harts whose last dependent step has */

    memcpy(joined, clock, sizeof(joined));
    for (unsigned i = at; i > 0 && (raced & met) != (1U << HARTS_MAX) - 1; i--) {
        struct node *earlier = &search.nodes[i - 1];
        unsigned other = earlier->hart;
        const struct oracle_step *its = &earlier->pending[other];

        if (earlier->values != 0 || (raced & met) >> other & 1U) {
            continue;
        }
        if (earlier->number <= clock[other]) {
            raced |= 1U << other;
            met |= 1U << other;
            continue;
        }
        if (!depend_steps(step, its)) {
            continue;
        }
        for (unsigned hart = 0; (met >> other & 1U) == 0 && hart < HARTS_MAX; hart++) {
            joined[hart] =
                joined[hart] > earlier->clock[hart] ? joined[hart] : earlier->clock[hart];
        }
        met |= 1U << other;
        /* A lock is never both free and held, so taking it races with taking it alone. */
        if (step->kind != ORACLE_UNLOCK && its->kind != ORACLE_UNLOCK &&
            (raced >> other & 1U) == 0) {
            demand(earlier, node->hart);
            raced |= 1U << other;
        }
    }
    node->number = ++search.counts[node->hart];
    joined[node->hart] = node->number;
    memcpy(clock, joined, sizeof(joined));
    memcpy(node->clock, joined, sizeof(joined));
}

/* ---- decisions ---- */

static void take(unsigned at)
{
    const struct node *node = &search.nodes[at];
    const struct oracle_step *step = &node->pending[node->hart];

    if (step->kind == ORACLE_LOCK) {
        *lock_owner(step->place) = 1 + node->hart;
    } else if (step->kind == ORACLE_UNLOCK) {
        *lock_owner(step->place) = 0;
    }
    note_races(at);
}

/* Harts that need not be tried at a new node: their turn has been searched before, and nothing
 * since depended on what they would do. */
static uint32_t asleep_after(unsigned at)
{
    const struct node *node;
    uint32_t asleep = 0;

    while (at > 0 && search.nodes[at - 1].values != 0) {
        at--;
    }
    if (at == 0 || search.mode == SEARCH_PLAIN) {
        return 0;
    }
    node = &search.nodes[at - 1];
    for (uint32_t set = node->asleep & ~(1U << node->hart); set != 0; set &= set - 1) {
        unsigned hart = (unsigned)__builtin_ctz(set);

        if (!depend_steps(&node->pending[hart], &node->pending[node->hart])) {
            asleep |= 1U << hart;
        }
    }
    return asleep;
}

static void open_node(struct node *node, uint32_t ready)
{
    uint32_t awake;

    memset(node, 0, sizeof(*node));
    for (unsigned hart = 0; hart < HARTS_MAX; hart++) {
        node->pending[hart] = *sched_pending(hart);
        if ((ready >> hart & 1U) != 0 && !must_wait(&node->pending[hart])) {
            node->enabled |= 1U << hart;
        }
    }
    node->asleep = asleep_after(search.depth);
    awake = node->enabled & ~node->asleep;
    if (node->enabled == 0) {
        oracle_fail(ORACLE_RULE_MEANING, 0, "harts wait for each other's locks for ever");
    }
    if (awake == 0) {
        sched_abandon();
    }
    node->hart = (unsigned)__builtin_ctz(awake);
    node->backtrack = search.mode == SEARCH_PLAIN ? node->enabled : 1U << node->hart;
}

static unsigned choose_hart(uint32_t ready)
{
    struct node *node = &search.nodes[search.depth];

    if (search.depth >= DEPTH_MAX) {
        abort();
    }
    if (search.depth >= search.prefix) {
        open_node(node, ready);
    }
    take(search.depth);
    search.depth++;
    return node->hart;
}

static unsigned choose_value(enum oracle_step_kind kind, unsigned count)
{
    struct node *node = &search.nodes[search.depth];

    (void)kind;
    if (search.depth >= DEPTH_MAX) {
        abort();
    }
    if (search.depth >= search.prefix) {
        memset(node, 0, sizeof(*node));
        node->values = count;
    }
    search.depth++;
    return node->value;
}

/* The next prefix: false when everything has been tried. */
static bool next_prefix(void)
{
    while (search.depth > 0) {
        struct node *node = &search.nodes[search.depth - 1];
        uint32_t left;

        if (node->values != 0 && node->value + 1 < node->values) {
            node->value++;
            break;
        }
        if (node->values == 0) {
            node->done |= 1U << node->hart;
            node->asleep |= search.mode == SEARCH_PLAIN ? 0 : 1U << node->hart;
            left = node->backtrack & ~node->done & ~node->asleep;
            if (left != 0) {
                node->hart = (unsigned)__builtin_ctz(left);
                break;
            }
        }
        search.depth--;
    }
    search.prefix = search.depth;
    return search.prefix > 0;
}

void search_run(const struct world_history *history, enum search_mode mode, uint64_t most,
                void (*ended)(void), struct search_result *result, struct world_history *taken)
{
    static const struct sched_chooser chooser = {choose_hart, choose_value};

    memset(result, 0, sizeof(*result));
    search.mode = mode;
    search.prefix = 0;
    do {
        struct world_result one;

        search.depth = 0;
        search.lock_count = 0;
        memset(search.counts, 0, sizeof(search.counts));
        memset(search.clocks, 0, sizeof(search.clocks));
        run_history(history, &chooser, &one, taken);
        result->steps += one.steps;
        if (sched_was_abandoned()) {
            result->abandoned++;
            continue;
        }
        if (one.failed) {
            result->failed = true;
            result->first = one;
            return;
        }
        result->executions++;
        if (ended != NULL) {
            ended();
        }
        result->is_cut = result->executions + result->abandoned >= most;
    } while (!result->is_cut && next_prefix());
}
