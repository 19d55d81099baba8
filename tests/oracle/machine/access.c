/* SPDX-License-Identifier: MIT */
/*
 * Accesses of programs: everything that any machine could do with one, by the tables in memory, by
 * what the hart may still hold, and by absences it may have cached.
 */
#include <stdatomic.h>
#include <string.h>

#include "arch/arch.h"
#include "machine/effects.h"
#include "machine/hart.h"
#include "machine/judge.h"
#include "machine/stale.h"
#include "machine/walk.h"

#define OUTCOMES_MAX 32U

/* The last question: what its outcomes did not have room for. */
static struct {
    unsigned hart;
    enum oracle_access access;
    size_t count;
    struct oracle_outcome outcomes[OUTCOMES_MAX];
    uint64_t slot_pa[OUTCOMES_MAX]; /* leaf in memory whose A and D the access needs set; 0: none */
    uint32_t mapped[OUTCOMES_MAX];  /* step at which the leaf was stored                          */
    uint32_t code_seen; /* write of its contents that the mapper of the first had seen */
} last;

static void add(struct oracle_outcome outcome, uint64_t slot_pa, uint32_t mapped)
{
    for (size_t i = 0; i < last.count; i++) {
        const struct oracle_outcome *other = &last.outcomes[i];

        if (other->faults == outcome.faults &&
            (outcome.faults || (other->pa == outcome.pa && other->since == outcome.since))) {
            return;
        }
    }
    if (last.count < OUTCOMES_MAX) {
        last.slot_pa[last.count] = slot_pa;
        last.mapped[last.count] = mapped;
        last.outcomes[last.count++] = outcome;
    }
}

static bool has_old_code(uint64_t pa)
{
    uint32_t index = ram_index(pa);
    const struct ram_frame *frame = index == FRAME_NONE ? NULL : ram_frame(index);

    return last.access == ORACLE_EXECUTE && frame != NULL && frame->written != 0 &&
           !clock_covers(&oracle.harts[last.hart].fetched, frame->writer, frame->written);
}

/* What a leaf gives, wherever it was read.  slot_pa 0: it is in memory no more. */
static void add_leaf(uint64_t entry, unsigned level, uint64_t va, uint64_t slot_pa, uint32_t since)
{
    uint64_t pa = walk_pa(entry, level, va);
    bool marked = (entry & entry_marks(last.access)) == entry_marks(last.access);
    struct oracle_outcome outcome = {.entry = entry, .since = since};

    if (!entry_grants(entry, last.access)) {
        outcome.faults = true;
    } else if (!marked) {
        /* Svade: a page fault.  Svadu: the walker marks the leaf in memory, so a leaf that is not
         * there any more is not used. */
        if (oracle.config.ad == ORACLE_AD_HARDWARE && slot_pa == 0) {
            return;
        }
        outcome.faults = oracle.config.ad == ORACLE_AD_FAULT;
    }
    if (!outcome.faults) {
        outcome.pa = pa;
        outcome.old_code = has_old_code(pa);
    }
    outcome.marks = !outcome.faults && slot_pa != 0;
    add(outcome, outcome.marks ? slot_pa : 0, 0);
}

static void add_walk(struct walk walk, uint64_t va, uint32_t since)
{
    if (walk.end == WALK_LEAF) {
        add_leaf(walk.entry, walk.level, va, walk.slots[walk.level], since);
    } else {
        add((struct oracle_outcome){.faults = true, .since = since}, 0, 0);
    }
}

static void add_held(uint64_t va)
{
    for (size_t i = 0; stale_count_of(last.hart) > 0 && i < stale_count(); i++) {
        const struct stale *stale = stale_at(i);

        if (!stale_in_force(stale, last.hart) || va - stale->va >= entry_extent(stale->level)) {
            continue;
        }
        if (!stale->is_pointer) {
            add_leaf(stale->entry, stale->level, va, 0, stale->step);
        } else {
            add_walk(walk_from_table(ram_pa(stale->frame), stale->level - 1U, va), va, stale->step);
        }
    }
}

