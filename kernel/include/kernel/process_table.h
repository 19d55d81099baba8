/* SPDX-License-Identifier: MIT */
/*
 * The processes by their numbers.
 *
 * A process is in the table from when it is made until its memory goes; the table has no reference.
 * So whoever finds one gains a reference only if there is one left (object_try_get).  Finding one,
 * and finding the next one, takes at most 64 steps under the lock, however many there are.
 */
#pragma once

#include "lib/types.h"

struct process;

/* Gives a new process a number that no other one has, not 0, and puts it in. */
void process_table_enter(struct process *process);

/* Takes a process out that has no reference left. */
void process_table_leave(struct process *process);

/* The process of that number, with a reference, or NULL. */
struct process *process_table_find(uint64_t number);

/* The process with the smallest number above `after`, with a reference, or NULL. */
struct process *process_table_next(uint64_t after);
