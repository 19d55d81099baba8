/* SPDX-License-Identifier: MIT */
/*
 * Threads: registers, a process, and a place in at most one queue.
 *
 * The kernel has no stack for a thread.  A thread that lives holds its process; one that has ended
 * is kept by the reaper until the trap exit no longer needs its registers, then by its handles.
 */
#pragma once

#include "arch/user_frame.h"
#include "kernel/object.h"
#include "kernel/wait.h"
#include "lib/types.h"

struct process;

enum thread_state {
    THREAD_NEW,     /* not started                           */
    THREAD_READY,   /* in a run queue                        */
    THREAD_RUNNING, /* current on a hart                     */
    THREAD_BLOCKED, /* in a wait queue                       */
    THREAD_ENDED,   /* never runs again; with the reaper     */
};

/* Fields: (c) constant after start, (p) process->lock, (q) lock of the queue it is in,
 * (o) changed by the one who has taken it out of every queue, (h) by the hart that runs it. */
struct thread {
    struct object object;          /* first                                      */
    uint32_t id;                   /* (c)                                        */
    enum thread_state state;       /* (o)                                        */
    bool must_look;                /* (h) see sched_look                         */
    uint64_t calls;                /* (h) system calls not yet counted           */
    struct process *process;       /* (c) NULL before start and once reaped      */
    struct list_node queue_link;   /* (q) run queue, wait queue or reaper        */
    struct list_node process_link; /* (p) process->threads                       */
    struct wait_queue *waits_in;   /* (q) while blocked                          */
    struct object *waits_for;      /* (q) owner of that queue, one reference     */
    struct wait_queue waiters;     /* threads in thread_wait for this one        */
    struct user_frame frame;       /* (o) registers while it does not run        */
};

/* The thread whose registers these are. */
static inline struct thread *thread_of_frame(struct user_frame *frame)
{
    return LIST_ENTRY(frame, struct thread, frame);
}

/* A thread that has not started, with one reference.
 * Errors: ERR_NOMEM, nothing changed. */
status_t thread_create(struct thread **out);

/* Starts a new thread in the process; frame is filled in.  Takes over the caller's reference on OK.
 * Errors: ERR_SRCH the process has ended; the thread is as it was. */
status_t thread_start(struct thread *thread, struct process *process);

/* Ends a thread that is in no queue: the running one, or one just taken out.  With its last thread
 * the process ends. */
void thread_end(struct thread *thread);

/* Ends a thread that is ready or blocked. */
void thread_stop(struct thread *thread);

/* True once the thread has ended. */
bool thread_has_ended(const struct thread *thread);

/* Last reference: gives the memory back.  Called by object_put. */
void thread_destroy(struct thread *thread);
