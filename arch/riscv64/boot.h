/* SPDX-License-Identifier: MIT */
/*
 * What boot finds out by trying, for its own decisions and for the boot report.
 */
#pragma once

#include "lib/types.h"
#include "pure/paging_mode.h"

/* What the hart does about a clear A or D bit on a permitted access. */
enum boot_update {
    BOOT_UPDATE_HARDWARE, /* sets the bit                         */
    BOOT_UPDATE_FAULT,    /* page fault                           */
    BOOT_UPDATE_NEVER,    /* neither: the access just goes through */
};

struct boot_facts {
    uint64_t hart_id; /* that firmware started us on */
    struct pa_range tree;
    unsigned accepted;       /* bit n: satp takes a table of n levels */
    unsigned asid_bits;      /* what satp keeps        */
    unsigned asid_bits_used; /* after asid=            */
    struct paging_choice paging;
    enum boot_update accessed, dirty;
    bool has_svpbmt;          /* the tree says so, and an entry with a memory type works     */
    uint64_t zero_block;      /* bytes cbo.zero clears, measured; 0: not used                */
    bool cycle_readable;      /* rdcycle works in S mode                                     */
    uint64_t time_cost;       /* cycles of one rdtime                                        */
    uint64_t cycle_cost;      /* cycles of one rdcycle                                       */
    bool cip_1200;            /* erratum: address fences may spare instruction TLB entries   */
    bool global_fences;       /* every fence covers everything                               */
    const char *global_why;   /* why, or NULL                                                */
    const char *console_note; /* why the console is not the tree's UART, or NULL             */
};

/* Entered by boot.S in the high half, on the boot stack, paging on by the early tables. */
_Noreturn void boot_main(uint64_t hart_id, uint64_t tree_pa, uint64_t image_start_pa);

/* trap_entry.S: continues in `next` on an empty stack. */
_Noreturn void boot_switch_stack(uint64_t stack_top, void (*next)(void));

/* boot.S: the stack until the hart has its own. */
extern char boot_stack_low[], boot_stack_top[];

/* boot_probe.c: each fills in its part of *facts.  The early tables must be in force. */
void boot_probe_modes(struct boot_facts *facts);
void boot_probe_entries(struct boot_facts *facts, uint32_t isa);
void boot_probe_costs(struct boot_facts *facts);

/* report.c: the boot report. */
void report_print(const struct boot_facts *facts);
