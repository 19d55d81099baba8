/* SPDX-License-Identifier: MIT */
/* All floating-point registers at once, with values that name their owner. */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

/* f0 to f31, then fcsr. */
struct fp_registers {
    uint64_t f[32];
    uint64_t fcsr;
};

void fp_set(const struct fp_registers *registers);
void fp_get(struct fp_registers *registers);

/* Sets all, spins in user mode until the word is at least that much, stores all. */
void fp_spin(struct fp_registers *registers, const _Atomic(uint64_t) *word, uint64_t least);

/* Values that name their owner and register; rounding mode and flags in fcsr. */
void fp_fill(struct fp_registers *registers, uint64_t seed);

/* How many of the 33 are not as they were filled for the seed. */
unsigned fp_wrong_for(const struct fp_registers *registers, uint64_t seed);

/* How many of the 33 are not zero. */
unsigned fp_not_zero(const struct fp_registers *registers);
