/* SPDX-License-Identifier: MIT */
/* The platform-level interrupt controller, as far as the kernel goes: it takes no interrupt from
 * it. */
#pragma once

#include "arch/machine.h"

/* Switches off whatever firmware or a boot loader left enabled for the harts the kernel uses.
 * Boot hart, after mm.  Returns how many contexts are quiet now; the others could not be mapped. */
unsigned plic_quiet(const struct machine *machine);
