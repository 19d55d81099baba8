/* SPDX-License-Identifier: MIT */
/*
 * The reaper: what ended threads and processes leave behind is put away in bounded pieces, one each
 * time a hart returns to user mode with something to do, and all of it while a hart idles.
 */
#pragma once

#include <stdbool.h>

struct process;
struct thread;

/* Once, before the first process. */
void reaper_init(void);

/* Hands over a thread that has ended; its last reference of its own goes with it. */
void reaper_add_thread(struct thread *thread);

/* Hands over a process that has ended; takes a reference. */
void reaper_add_process(struct process *process);

/* Does one piece.  False: there was nothing to do here.
 * leaving: the thread whose registers the trap exit is still to save, or NULL; it is kept.
 * Context: no lock; no space of an ended process is active on this hart. */
bool reaper_step(const struct thread *leaving);

/* True if nothing waits to be put away on this hart. */
bool reaper_is_done(void);

/* The machine has nothing to do when this process has ended: it is then turned off. */
void reaper_watch_init(const struct process *init);
