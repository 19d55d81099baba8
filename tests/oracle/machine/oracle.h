/* SPDX-License-Identifier: MIT */
/*
 * The oracle: a machine that may do whatever the specifications allow, and nothing more.
 *
 * mm/ runs on it unmodified.  Its effects (slots, shared words, fences, satp, firmware calls,
 * fence.i) arrive here.  The machine keeps, for every hart, all that its TLB, walk cache and
 * instruction cache could hold by now, not one lucky filling of them; so one run finds what any
 * hardware could do to that order of steps.  What is left open, the order of steps itself, the
 * value an early load sees, the order in which firmware reaches harts, is asked of the driver.
 *
 * Own code: walker and entry format are written from the privileged specification; nothing of mm/
 * or of arch/pte.h is used.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ORACLE_HARTS_MAX 16U

/* ---- the machine ---- */

enum oracle_ad {
    ORACLE_AD_HARDWARE, /* Svadu: walkers set A and D           */
    ORACLE_AD_FAULT,    /* Svade: they raise page faults        */
};

struct oracle_config {
    unsigned harts;     /* 1 to ORACLE_HARTS_MAX                */
    unsigned levels;    /* 3, 4 or 5                            */
    unsigned asid_bits; /* implemented bits of satp.ASID, 0-16  */
    enum oracle_ad ad;
    bool has_svpbmt;
};

/* Forgets everything: no hart has a root, every cache is empty. */
void oracle_reset(const struct oracle_config *config);
const struct oracle_config *oracle_config(void);

/* Off: effects reach memory as plain C11 atomics and nothing is judged (programs whose harts are
 * threads).  On after oracle_reset. */
void oracle_off(void);

/* ---- what the driver decides ---- */

enum oracle_step_kind {
    ORACLE_SLOT_LOAD,
    ORACLE_SLOT_STORE, /* exchanges and compare-exchanges too */
    ORACLE_WORD_LOAD,
    ORACLE_WORD_STORE, /* read-modify-writes too              */
    ORACLE_FENCE,      /* shared_fence                        */
    ORACLE_SFENCE,     /* local sfence.vma                    */
    ORACLE_RFENCE,     /* a remote call begins                */
    ORACLE_RFENCE_AT,  /* it takes effect on hart `other`     */
    ORACLE_FENCE_I,
    ORACLE_SATP,
    ORACLE_LOCK,   /* a spinlock is about to be tried     */
    ORACLE_UNLOCK, /* it is about to be released          */
    ORACLE_USER,   /* an access of a program              */
    ORACLE_FRAME,  /* a frame comes free or is taken      */
    ORACLE_PAUSE,  /* a spin loop goes round (hart_relax) */
};

struct oracle_step {
    enum oracle_step_kind kind;
    unsigned hart;  /* who takes it                                        */
    uint64_t place; /* physical address of the slot, address of the word or lock, root */
    bool writes;
    unsigned other; /* ORACLE_RFENCE_AT */
};

struct oracle_verdict;

struct oracle_driver {
    /* Called before each step, on the stack of the hart that takes it; may switch to another. */
    void (*before)(const struct oracle_step *step);
    /* 0 .. count-1.  0 is always what a machine without surprises does.  NULL: 0. */
    unsigned (*choose)(const struct oracle_step *step, unsigned count);
    /* A hart waits for `lock` (owned by `owner`); called again and again until it is free. */
    void (*blocked)(const void *lock, unsigned owner);
    /* The verdict.  Does not return to the step that broke the rule.  NULL: prints and aborts. */
    void (*failed)(const struct oracle_verdict *verdict);
};

/* NULL: single steps in the order they come, no surprises. */
void oracle_drive(const struct oracle_driver *driver);

/* ---- operations, for the rules that speak of them ---- */

/* This hart begins an operation of the kernel; `id` grows.  Steps until oracle_op_end belong to it.
 */
void oracle_op_begin(unsigned hart, uint64_t id);

/* It has returned to whoever asked for it.  Judges it: whatever it removed or tightened may be used
 * by no hart that runs the space. */
