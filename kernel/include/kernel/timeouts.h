/* SPDX-License-Identifier: MIT */
/*
 * Deadlines of blocked threads, one queue for each hart.
 *
 * A thread that blocks with a deadline is in the queue of its home, under the lock of that hart's
 * run queue (kernel/run_queue.h).  It goes in when it becomes BLOCKED and out when it is taken, by
 * whoever takes it; its home stays what it is in between.  So a thread is in such a queue exactly
 * while it is blocked with a deadline.
 *
 * A deadline only wakes the thread.  Its call is made again, looks at what it waits for, and only
 * then at its deadline.
 *
 * Deadlines are nanoseconds since boot, as time_get counts them; WAIT_FOREVER never comes.
 */
#pragma once

#include "lib/hart.h"
#include "lib/types.h"

struct thread;

/* Boot hart, once, before the first thread. */
void timeouts_init(void);

/* Puts a thread in the queue of a hart, its home, whose run queue's lock is held.  Nothing is done
 * for WAIT_FOREVER. */
void timeouts_add_locked(hart_idx_t home, struct thread *thread, uint64_t deadline_ns);

/* Takes a thread out, if it is in.  The same lock is held. */
void timeouts_remove_locked(hart_idx_t home, struct thread *thread);

/* True if the thread has a deadline that has come at that time, in ticks.  The lock is held. */
bool timeouts_has_come_locked(const struct thread *thread, uint64_t now);

/* When this hart's timer must fire, in ticks, or a little earlier; UINT64_MAX: never. */
uint64_t timeouts_earliest(void);

/* Wakes threads of this hart's queue whose deadlines have come, at most so many that it takes
 * little time; the others are left for the next interrupt.  Returns the time in ticks, read a
 * moment ago, or 0 if no thread has a deadline: then it was not read.  Context: no lock. */
uint64_t timeouts_expire(void);

/* True if the time is at or past the deadline. */
bool timeouts_is_past(uint64_t deadline_ns);

/* Nanoseconds since boot of a time in ticks. */
uint64_t timeouts_ns_of(uint64_t ticks);
