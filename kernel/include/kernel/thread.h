/* SPDX-License-Identifier: MIT */
/*
 * Threads: registers, a process, and a place in at most one queue.
 *
 * The kernel has no stack for a thread.  A thread that lives holds its process; one that has ended
 * is kept by the reaper until no trap exit needs its registers, then by its handles.
 *
 * What a thread does is its state, and where that is decided is its home: the hart that runs it,
 * whose run queue it is in, or ran it last.  The lock of the home's run queue covers the state, and
 * the home itself; kernel/run_queue.h has the rules.
 */
#pragma once

#include "arch/user_frame.h"
#include "kernel/futex.h"
#include "kernel/memory_retry.h"
#include "kernel/object.h"
#include "kernel/timeout_heap.h"
#include "kernel/wait.h"
#include "lib/hart_mask.h"
#include "lib/types.h"
#include "mm/frame_block.h"

struct process;
struct vm_budget;

/* Frames that the budget of the process which makes a thread is charged for it, until it is
 * destroyed: more than its record takes. */
#define THREAD_FRAMES 1U

enum thread_state {
    THREAD_NEW,     /* not started                                                        */
    THREAD_READY,   /* in the run queue of its home                                       */
    THREAD_RUNNING, /* current on its home                                                */
    THREAD_BLOCKED, /* in a wait queue                                                    */
    THREAD_TAKEN,   /* in no queue: one hart has it in hand, to start, move, wake, end it */
    THREAD_ENDED,   /* never runs again; with the reaper                                  */
};

/* Fields: (c) constant after start, (a) atomic, (p) process->lock, (q) lock of the queue it is in,
 * (s) lock of its home's run queue, (h) the hart that owns the frame. */
struct thread {
    struct object object;          /* first                                                */
    uint32_t id;                   /* (c) after start; not 0, no other's in its process    */
    _Atomic(uint32_t) state;       /* (s) to change, but out of NEW, TAKEN and RUNNING     */
    _Atomic(hart_idx_t) home;      /* (s) to change, by whoever has taken it               */
    struct hart_mask affinity;     /* (s) harts it may run on; never empty                 */
    struct process *process;       /* (c) NULL before start and once reaped                */
    struct list_node queue_link;   /* (q) run queue, wait queue or reaper                  */
    struct list_node process_link; /* (p) process->threads                                 */
    struct key_node number_node;   /* (p) process->numbers                                 */
    struct wait_queue *waits_in;   /* (q) and (s) to change, either to read; while blocked */
    struct object *waits_for;      /* likewise: owner of that queue, one reference         */
    struct timeout_node timeout;   /* (s) while blocked with a deadline                    */
    struct futex_wait futex;       /* see kernel/futex.h                                   */
    struct wait_queue waiters;     /* threads in thread_wait for this one                  */
    struct sweep sweep;            /* (h) for the call under way: kernel/memory_retry.h    */
    struct vm_budget *payer;       /* (c) charged for this record; one reference, or NULL  */
    struct frame_making making;    /* (h) large page under way, for a fault or a call      */
    struct user_frame frame;       /* (h) registers; see user_frame_owner                  */
};

/* The thread whose registers these are. */
static inline struct thread *thread_of_frame(struct user_frame *frame)
{
    return LIST_ENTRY(frame, struct thread, frame);
}

/* A thread that has not started, with one reference.
 * affinity: harts it may run on; one of them runs.
 * payer:    the budget charged for it, or NULL; gets a reference.
 * Errors: ERR_NOMEM, nothing changed. */
status_t thread_create(struct hart_mask affinity, struct vm_budget *payer, struct thread **out);

/* Starts a new thread in the process, on any hart; frame is filled in.  Takes over the caller's
 * reference on OK.
 * Errors: ERR_SRCH the process has ended; so has the thread, for whoever knows it. */
status_t thread_start(struct thread *thread, struct process *process);

/* Ends a thread that is in no queue: the one that runs here, or one the caller has taken.  With its
 * last thread the process ends. */
void thread_end(struct thread *thread);

/* Ends a thread of a process that has ended, wherever it waits.  The caller has a reference.
 * False: another hart runs it, or has it in hand, and will end it. */
bool thread_stop(struct thread *thread);

/* True once the thread has ended. */
bool thread_has_ended(const struct thread *thread);

/* What it does now; a moment later that may have changed. */
enum thread_state thread_state(const struct thread *thread);

/* Last reference: gives the memory back.  Called by object_put. */
void thread_destroy(struct thread *thread);
