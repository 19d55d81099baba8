/* SPDX-License-Identifier: MIT */
/*
 * What boot finds out by trying, for its own decisions and for the boot report.
 */
#pragma once

#include "lib/types.h"
#include "pure/paging_mode.h"
#include "try.h"

/* What `noadhw` came to: whether firmware was asked to switch hardware updates off, and did. */
enum boot_noadhw {
    BOOT_NOADHW_NOT_ASKED,
    BOOT_NOADHW_DONE,
    BOOT_NOADHW_REFUSED, /* no FWFT, or the hart cannot: the kernel does not depend on it */
};

/* How well a core does with fences that name an address; a later one rules over an earlier one. */
enum boot_fences {
    BOOT_FENCES_GOOD,
    BOOT_FENCES_UNTRIED,  /* a core on which nobody has tried yet                          */
    BOOT_FENCES_CIP_1200, /* erratum: they may spare instruction TLB entries               */
};

/* What one hart is found to be, by trying. */
struct hart_facts {
    unsigned accepted;  /* bit n: satp takes a table of n levels                        */
    unsigned asid_bits; /* what satp keeps                                              */
    enum try_update accessed, dirty;
    enum boot_noadhw noadhw;
    enum boot_fences fences;
    bool has_svpbmt;     /* the tree says so, and an entry with a memory type works     */
    bool has_stimecmp;   /* the tree says so, and stimecmp can be written               */
    uint64_t zero_block; /* bytes cbo.zero clears, measured; 0: not used                */
};

struct boot_facts {
    uint64_t hart_id; /* that firmware started us on */
    struct pa_range tree;
    struct hart_facts own;   /* of the boot hart                                          */
    struct hart_facts all;   /* what every hart that runs can do                          */
    unsigned asid_bits_used; /* after asid=            */
    struct paging_choice paging;
    bool cycle_readable;      /* rdcycle works in S mode                                     */
    uint64_t time_cost;       /* cycles of one rdtime                                        */
    uint64_t cycle_cost;      /* cycles of one rdcycle                                       */
    const char *global_why;   /* why every fence covers everything, or NULL: not so          */
    unsigned plic_quiet;      /* contexts that were switched off */
    const char *polled_note;  /* why console input is polled, or NULL: it interrupts         */
    const char *console_note; /* why the console is not the tree's UART, or NULL             */
};

/* Entered by boot.S in the high half, on the boot stack, paging on by the early tables. */
_Noreturn void boot_main(uint64_t hart_id, uint64_t tree_pa, uint64_t image_start_pa);

/* boot.S: the stack until the hart has its own. */
extern char boot_stack_low[], boot_stack_top[];

/* boot_probe.c.  The early tables must be in force; one hart at a time. */

/* What this hart is; with `noadhw` on the command line its updates of A and D are off afterwards if
 * firmware can do that. */
void boot_probe_hart(struct hart_facts *facts);

/* Lowers *all to what a hart with *other can do too. */
void boot_facts_merge(struct hart_facts *all, const struct hart_facts *other);

void boot_probe_costs(struct boot_facts *facts);

/* report.c: the boot report; report_harts.c: its part about harts. */
void report_print(const struct boot_facts *facts);
void report_print_harts(const struct boot_facts *facts);

/* What HSM says of a hart, in words. */
const char *report_hart_state(uint64_t hart_id);