void oracle_op_end(unsigned hart);

/* From now on until the end of its operation this hart gives pages of one space other places in it:
 * what is executable at the new place was so before, and is as it was. */
void oracle_move_begin(unsigned hart);

/* Judges every hart as if no operation were under way: for tests that do one thing at a time. */
void oracle_audit(void);

/* ---- programs ---- */

enum oracle_access {
    ORACLE_READ,
    ORACLE_WRITE,
    ORACLE_EXECUTE,
};

/* All that a hart could do with an access of user mode at `va` now: each is possible on some
 * machine.  `count` outcomes in out[]: a page fault is one of them.  Stale ones are legal while the
 * operation that made them stale has not returned. */
struct oracle_outcome {
    bool faults;
    uint64_t pa;    /* of the byte, if it does not fault     */
    uint64_t entry; /* the leaf used, for the story          */
    uint64_t since; /* step at which that leaf left memory; 0: it is there */
    bool marks;     /* it sets A and D in a slot in memory                  */
    bool old_code;  /* execute: the instruction cache may give what was there before */
};

size_t oracle_outcomes(unsigned hart, uint64_t va, enum oracle_access access,
                       struct oracle_outcome *out, size_t max);

/* Takes outcome `which` of the last oracle_outcomes call: sets A and D where hardware would; a
 * fault may leave the entry that caused it in the TLB until a fence covers it. */
void oracle_access_take(size_t which);

/* True if user mode of that hart could do that access by some legal translation; *pa is where the
 * tables in memory lead, if they allow it.  A look from outside: no step. */
bool oracle_may_access(unsigned hart, uint64_t va, enum oracle_access access, uint64_t *pa);

/* A program or the kernel writes code or data into the frame at pa (for the instruction caches). */
void oracle_frame_written(unsigned hart, uint64_t pa);

/* ---- verdicts ---- */

enum oracle_rule {
    ORACLE_RULE_STALE_AFTER_RETURN, /* usable after the operation returned                    */
    ORACLE_RULE_STALE_AT_STORE,     /* another's stale entry when a slot gets a new meaning    */
    ORACLE_RULE_STALE_AT_SATP,      /* a stale entry comes into force with an ASID or root     */
    ORACLE_RULE_FREE_FRAME,         /* a freed frame can be reached by a translation           */
    ORACLE_RULE_FREE_TABLE,         /* a freed table can be walked                             */
    ORACLE_RULE_TOUCH_FREE,         /* the kernel touched a free frame or slot                 */
    ORACLE_RULE_BREAK_BEFORE_MAKE,  /* a valid leaf changed its address in place               */
    ORACLE_RULE_OLD_CODE,           /* code was executed that is no longer there               */
    ORACLE_RULE_UNORDERED_TABLE,    /* a table was linked before its entries are surely visible */
    ORACLE_RULE_BAD_ENTRY,          /* a reserved encoding was stored                          */
    ORACLE_RULE_FIRMWARE,           /* a call that the SBI specification does not allow        */
    ORACLE_RULE_SPURIOUS,           /* a fault was not settled as section 6 says (driver)      */
    ORACLE_RULE_MEANING,            /* an answer differs from the reference (driver)           */
    ORACLE_RULE_AUDIT,              /* an audit of mm failed (driver)                          */
};

struct oracle_verdict {
    enum oracle_rule rule;
    uint64_t step;      /* number of the step at which it was seen     */
    unsigned hart;      /* whose cache, or who did it                  */
    uint64_t va, entry; /* the translation, if it is about one         */
    uint64_t since;     /* step that made it stale                     */
    uint64_t op;        /* operation that made it stale, or did it     */
    char text[240];     /* one sentence, names the spec section        */
};

const char *oracle_rule_name(enum oracle_rule rule);

/* Ends the history with a verdict; for the driver's own rules. */
_Noreturn void oracle_fail(enum oracle_rule rule, unsigned hart, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Steps since oracle_reset. */
uint64_t oracle_steps(void);
