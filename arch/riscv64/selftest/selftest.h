/* SPDX-License-Identifier: MIT */
/*
 * The self-test from inside: the table that checks work in, what they say, who helps.
 *
 * Each check runs in a table of its own, whose upper half is the kernel's and whose lower half has
 * SELFTEST_PAGES pages of level 0 from SELFTEST_VA on, all absent at first.  Nothing else uses that
 * table, so entries may be stored and flushes left out at will; whoever leaves it flushes all.
 */
#pragma once

#include "arch/selftest.h"
#include "arch/slot.h"
#include "lib/hart_mask.h"

#define SELFTEST_VA     UINT64_C(0x40000000)
#define SELFTEST_PAGES  2048U
#define SELFTEST_FRAMES 2U

/* The first instruction of a frame has its number here, as an immediate. */
#define SELFTEST_NUMBER_SHIFT 20U
#define SELFTEST_NUMBER_MASK  UINT64_C(0xfff)

struct selftest {
    uint64_t satp;                   /* of the table                                         */
    asid_t asid;                     /* it goes under; 0 where there are none                */
    struct hart_mask others;         /* harts that run, but this one                         */
    struct pte_slot *slots;          /* of the pages, one after the other                    */
    paddr_t frames[SELFTEST_FRAMES]; /* for the pages; frame i holds code that returns i     */
    void *bytes[SELFTEST_FRAMES];    /* the same by the direct map                           */
    void *roots[SELFTEST_FRAMES];    /* empty frames, for tables above that of the kernel    */
};

typedef void selftest_check(struct selftest *test, struct selftest_found *found, unsigned arg);

/* selftest.c: ends a check: its verdict and value. */
void selftest_say(struct selftest_found *found, enum selftest_verdict verdict, const char *format,
                  ...) __attribute__((format(printf, 3, 4)));

/* selftest.c: adds to the value. */
void selftest_add(struct selftest_found *found, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* selftest_table.c: makes the table in the room; nothing is in force yet. */
void selftest_table_make(struct selftest *test, void *room);

/* selftest_table.c: puts a table into force on this hart and empties its TLB; returns the satp
 * before, which puts it back. */
uint64_t selftest_table_enter(uint64_t satp);

/* selftest_table.c: puts code that returns `number` into a frame, by one store; no fence is made.
 */
void selftest_fill(const struct selftest *test, unsigned frame, unsigned number);

/* selftest_table.c: the usual entry, readable, writable and executable, for one of the frames. */
pte_t selftest_entry(const struct selftest *test, unsigned frame);

/* What a hart does when it is asked, on the first page. */
enum selftest_deed {
    SELFTEST_LOAD,   /* loads the code of the frame that it sees: answers which that is  */
    SELFTEST_FETCH,  /* calls it: answers what it returns                                */
    SELFTEST_FLUSH,  /* sfence.vma of everything; answers 0                              */
    SELFTEST_FENCEI, /* fence.i; answers 0                                               */
    SELFTEST_LEAVE,  /* back to the hart's own table, and its own work; of a helper only */
};

/* selftest_help.c: does it on this hart. */
uint64_t selftest_do(enum selftest_deed deed);

/* selftest_help.c: has another hart enter the table; false: it does not come.  It waits for orders
 * until SELFTEST_LEAVE. */
bool selftest_help_begin(const struct selftest *test, hart_idx_t hart);

/* selftest_help.c: has the hart do it; what this hart stored before is visible to it. */
uint64_t selftest_help(enum selftest_deed deed);

/* selftest_help.c: if this hart is asked to help, it does until it is let go.  Called where a
 * software interrupt has come, with no lock held. */
void selftest_help_if_asked(void);

/* selftest_costs.c: cycles of this hart since some moment.  False: S-mode may not read them. */
bool selftest_cycles(uint64_t *cycles);

/* Arguments of checks.  A case: on this hart or on another that helps, which fence, which access.
 */
enum {
    SELFTEST_HERE,
    SELFTEST_THERE
};
enum {
    SELFTEST_NONE,
    SELFTEST_ADDRESS,
    SELFTEST_ASID,
    SELFTEST_ALL
};
#define SELFTEST_CASE(place, way, access)                                                          \
    ((unsigned)SELFTEST_##place << 8U | (unsigned)SELFTEST_##way << 4U |                           \
     (unsigned)SELFTEST_##access)

enum {
    SELFTEST_UPDATE_ACCESSED,
    SELFTEST_UPDATE_DIRTY
};
enum {
    SELFTEST_MISALIGNED_LOAD,
    SELFTEST_MISALIGNED_STORE,
    SELFTEST_MISALIGNED_AMO
};
enum {
    SELFTEST_COST_TIME,
    SELFTEST_COST_CYCLE,
    SELFTEST_COST_SBI,
    SELFTEST_COST_ADDRESS,
    SELFTEST_COST_ALL,
    SELFTEST_COST_FENCEI,
};

/* selftest_machine.c: what the machine is. */
selftest_check selftest_board, selftest_firmware, selftest_extensions, selftest_core;
selftest_check selftest_memory, selftest_ram_alias, selftest_harts, selftest_clock;

/* selftest_paging.c: what entries and accesses do. */
selftest_check selftest_modes, selftest_asids, selftest_update, selftest_high_bits;
selftest_check selftest_misaligned;

/* selftest_fences.c: whether fences do what they are for.  The argument is a case. */
selftest_check selftest_fences, selftest_cip_1200, selftest_global, selftest_code;

/* selftest_costs.c: what things cost; of remote fences, to how many harts. */
selftest_check selftest_tlb, selftest_cost, selftest_cost_remote;
