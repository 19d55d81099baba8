/* SPDX-License-Identifier: MIT */
/*
 * What depends on what is decided on the safe side: steps on one place if one writes; full fences,
 * which share a clock; and steps that touch what TLBs hold, whatever their places, since the
 * machine judges them together.  A and D are set by no walker here: a world that is searched has
 * ORACLE_AD_FAULT, so that an access writes nothing.
 */
#include "world/depend.h"

#include "world/sched.h"

/* What a step does to what TLBs hold, or learns from it. */
enum reach {
    REACH_NONE,
    REACH_HART, /* of one hart: fences, satp, accesses */
    REACH_ALL,  /* of all: entries, lives of frames, the verdict when an operation returns */
};

static enum reach reach_of(const struct oracle_step *step)
{
    if (step->kind == SCHED_RETURNS) {
        return REACH_ALL;
    }
    switch (step->kind) {
    case ORACLE_SLOT_STORE:
    case ORACLE_FRAME:
        return REACH_ALL;
    case ORACLE_SFENCE:
    case ORACLE_RFENCE_AT:
    case ORACLE_FENCE_I:
    case ORACLE_SATP:
    case ORACLE_USER:
        return REACH_HART;
    case ORACLE_SLOT_LOAD:
    case ORACLE_WORD_LOAD:
    case ORACLE_WORD_STORE:
    case ORACLE_FENCE:
    case ORACLE_RFENCE:
    case ORACLE_LOCK:
    case ORACLE_UNLOCK:
    case ORACLE_PAUSE:
        break;
    }
    return REACH_NONE; /* SCHED_BEGINS too */
}

/* Whose TLB it is. */
static unsigned subject_of(const struct oracle_step *step)
{
    return step->kind == ORACLE_RFENCE_AT ? step->other : step->hart;
}

static bool tlbs_depend(const struct oracle_step *a, const struct oracle_step *b)
{
    enum reach of_a = reach_of(a);
    enum reach of_b = reach_of(b);

    if (of_a == REACH_NONE || of_b == REACH_NONE) {
        return false;
    }
    if (of_a == REACH_HART && of_b == REACH_HART) {
        return subject_of(a) == subject_of(b);
    }
    if (a->kind != b->kind || a->kind == ORACLE_SLOT_STORE) {
        return true;
    }
    return a->kind == ORACLE_FRAME && a->place == b->place; /* two that return only look */
}

static bool has_place(enum oracle_step_kind kind)
{
    return kind <= ORACLE_WORD_STORE || kind == ORACLE_LOCK || kind == ORACLE_UNLOCK;
}

bool depend_steps(const struct oracle_step *a, const struct oracle_step *b)
{
    if (tlbs_depend(a, b)) {
        return true;
    }
    if (a->kind == ORACLE_FENCE || b->kind == ORACLE_FENCE) {
        return a->kind == b->kind;
    }
    return has_place(a->kind) && has_place(b->kind) && a->place == b->place &&
           (a->writes || b->writes || a->kind >= ORACLE_LOCK || b->kind >= ORACLE_LOCK);
}
