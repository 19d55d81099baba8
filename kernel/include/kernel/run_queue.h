/* SPDX-License-Identifier: MIT */
/*
 * Run queues: one for each hart, first come, first served, and the way of a thread between them.
 *
 * A thread's home is the hart whose run queue it belongs to.  The lock of that queue covers the
 * thread's state, affinity and home.  So:
 *   - from outside, a thread is found by run_queue_lock_home(), which looks again until the lock it
 *     has is the home's;
 *   - only who finds a thread READY or BLOCKED under the lock may take it (TAKEN); from then on
 *     nobody else moves it, and the one who took it puts it into a queue, runs it, or ends it;
 *   - a RUNNING thread is moved and ended by its hart alone.  Others change its affinity or end
 *     its process, and send that hart an interrupt.
 *
 * A handler never switches stacks, and the trap exit saves the rest of the registers only after the
 * handler has returned.  A thread may therefore be READY, in any hart's queue, while its last hart
 * is still on the way out with it.  The frame says so itself (user_frame_owner): only that hart may
 * run the thread, all others pass it over until the trap exit has let go.  An idle hart that found
 * nothing but such a thread looks again at once, and holds no lock meanwhile; the other is on its
 * way out, at most one piece of the reaper's work from letting go, and needs nothing from it.
 */
#pragma once

#include "kernel/thread.h"
#include "uapi/process.h"

/* Boot hart, once, before the first thread. */
void run_queue_init(void);

/* Takes the lock of the thread's home; given back by run_queue_unlock with the hart returned. */
hart_idx_t run_queue_lock_home(const struct thread *thread);
void run_queue_unlock(hart_idx_t hart);

/* Takes the lock of that hart's run queue; given back likewise. */
void run_queue_lock(hart_idx_t hart);

/* The thread that this hart runs, or NULL. */
struct thread *run_queue_current(void);

/* Changes what a thread does.  The lock of its home is held, or the caller has taken the thread, or
 * the thread is new, or runs here. */
void run_queue_state_set(struct thread *thread, enum thread_state state);

/* Puts a taken thread into the run queue of the best hart: its home if that idles, another that
 * idles, else its home, unless much shorter queues are elsewhere; always one that its affinity has.
 * A hart that must act is interrupted. */
void run_queue_put(struct thread *thread);

/* The same for a thread whose home's lock is held, and is given back: with one lock, if it can stay
 * there. */
void run_queue_put_unlock(struct thread *thread, hart_idx_t home);

/* The same for the thread that runs here. */
void run_queue_put_current(struct thread *thread);

/* True if a thread waits in this hart's queue. */
bool run_queue_has_ready(void);

/* What a search for a thread to run came to. */
enum run_queue_result {
    RUN_QUEUE_FOUND, /* *found is RUNNING, and this hart's current thread               */
    RUN_QUEUE_EMPTY, /* nothing; this hart has no current thread                        */
    RUN_QUEUE_SOON,  /* likewise, but there may be one at the next look, without an interrupt */
};

/* What the thread that runs here wants. */
enum run_queue_wish {
    RUN_QUEUE_STAY,  /* to go on                      */
    RUN_QUEUE_YIELD, /* others that are ready first   */
};

/* Who runs after the thread that runs here, in the usual cases.
 * FOUND: *next is RUNNING: self, or the first of this hart's queue, and then self is at its end.
 * EMPTY: self is RUNNING and must be put elsewhere (run_queue_put_current). */
enum run_queue_result run_queue_go_on(struct thread *self, enum run_queue_wish wish,
                                      struct thread **next);

/* The next thread of this hart's queue.  Threads of processes that have ended are ended. */
enum run_queue_result run_queue_pick(struct thread **found);

/* The same, from other harts' queues if this one is empty.  The hart is marked as one that idles,
 * and so gets what is put from now on; the mark goes when something is found. */
enum run_queue_result run_queue_pick_idle(struct thread **found);

/* Chooses the harts that the thread may run on; all of them run, and there is one.  If the thread
 * is READY it is moved if it must, or if a hart idles that may run it now.
 * On OK it runs on none but these, or will before this hart returns to user mode.
 * Errors: ERR_AGAIN another hart still runs it, and has been interrupted; the choice holds
 *         ERR_SRCH  it has ended. */
status_t run_queue_set_affinity(struct thread *thread, struct hart_mask harts);
struct hart_mask run_queue_affinity(const struct thread *thread);

/* Takes a thread that is READY out of its queue.  False: it is not. */
bool run_queue_take(struct thread *thread);

/* What a hart does, a moment ago. */
struct run_queue_view {
    uint32_t ready;                /* threads in its queue                */
    uint32_t thread_id;            /* the one it runs; 0: none            */
    uint32_t process_id;           /* of that thread's process; 0: none   */
    char name[PROCESS_NAME_BYTES]; /* likewise                            */
};

/* Looks at a hart from outside. */
struct run_queue_view run_queue_look(hart_idx_t hart);

/* What a thread does, a moment ago. */
struct run_queue_thread_view {
    enum thread_state state;
    hart_idx_t hart; /* its home */
    uint32_t call;   /* blocked: the number of its system call */
    struct hart_mask affinity;
};

/* Looks at a thread from outside. */
struct run_queue_thread_view run_queue_look_at(const struct thread *thread);

/* Other harts that run a thread of the process.  With its end published before, these, interrupted,
 * are all that could still run one. */
struct hart_mask run_queue_harts_of(const struct process *process);
