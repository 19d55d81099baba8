/* SPDX-License-Identifier: MIT */
/*
 * The end: one hart speaks the last words and switches the machine off, all others stop first.
 */
#pragma once

#include <stdbool.h>

/* Makes this hart the last one and stops the others: at once if they run a program, idle or wait
 * for a lock, else when they come to that.  Returns when all have stopped, or after a second.  If
 * another hart is the last one already, this one stops.  Any context, locks included. */
void stop_others(void);

/* True if this hart is the last one: it prints without locks. */
bool stop_is_mine(void);

/* Stops this hart if another one is the last.  Wherever harts wait. */
void stop_if_told(void);
