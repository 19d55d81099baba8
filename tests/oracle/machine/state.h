/* SPDX-License-Identifier: MIT */
/*
 * What the machine knows, and the way each step begins.
 *
 * Steps are numbered from 1; a step that changed something is named by its number everywhere: in
 * clocks, slots, and what is stale.  The parts: ram.c (frames), order.c (what a load may see),
 * table.c (which table hangs where), stale.c (what harts may still hold), hart.c (satp and fences),
 * firmware.c, judge.c (the rules), access.c (what programs may see).
 */
#pragma once

#include "machine/clock.h"
#include "machine/entry.h"
#include "machine/oracle.h"

#define HARTS         ORACLE_HARTS_MAX
#define CONTEXT_ROOTS 4U
#define FENCES_KEPT   32U /* more than the ring of stores (order.c) has room for */

/* A root that a hart walked under an identifier. */
struct context_root {
    uint32_t frame, life;
    uint32_t left;    /* step at which satp ceased to name it; 0: it does                   */
    bool had_entries; /* its user half was not empty: walk caches may hold something of it   */
};

/* What a hart may hold under one identifier since the last fence that covers it. */
struct context {
    uint32_t asid;
    uint32_t left;       /* step at which it ceased to be current; 0: it is */
    unsigned root_count; /* 0: it holds nothing                             */
    struct context_root roots[CONTEXT_ROOTS];
    struct clock walked; /* stores that walks under it surely see           */
};

/* A fence of some addresses: it matters for absences that a TLB holds. */
struct page_fence {
    uint64_t start, end;
    uint32_t asid; /* ASID_ANY: all */
    struct clock walked;
};

#define ASID_ANY UINT32_MAX

struct hart {
    uint64_t root; /* physical address; 0: satp is bare */
    uint32_t asid;
    struct clock seen;     /* stores that its loads surely see                        */
    struct clock pending;  /* what an acquire fence would add to that                 */
    struct clock released; /* what relaxed stores carry: `seen` at its last release fence */
    struct clock walked;   /* stores that its walks surely see, whatever the identifier */
    struct clock fetched;  /* stores that its instruction fetches surely see          */
    uint64_t op;           /* 0: none known */
    uint32_t op_since;
    bool was_refused; /* its last remote call failed */
    bool keeps_code;  /* what it moves stays as executable as it was (oracle_move_begin) */
    size_t context_count, context_room;
    struct context *contexts;
    unsigned fence_count;                  /* fences of addresses so far */
    struct page_fence fences[FENCES_KEPT]; /* the last of them           */
};

struct oracle_state {
    struct oracle_config config;
    struct oracle_driver driver;
    bool has_driver;
    bool is_ordered; /* loads may be early: a driver chooses */
    uint64_t resets;
    uint32_t step;
    unsigned asid_mask;
    struct hart harts[HARTS];
    void (*on_slot)(uint64_t pa, uint64_t before, uint64_t after);
};

extern struct oracle_state oracle;

/* A step begins: asks the driver, which may let others go first; then it has a number. */
uint32_t state_step(enum oracle_step_kind kind, uint64_t place, bool writes, unsigned other);

/* Asks the driver for 0 .. count - 1, for a step that has begun. */
unsigned state_choose(enum oracle_step_kind kind, uint64_t place, unsigned count);

/* Sets of harts are masks. */
static inline bool state_has(unsigned harts, unsigned hart)
{
    return (harts >> hart & 1U) != 0;
}

static inline uint16_t state_bit(unsigned hart)
{
    return (uint16_t)(1U << hart);
}

/* The hart that takes this step, and its block. */
unsigned state_hart(void);
struct hart *state_this(void);

/* True if the operation has begun and not returned; true for 0, which nobody announced. */
bool state_op_is_open(uint64_t op);

/* True if an operation that began at or before the step is open. */
bool state_op_covers(uint32_t step);

/* ---- verdicts ---- */

struct stale;

/* Gives the verdict: `text` is a sentence.  `stale` may be NULL. */
_Noreturn void verdict_give(enum oracle_rule rule, unsigned hart, const struct stale *stale,
                            const char *format, ...) __attribute__((format(printf, 4, 5)));

/* "0x1000 -> 0x80300000 RW U" in a buffer of its own, for the sentence that is being made. */
const char *verdict_entry(uint64_t va, uint64_t entry);
