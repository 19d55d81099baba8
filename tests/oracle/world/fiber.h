/* SPDX-License-Identifier: MIT */
/* Fibers: several stacks on one thread, switched by hand.  Fiber FIBER_MAIN is the thread's own. */
#pragma once

#include <stdbool.h>

#define FIBER_MAX  16U
#define FIBER_MAIN FIBER_MAX

/* Makes the fibers, once.  Each time one is switched to for the first time, or after a restart, it
 * calls function(index), which does not return. */
void fiber_start(void (*function)(unsigned index));

/* Goes on with another fiber where it stopped; returns when somebody switches back. */
void fiber_switch(unsigned to);

/* Who runs. */
unsigned fiber_current(void);

/* Forgets where the fiber stopped.  Not the one that runs. */
void fiber_restart(unsigned index);
