/* SPDX-License-Identifier: MIT */
/*
 * A TLB for each hart that is a thread.  It holds what programs have used until a fence takes it
 * away, and other harts' fences reach it while its hart runs, as firmware's do.  It is a lucky TLB
 * (the oracle's holds all that any could); what it adds is that harts run at the same time.
 */
#pragma once

#include "lib/types.h"

/* Once, before mm_init. */
void tlbs_begin(void);

/* An access of a program on the calling hart to the first word of the page at va.  False: a page
 * fault.  Ends the process if it leads to a free frame, or through one. */
bool program_load(vaddr_t va, uint64_t *word);
bool program_store(vaddr_t va, uint64_t word);
