/* SPDX-License-Identifier: MIT */
/*
 * The scheduler: the way out of the kernel, to the thread that a hart runs next.
 *
 * A thread runs until it blocks, yields, ends, or may not stay; if another is ready on its hart,
 * for at most SCHED_SLICE_MS.  A hart that finds nothing in its own queue takes from others'; then
 * it waits with the kernel's own table.  The timer is armed only when it is needed: another thread
 * is ready here, a thread that blocked here has a deadline, the reaper has work, or, on one hart,
 * the console is polled.
 */
#pragma once

#include "kernel/syscall.h"
#include "kernel/thread.h"

#define SCHED_SLICE_MS 10U
#define SCHED_POLL_MS  10U
#define SCHED_REAP_MS  1U /* between two pieces of the reaper, at most */

/* Once, before the first thread. */
void sched_init(void);

/* The thread this hart runs, or NULL. */
struct thread *sched_current(void);

/* Asks this hart to look around (sched_leave) before it next returns to user mode. */
void sched_look(void);

/* True if it has been asked, or has to come back for more of the reaper's work. */
bool sched_must_look(void);

/* Makes the hart that polls the console begin to (console_wants_poll). */
void sched_poll_console(void);

/* The way back to user mode: chooses the thread to run, activates its space, does one piece of the
 * reaper's work, arms the timer.
 * self: the thread that came in.  Returns the registers to resume, or NULL to idle. */
struct user_frame *sched_leave(struct thread *self, enum verdict verdict);

/* Nothing runs here: the registers of a thread that can, or NULL when there is nothing left to do
 * before the next interrupt. */
struct user_frame *sched_idle(void);

/* The timer fired: true if the running thread has had its slice. */
bool sched_timer_fired(void);
