/* SPDX-License-Identifier: MIT */
/* The body of the run queues, for the files that make them up. */
#pragma once

#include "arch/arch.h"
#include "kernel/run_queue.h"
#include "lib/list.h"
#include "lib/spinlock.h"

#define NO_HART HART_MAX

/* Fields: (l) lock, (a) atomic. */
struct run_queue {
    _Alignas(64) struct spinlock lock; /* rank LOCK_SCHED                                    */
    struct list_node ready;            /* (l) by queue_link                                  */
    _Atomic(uint32_t) length;          /* (l) to change; a hint to others                    */
    struct thread *current;            /* (l) to change, by its hart alone, which may read; a
                                          thread stays until its hart looks for another, though
                                          it may have been blocked or ended by then          */
};

extern struct run_queue run_queues[HART_MAX];

static inline struct run_queue *run_queue_here(void)
{
    return &run_queues[hart_index()];
}

static inline uint32_t run_queue_length(const struct run_queue *queue)
{
    /* Relaxed: a hint, unless the lock is held or a fence comes before. */
    return atomic_load_explicit(&queue->length, memory_order_relaxed);
}

/* Into a queue, READY, and out of it, TAKEN.  The lock is held. */
void run_queue_push_locked(struct run_queue *queue, struct thread *thread);
void run_queue_remove_locked(struct run_queue *queue, struct thread *thread);

/* Marks of harts that idle.  Setting one is followed by a full fence, and so ordered before any
 * look at the queues; pairs with the fence in run_queue_look_idle. */
void idle_mark(void);
void idle_unmark(void);

/* The harts of the set that are marked. */
struct hart_mask idle_among(struct hart_mask set);

/* Claims an idle hart of the set by clearing its mark, `first` if it is one.  NO_HART: none. */
hart_idx_t idle_claim(struct hart_mask set, hart_idx_t first);

/* True if no hart of the set is better for a thread than its home: none idles, no queue is much
 * shorter.  The home's lock is held; the rest is a hint. */
bool run_queue_is_best(struct hart_mask set, hart_idx_t home);

/* After a thread with that affinity was put in a queue: wakes an idle hart, if one may run it. */
void run_queue_look_idle(struct hart_mask set);

/* Makes a hart look around: this one before it leaves the kernel, another by an interrupt. */
void run_queue_nudge(hart_idx_t hart);
