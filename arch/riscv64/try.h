/* SPDX-License-Identifier: MIT */
/*
 * Trying what a hart does where no register tells and the tree may tell wrongly: for boot, which
 * decides by it, and for the self-test, which prints it.  Interrupts are off.  Each leaves satp as
 * it was and the TLB empty, but for the page of an experiment with its entry.
 */
#pragma once

#include "arch/slot.h"
#include "lib/types.h"

/* What the hart does about a clear A or D bit on a permitted access. */
enum try_update {
    TRY_UPDATE_HARDWARE, /* sets the bit                         */
    TRY_UPDATE_FAULT,    /* page fault                           */
    TRY_UPDATE_NEVER,    /* neither: the access just goes through */
};

/* A page for experiments with its entry, in the table in force; what was in the entry is lost. */
struct try_page {
    struct pte_slot *slot;
    uint64_t va;
    paddr_t pa; /* of RAM that nobody else uses */
};

/* Everything this hart's TLB holds is gone. */
static inline void try_flush(void)
{
    __asm__ volatile("sfence.vma" ::: "memory");
}

/* True if satp takes that value: a mode that is not there leaves it as it was.  The value's table
 * has this code and its stack where the one in force has them. */
bool try_satp(uint64_t wanted);

/* Bits of an ASID that satp keeps.  Paging is on. */
unsigned try_asid_bits(void);

/* Stores the usual entry of the page, readable and writable, without `clear` and with `set`. */
void try_place(const struct try_page *page, uint64_t clear, uint64_t set);

/* What a load does where A is clear, and a store where D is. */
enum try_update try_accessed(const struct try_page *page);
enum try_update try_dirty(const struct try_page *page);

/* In words, for reports. */
const char *try_update_name(enum try_update update);
