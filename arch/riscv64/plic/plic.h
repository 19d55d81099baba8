/* SPDX-License-Identifier: MIT */
/*
 * The registers of the platform-level interrupt controller, for one source and one context: the
 * kernel takes the console's interrupt on one hart and nothing else.
 *
 * A source is held back by its priority, 0, and not by its enable bit: a completion counts only
 * while the bit is set.
 */
#pragma once

#include "arch/machine.h"
#include "lib/types.h"

/* Where the registers of one context are, and their sizes. */
#define PLIC_ENABLES(context) (UINT64_C(0x2000) + (context)*PLIC_ENABLES_BYTES)
#define PLIC_ENABLES_BYTES    UINT64_C(0x80)
#define PLIC_CONTEXT(context) (UINT64_C(0x200000) + (context)*UINT64_C(0x1000))
#define PLIC_CONTEXT_BYTES    UINT64_C(8)
#define PLIC_PRIORITIES       UINT64_C(0)
#define PLIC_PRIORITIES_BYTES UINT64_C(0x1000)

/* A context, as it is mapped.  All (c). */
struct plic {
    volatile uint8_t *priorities; /* of all sources               */
    volatile uint8_t *enables;    /* of the context               */
    volatile uint8_t *context;    /* its threshold and claim      */
    uint32_t sources;             /* 1 to 1023; number 0 is none  */
};

enum plic_source {
    PLIC_SOURCE_HELD,
    PLIC_SOURCE_PASSES,
};

/* Takes every source from the context, and lowers its threshold; `priorities` is not used.  At
 * handover both hold anything. */
void plic_quiet(const struct plic *plic);

/* Gives the source, and no other, to the context; held.  source: 1 to plic->sources. */
void plic_route(const struct plic *plic, uint32_t source);

/* Lets a routed source pass, or holds it back.  Any hart. */
void plic_source_set(const struct plic *plic, uint32_t source, enum plic_source how);

/* The source that interrupts, which then waits for plic_complete; 0: none. */
uint32_t plic_claim(const struct plic *plic);
void plic_complete(const struct plic *plic, uint32_t source);
