/* SPDX-License-Identifier: MIT */
/*
 * Wait queues: threads that are blocked until something happens.
 *
 * A blocked thread is its registers and a place in one queue; its system call is made again when it
 * wakes.  Whoever blocks looks at the condition with the queue's lock held; whoever makes it true
 * does so before it wakes the queue: so no wake-up is lost.
 */
#pragma once

#include "lib/list.h"
#include "lib/spinlock.h"

struct object;
struct thread;

struct wait_queue {
    struct spinlock lock;     /* rank LOCK_WAIT               */
    struct list_node threads; /* (l) by thread's queue_link   */
    uint32_t length;          /* (l) how many they are        */
};

#define WAIT_QUEUE_INIT(queue)                                                                     \
    {                                                                                              \
        .lock = SPINLOCK_INIT(LOCK_WAIT), .threads = LIST_INIT((queue).threads)                    \
    }

void wait_queue_init(struct wait_queue *queue);

/* Nobody waits, and the queue is about to be freed.  From now on its lock has no rank, so that a
 * debug build panics where somebody takes it who does not hold the queue. */
void wait_queue_end(struct wait_queue *queue);

/* Puts the thread that runs here in the queue.  The queue's lock is held.
 * owner: the object that holds the queue, also if that is the thread's own process; gets a
 * reference while the thread waits.  NULL only for a queue that is never freed. */
void wait_queue_block_locked(struct wait_queue *queue, struct thread *thread, struct object *owner);

/* The same; the thread is woken when the deadline comes, in nanoseconds since boot, if nothing has
 * done so before (kernel/timeouts.h). */
void wait_queue_block_until_locked(struct wait_queue *queue, struct thread *thread,
                                   struct object *owner, uint64_t deadline_ns);

/* Makes up to `max` of the threads ready, first come first.  True if others are left. */
bool wait_queue_wake(struct wait_queue *queue, unsigned max);

/* Makes one thread ready that waits in the queue.  The queue's lock is held, and is given back. */
void wait_queue_wake_locked(struct wait_queue *queue, struct thread *thread);

/* Makes a blocked thread ready whose deadline has come at `now`, in ticks.  Nothing happens if it
 * waits no more, or for something else with a later deadline or none.  The caller has a reference.
 */
void wait_queue_expire(struct thread *thread, uint64_t now);

/* Takes a blocked thread out of the queue it waits in, without making it ready; the reference on
 * the queue's owner is given back.  False: it waits no more.  The caller has a reference on the
 * thread. */
bool wait_queue_cancel(struct thread *thread);

/* How many threads wait now.  Who blocks later is behind them. */
uint32_t wait_queue_length(struct wait_queue *queue);

/* True if no thread waits.  Only a hint on another hart. */
bool wait_queue_is_empty(struct wait_queue *queue);
