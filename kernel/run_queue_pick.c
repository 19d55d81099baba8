/* SPDX-License-Identifier: MIT */
/*
 * Run queues: which thread a hart runs next.  The rules are in kernel/run_queue.h.
 *
 * A thread is found and taken under the lock of the queue it is in.  One from another hart's queue
 * changes its home there; then it is adopted under the lock of this one, so never two locks at
 * once.
 */
#include "kernel/process.h"
#include "lib/counter.h"
#include "lib/trace.h"
#include "run_queue_priv.h"

#define DROP_MAX 32U /* threads of ended processes that one search ends     */
/* Threads that one search looks at in a queue: more than there are harts, so that a hart never
 * misses one of its own queue.  One that takes from others may miss a thread behind so many that
 * are bound; that thread's own hart runs it. */
#define LOOK_MAX 64U

struct thread *run_queue_current(void)
{
    return run_queue_here()->current;
}

/* Makes a taken thread, whose home is this hart, current.
 * Errors: ERR_SRCH its process has ended; ERR_AGAIN it may not run here.  It is still taken. */
static status_t adopt_locked(struct run_queue *queue, struct thread *thread)
{
    /* Looked at under the lock, which whoever ends the process takes after it has said so
     * (run_queue_harts_of): one of the two sees the other. */
    if (process_has_ended(thread->process)) {
        return ERR_SRCH;
    }
    if (!hart_mask_has(thread->affinity, hart_index())) {
        return ERR_AGAIN;
    }
    run_queue_state_set(thread, THREAD_RUNNING);
    user_frame_own(&thread->frame, hart_index());
    queue->current = thread;
    return OK;
}

/* Takes the first thread of a queue that this hart may run, among those it looks at. */
static enum run_queue_result take_first_locked(struct run_queue *queue, struct thread **found)
{
    enum run_queue_result result = RUN_QUEUE_EMPTY;
    unsigned looked_at = 0;
    struct list_node *node;

    LIST_FOR_EACH (node, &queue->ready) {
        struct thread *thread = LIST_ENTRY(node, struct thread, queue_link);
        uint64_t owner = user_frame_owner(&thread->frame);

        if (looked_at++ == LOOK_MAX) {
            break;
        }
        if (!hart_mask_has(thread->affinity, hart_index())) {
            continue;
        }
        if (owner == 0 || owner == hart_index() + 1U) {
            run_queue_remove_locked(queue, thread);
            *found = thread;
            return RUN_QUEUE_FOUND;
        }
        result = RUN_QUEUE_SOON;
    }
    return result;
}

/* Puts self, which runs here, behind the others, and makes the first of them current.  *next is
 * self if this hart can run none of them.  Returns one to end instead, taken out, or NULL. */
static struct thread *rotate_locked(struct run_queue *queue, struct thread *self,
                                    struct thread **next)
{
    *next = self;
    if (take_first_locked(queue, next) != RUN_QUEUE_FOUND) {
        return NULL;
    }
    if (adopt_locked(queue, *next) != OK) {
        return *next;
    }
    trace_note(TRACE_READY, self->id, hart_index());
    run_queue_push_locked(queue, self);
    return NULL;
}

enum run_queue_result run_queue_go_on(struct thread *self, enum run_queue_wish wish,
                                      struct thread **next)
{
    struct run_queue *queue = run_queue_here();
    enum run_queue_result result = RUN_QUEUE_FOUND;
    struct thread *ended = NULL;

    spinlock_acquire(&queue->lock);
    struct hart_mask set = self->affinity;
    bool may_stay = hart_mask_has(set, hart_index());

    if (may_stay && (wish == RUN_QUEUE_STAY || list_is_empty(&queue->ready))) {
        *next = self;
    } else if (may_stay && run_queue_is_best(set, hart_index())) {
        ended = rotate_locked(queue, self, next);
    } else {
        result = RUN_QUEUE_EMPTY;
    }
    spinlock_release(&queue->lock);
    if (ended != NULL) {
        thread_end(ended);
        return RUN_QUEUE_EMPTY;
    }
    if (result == RUN_QUEUE_FOUND && *next != self) {
        run_queue_look_idle(set);
    }
    return result;
}

/* The queue's hart has nothing to run for now. */
static void current_clear(struct run_queue *queue)
{
    spinlock_acquire(&queue->lock);
    queue->current = NULL;
    spinlock_release(&queue->lock);
}

enum run_queue_result run_queue_pick(struct thread **found)
{
    struct run_queue *queue = run_queue_here();

    for (unsigned i = 0; i < DROP_MAX; i++) {
        struct thread *thread;
        status_t status = ERR_NOENT;

        spinlock_acquire(&queue->lock);
        enum run_queue_result result = take_first_locked(queue, &thread);

        if (result == RUN_QUEUE_FOUND) {
            status = adopt_locked(queue, thread);
        }
        spinlock_release(&queue->lock);
        if (result != RUN_QUEUE_FOUND) {
            current_clear(queue);
            return result;
        }
        if (status == OK) {
            *found = thread;
            return RUN_QUEUE_FOUND;
        }
        thread_end(thread);
    }
    current_clear(queue);
    return RUN_QUEUE_SOON;
}

/* Takes a thread of another hart's queue home. */
static enum run_queue_result take_from(struct run_queue *queue, struct thread **found)
{
    if (run_queue_length(queue) == 0) {
        return RUN_QUEUE_EMPTY;
    }
    spinlock_acquire(&queue->lock);
    enum run_queue_result result = take_first_locked(queue, found);

    if (result == RUN_QUEUE_FOUND) {
        /* Release: pairs with the acquire in home_of, run_queue.c. */
        atomic_store_explicit(&(*found)->home, hart_index(), memory_order_release);
    }
    spinlock_release(&queue->lock);
    return result;
}

/* Makes a thread that was taken home current.  False: it could not be, and is elsewhere now. */
static bool adopt(struct thread *thread)
{
    struct run_queue *here = run_queue_here();

    spinlock_acquire(&here->lock);
    status_t status = adopt_locked(here, thread);

    spinlock_release(&here->lock);
    if (status == ERR_SRCH) {
        thread_end(thread);
    } else if (status != OK) {
        run_queue_put(thread);
    }
    return status == OK;
}

/* Looks at the other harts' queues, the next hart's first. */
static enum run_queue_result steal(struct thread **found)
{
    enum run_queue_result result = RUN_QUEUE_EMPTY;

    for (hart_idx_t i = 1; i < HART_MAX; i++) {
        struct thread *thread;
        enum run_queue_result one = take_from(&run_queues[(hart_index() + i) % HART_MAX], &thread);

        if (one == RUN_QUEUE_FOUND && adopt(thread)) {
            counter_add(COUNTER_threads_stolen, 1);
            *found = thread;
            return RUN_QUEUE_FOUND;
        }
        result = one == RUN_QUEUE_EMPTY ? result : RUN_QUEUE_SOON;
    }
    return result;
}

enum run_queue_result run_queue_pick_idle(struct thread **found)
{
    enum run_queue_result stolen = RUN_QUEUE_EMPTY;

    idle_mark();
    enum run_queue_result own = run_queue_pick(found);

    if (own != RUN_QUEUE_FOUND) {
        stolen = steal(found);
    }
    if (own == RUN_QUEUE_FOUND || stolen == RUN_QUEUE_FOUND) {
        idle_unmark();
        return RUN_QUEUE_FOUND;
    }
    return own == RUN_QUEUE_SOON || stolen == RUN_QUEUE_SOON ? RUN_QUEUE_SOON : RUN_QUEUE_EMPTY;
}
