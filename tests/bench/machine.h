/* SPDX-License-Identifier: MIT */
/*
 * A machine for measuring mm/ on the host: RAM is anonymous memory, harts are threads, slots and
 * shared words are the plain atomics they are on the machine, and fences are counted, not done.
 * Nothing is modelled and nothing is judged: that is what tests/host and tests/oracle are for.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arch/arch.h"
#include "mm/mm.h"

/* RAM for programs, tables and records. */
#define BENCH_RAM_BYTES (UINT64_C(256) << 20)

/* Sets the machine up with so many levels, and mm on it; this thread becomes hart 0. */
void bench_machine_start(unsigned levels);

/* From here on this thread is that hart, inside the kernel. */
void bench_hart_set(hart_idx_t hart);

/* Fences and fence.i that mm asked for, of all harts. */
uint64_t bench_fences(void);

/* Ends the program with a line that says what did not hold. */
void bench_expect(bool holds, const char *what, const char *file, int line);
#define EXPECT(holds)     bench_expect((holds), #holds, __FILE__, __LINE__)
#define EXPECT_OK(status) bench_expect((status) == OK, #status, __FILE__, __LINE__)
