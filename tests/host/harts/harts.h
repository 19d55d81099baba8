/* SPDX-License-Identifier: MIT */
/*
 * Real threads as harts, for the race programs (tests/host/race_*.c): plain programs, because
 * Criterion cannot run under the thread sanitizer.
 *
 * mm/ runs unmodified, with the oracle off, so that its slots and shared words are the C11 atomics
 * they are on the machine and the sanitizer sees who synchronizes with whom.  Each hart has a TLB
 * (tlb.c).  Between the steps of mm/ that matter, harts pause at random (pauses.c): the linker
 * leads calls of some functions past there, so mm/ needs no switch for it.
 *
 * Everything is seeded: VELLUM_SEED.  What a program demands does not depend on time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/hart.h"
#include "lib/types.h"
#include "mm/frame.h"
#include "mm/vm_cursor.h"

#define MIB UINT64_C(0x100000)
#define GIB UINT64_C(0x40000000)

struct harts_config {
    unsigned harts, levels, asid_bits;
};

/* Runs `program` in a process of its own for each configuration, since a machine is set up once in
 * a process.  Status for main: 0 if all have ended well. */
int harts_for_each(const struct harts_config *configs, unsigned count,
                   void (*program)(const struct harts_config *config));

/* Before harts_begin: so much RAM, 2 GiB at most, instead of 256 MiB. */
void harts_ram_set(uint64_t bytes);

/* The machine, and mm on it; this thread is hart 0. */
void harts_begin(const struct harts_config *config);

/* Each hart runs `program(hart)` on a thread; returns when all have. */
void harts_run(void (*program)(hart_idx_t hart));

/* Reaps, and demands that every frame is back that was free after harts_begin, that the books
 * agree, and that no lock is held. */
void harts_end(void);

/* The way in and out of the kernel (the quiescence counter). */
void kernel_enter(void);
void kernel_leave(void);

/* 0 .. below-1, from the calling hart's own sequence. */
uint64_t pick(uint64_t below);

/* Ends the process with a line that names the seed, unless it holds. */
#define EXPECT(holds)     expect((holds), #holds, __FILE__, __LINE__)
#define EXPECT_OK(status) expect((status) == OK, #status, __FILE__, __LINE__)
void expect(bool holds, const char *what, const char *file, int line);

/* A fresh frame for programs, whose first word is `tag`. */
struct frame *frame_with(uint64_t tag);

/* Lets other harts run for a while, or not (pauses.c). */
void pause_maybe(void);
