/* SPDX-License-Identifier: MIT */
/*
 * The scheduler: which thread a hart runs next.
 *
 * Each hart has a first-come queue of ready threads.  A thread runs until it blocks, yields or
 * ends; if another is ready, for at most SCHED_SLICE_MS.  The timer is armed only when it is
 * needed: another thread is ready, or somebody waits for console input, which is polled.
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

/* Puts a thread that is in no queue at the end of this hart's queue. */
void sched_ready(struct thread *thread);

/* Takes a ready thread out of its queue. */
void sched_remove(struct thread *thread);

/* Asks this hart to look around (sched_leave) before it returns to user mode: sets must_look of the
 * thread that runs, or comes to run. */
void sched_look(void);

/* Adds the system calls of the running thread to the hart's counter. */
void sched_count_calls(void);

/* The way back to user mode: chooses the thread to run, activates its space, does one piece of the
 * reaper's work, arms the timer.
 * self: the thread that came in, or NULL.  Returns the registers to resume, or NULL to idle. */
struct user_frame *sched_leave(struct thread *self, enum verdict verdict);

/* Nothing runs here: the registers of a thread that can, or NULL when there is nothing left to do
 * before the next interrupt. */
struct user_frame *sched_idle(void);

/* The timer fired: true if the running thread has had its slice. */
bool sched_timer_fired(void);
