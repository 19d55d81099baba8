/* SPDX-License-Identifier: MIT */
/*
 * The effects that reach the machine through arch_host: satp, fences, firmware, frames.  Slots and
 * shared words come straight from their headers (arch/oracle_effects.h).  All act for the hart that
 * hart_index() names.
 */
#pragma once

#include "arch/oracle_effects.h"
#include "machine/oracle.h"

/* satp names `root` under `asid`, of which the implemented bits count. */
void oracle_satp(uint64_t root, uint32_t asid);

/* sfence.vma: bytes 0: all addresses; asid 0: all identifiers (rs2 = x0). */
void oracle_sfence(uint64_t va, uint64_t bytes, uint32_t asid);

/* The same on each of `harts`, by firmware; it takes effect one hart after the other, in an order
 * the driver chooses.  False: firmware refused when some had not done it (the driver's choice,
 * never twice in a row for one hart). */
bool oracle_rfence(uint64_t harts, uint64_t va, uint64_t bytes, uint32_t asid);

void oracle_fence_i(void);
void oracle_remote_fence_i(uint64_t harts);

/* An access of user mode, or of the kernel for it: takes one of its outcomes, the driver chooses
 * which.  False: it faults.  Without the oracle: what the tables in memory say. */
bool oracle_translate(uint64_t va, enum oracle_access access, uint64_t *pa);

void oracle_frames_freed(uint64_t pa, uint64_t bytes);
void oracle_frames_taken(uint64_t pa, uint64_t bytes);

/* The kernel is about to fill the frame with zeroes by plain stores. */
void oracle_frame_zeroing(uint64_t pa);

/* Called after each change of a slot; NULL: nobody. */
void oracle_watch_slots(void (*function)(uint64_t pa, uint64_t before, uint64_t after));

/* A spin loop goes round. */
void oracle_pause(void);
