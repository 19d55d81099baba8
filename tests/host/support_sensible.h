/* SPDX-License-Identifier: MIT */
/* What must hold for whatever the kernel concludes from a tree, and for what it says of a bad one.
 */
#pragma once

#include "arch/machine.h"

/* The problem names a node, or the header, and says what is wrong. */
void expect_named(const struct machine_problem *problem);

/* The machine makes sense: its memory is sorted and whole, its I/O regions overlap nothing, and the
 * boot hart is among its harts. */
void expect_sensible(const struct machine *machine, uint64_t boot_hart);
