/* SPDX-License-Identifier: MIT */
/*
 * What lib/ needs to know of the hart it runs on.  Declared here, implemented by arch (and by the
 * host tests), so that lib/ looks up to nobody.
 *
 * Harts are named by a logical index, 0 .. HART_MAX-1, given in the order they are found; the
 * numbers the device tree gives ("hart ids") are sparse and stay inside arch/.
 */
#pragma once

#include <stdint.h>

#define HART_MAX 16U

typedef uint32_t hart_idx_t;

/* Logical index of the hart that asks.  Any context. */
hart_idx_t hart_index(void);

/* Ticks of the machine's time base now.  Any context. */
uint64_t hart_time(void);

/* A pause inside a loop that waits for another hart. */
void hart_relax(void);

/* First act of a panic, before anything is printed: no other hart prints or changes anything from
 * now on.  Does not return if another hart is about to end already. */
void hart_panic_begin(void);

/* Last act of a panic: reports what the machine knows (registers, backtrace) and stops for good. */
_Noreturn void hart_panic(void);
