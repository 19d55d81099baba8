/* SPDX-License-Identifier: MIT */
/*
 * The reaper: what ended threads and processes leave behind is put away in bounded pieces, one each
 * time a hart returns to user mode while there is something to do, and all of it while a hart
 * idles. Any hart does any piece; no two do the same one.
 */
#pragma once

#include <stdbool.h>

struct process;
struct thread;

/* Counts a thread or process that is about to end, before anybody can see that it has: who saw the
 * end and then waits for quiescence waits for it too.  reaper_add_* hands the same one over. */
void reaper_expect(void);

/* Hands over a thread that has ended; its last reference of its own goes with it. */
void reaper_add_thread(struct thread *thread);

/* Hands over a process that has ended; takes a reference. */
void reaper_add_process(struct process *process);

/* Does one piece.  False: there was nothing to do, or nothing that can be done now; then
 * reaper_has_work tells whether to come again.
 * Context: no lock. */
bool reaper_step(void);

/* True if something waits to be put away, on whatever hart, or somebody waits for that. */
bool reaper_has_work(void);

/* Makes the thread wait until nothing is left to put away.  False: so it is now; it does not wait.
 */
bool reaper_block(struct thread *thread);

/* The machine has nothing to do when this process has ended: it is then turned off. */
void reaper_watch_init(const struct process *init);