/* A hart may have cached that something on the way was not there. */
static void add_absence(struct walk walk, uint64_t va)
{
    for (unsigned level = walk.first_level + 1; level-- > walk.level;) {
        const struct table *table = table_find(ram_index(walk_table(&walk, level)));
        unsigned index = entry_index(va, level);

        if (table != NULL && table->was_absent[index] && table->changed[index] != 0 &&
            hart_may_miss(last.hart, va, level == walk.level, table->changer[index],
                          table->changed[index])) {
            add((struct oracle_outcome){.faults = true}, 0, 0);
        }
    }
}

static void collect(unsigned hart, uint64_t va, enum oracle_access access)
{
    struct walk walk;

    last.hart = hart;
    last.access = access;
    last.count = 0;
    if (oracle.harts[hart].root == 0) {
        add((struct oracle_outcome){.faults = true}, 0, 0);
        return;
    }
    walk = walk_from_root(oracle.harts[hart].root, va);
    add_walk(walk, va, 0);
    if (walk.end == WALK_NOT_CANONICAL) {
        return;
    }
    add_held(va);
    if (walk.end == WALK_LEAF) {
        const struct table *table = table_find(ram_index(walk_table(&walk, walk.level)));

        last.mapped[0] = table == NULL ? 0 : table->code[entry_index(va, walk.level)];
        last.code_seen = table == NULL ? 0 : table->code_seen[entry_index(va, walk.level)];
        add_absence(walk, va);
    }
}

size_t oracle_outcomes(unsigned hart, uint64_t va, enum oracle_access access,
                       struct oracle_outcome *out, size_t max)
{
    size_t count;

    (void)state_step(ORACLE_USER, va, access == ORACLE_WRITE, 0);
    judge_settled(hart);
    collect(hart, va, access);
    count = last.count < max ? last.count : max;
    memcpy(out, last.outcomes, count * sizeof(*out));
    return count;
}

bool oracle_may_access(unsigned hart, uint64_t va, enum oracle_access access, uint64_t *pa)
{
    bool may = false;

    collect(hart, va, access);
    *pa = last.outcomes[0].pa;
    for (size_t i = 0; i < last.count; i++) {
        may |= !last.outcomes[i].faults;
    }
    return may;
}

/* The kernel's duty is code that was there, as it could know, when the page became executable.
 * Later stores to code are for icache_sync, even if the frame becomes executable elsewhere then. */
static void judge_code(size_t which)
{
    const struct oracle_outcome *outcome = &last.outcomes[which];
    uint32_t mapped = last.mapped[which];
    const struct ram_frame *frame;

    if (!outcome->old_code || outcome->since != 0 || mapped == 0 || state_op_covers(mapped)) {
        return;
    }
    frame = ram_frame(ram_index(outcome->pa));
    if (last.code_seen != frame->written) {
        return;
    }
    verdict_give(ORACLE_RULE_OLD_CODE, last.hart, NULL,
                 "hart %u executes at %#lx what was there before step %u, though the page was made "
                 "executable at step %u (\"Zifencei\")",
                 last.hart, (unsigned long)outcome->pa, frame->written, mapped);
}

void oracle_access_take(size_t which)
{
    const struct oracle_outcome *outcome = &last.outcomes[which];

    if (which >= last.count || outcome->faults) {
        return;
    }
    judge_touch(outcome->pa);
    judge_code(which);
    if (last.slot_pa[which] != 0) {
        /* Relaxed: hardware's update is atomic and orders nothing else. */
        (void)atomic_fetch_or_explicit(ram_word(last.slot_pa[which]), entry_marks(last.access),
                                       memory_order_relaxed);
    }
}

bool oracle_translate(uint64_t va, enum oracle_access access, uint64_t *pa)
{
    struct oracle_outcome outcomes[OUTCOMES_MAX];
    size_t count;
    unsigned which;

    if (!oracle_is_on) {
        struct walk walk = walk_from_root(arch_active_root().raw, va);

        *pa = walk_pa(walk.entry, walk.level, va);
        return walk.end == WALK_LEAF && entry_grants(walk.entry, access);
    }
    count = oracle_outcomes(state_hart(), va, access, outcomes, OUTCOMES_MAX);
    which = state_choose(ORACLE_USER, va, (unsigned)count);
    oracle_access_take(which);
    *pa = outcomes[which].pa;
    if (access == ORACLE_WRITE && !outcomes[which].faults) {
        oracle_frame_written(state_hart(), *pa);
    }
    return !outcomes[which].faults;
}
