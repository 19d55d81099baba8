/* SPDX-License-Identifier: MIT */
/*
 * Device trees of boards as Linux and U-Boot have them, which come in packages of a distribution.
 * They are no part of this project: they may be there or not.  And what holds for the boards.
 */
#pragma once

#include <glob.h>

#include "arch/machine.h"

/* Paths of the trees whose names match, like "starfive/jh7110-*.dtb": those that scripts/setup has
 * fetched (build/tools/board-trees), and those of installed kernel packages of Debian.  With
 * VELLUM_BOARD_TREES in the environment, those below that directory instead.
 *
 * If there are none the test ends here, and counts as skipped.  The caller frees with globfree. */
glob_t board_trees_find(const char *pattern);

/* Reads one of them into the one room there is for them, where it can be edited. */
void *board_tree_load(const glob_t *found, size_t i);

/* Every copy of the tree gives this machine, whichever hart it is booted on; on the monitor core it
 * is refused, for this property. */
void expect_board(const char *file, const struct machine *want, const char *refused_for);

/* Each I/O region of ours is one of theirs, whatever they call it; those whose names are in
 * `extra`, up to a NULL, overlap none. */
void expect_regions(const struct machine *ours, const struct machine *theirs,
                    const char *const *extra);

/* ---- machines ---- */

#define MONITOR "/cpus/cpu@0"

/* All of these boards: hart 0 is a monitor core with one context of the PLIC. */
#define HARTS_1_TO_4                                                                               \
    .harts =                                                                                       \
        {                                                                                          \
            {.hart_id = 1, .levels = 3, .isa = FD, .plic_context = 2},                             \
            {.hart_id = 2, .levels = 3, .isa = FD, .plic_context = 4},                             \
            {.hart_id = 3, .levels = 3, .isa = FD, .plic_context = 6},                             \
            {.hart_id = 4, .levels = 3, .isa = FD, .plic_context = 8},                             \
    },                                                                                             \
    .hart_count = 4, .hart_skipped = 1, .skipped_id_count = 1, .levels_cap = 3, .isa = FD

#define PLIC(count) .plic = {.base = {0xc000000}, .size_bytes = 0x4000000, .sources = (count)}

#define UART_SIFIVE(number)                                                                        \
    .uart = {.kind = MACHINE_UART_SIFIVE,                                                          \
             .base = {0x10010000},                                                                 \
             .size_bytes = 0x1000,                                                                 \
             .reg_shift = 2,                                                                       \
             .reg_io_width = 4,                                                                    \
             .irq = (number)}

#define HIFIVE_SHARED .bank_count = 1, .timebase_hz = 1000000, HARTS_1_TO_4

#define HIFIVE_UNLEASHED                                                                           \
    .model = "SiFive HiFive Unleashed A00", .banks = {SPAN(0x80000000, 8 * GIB)}, HIFIVE_SHARED,   \
    PLIC(53), UART_SIFIVE(4)

#define HIFIVE_UNMATCHED                                                                           \
    .model = "SiFive HiFive Unmatched A00", .banks = {SPAN(0x80000000, 16 * GIB)}, HIFIVE_SHARED,  \
    PLIC(69), UART_SIFIVE(39)

#define VF2_SHARED                                                                                 \
    .bank_count = 1, .timebase_hz = 4000000, HARTS_1_TO_4, PLIC(136),                              \
    .uart =                                                                                        \
        {                                                                                          \
            .kind = MACHINE_UART_16550,                                                            \
            .base = {0x10000000},                                                                  \
            .size_bytes = 0x10000,                                                                 \
            .reg_shift = 2,                                                                        \
            .reg_io_width = 4,                                                                     \
            .irq = 32,                                                                             \
    },                                                                                             \
    JH7110_ALIASES
