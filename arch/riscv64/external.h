/* SPDX-License-Identifier: MIT */
/*
 * External interrupts: the console's input, on the boot hart, and nothing else.  Everything else
 * that the interrupt controller could send is switched off.
 */
#pragma once

#include "arch/machine.h"

/* Switches off whatever firmware or a boot loader left enabled for the harts the kernel uses.
 * Boot hart, after mm.  Returns how many contexts are quiet now; the others could not be mapped. */
unsigned external_quiet(const struct machine *machine);

/* Brings the console's interrupt to this hart, the boot hart; arch_console_tell lets it pass.
 * After external_quiet and with the console in place.  NULL: it comes, which was tried; else why
 * it does not. */
const char *external_start(const struct machine *machine);

/* An external interrupt of this hart is pending: takes it. */
void external_interrupt(void);
