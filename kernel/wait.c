/* SPDX-License-Identifier: MIT */
/*
 * Wait queues.  A thread's way in and out is under two locks, the queue's and, inside it, the one
 * of the thread's home; so who has either may read where the thread waits.
 */
#include "kernel/wait.h"

#include "kernel/run_queue.h"
#include "kernel/thread.h"
#include "kernel/timeouts.h"
#include "lib/assert.h"
#include "uapi/process.h"

void wait_queue_init(struct wait_queue *queue)
{
    spinlock_init(&queue->lock, LOCK_WAIT);
    list_init(&queue->threads);
    queue->length = 0;
}

void wait_queue_end(struct wait_queue *queue)
{
    ASSERT(list_is_empty(&queue->threads));
    spinlock_init(&queue->lock, LOCK_NONE);
}

void wait_queue_block_until_locked(struct wait_queue *queue, struct thread *thread,
                                   struct object *owner, uint64_t deadline_ns)
{
    ASSERT(spinlock_is_mine(&queue->lock) && thread_state(thread) == THREAD_RUNNING);
    if (owner != NULL) {
        object_get(owner);
    }
    list_push_back(&queue->threads, &thread->queue_link);
    queue->length++;
    hart_idx_t home = run_queue_lock_home(thread);

    thread->waits_in = queue;
    thread->waits_for = owner;
    timeouts_add_locked(home, thread, deadline_ns);
    run_queue_state_set(thread, THREAD_BLOCKED);
    run_queue_unlock(home);
}

void wait_queue_block_locked(struct wait_queue *queue, struct thread *thread, struct object *owner)
{
    wait_queue_block_until_locked(queue, thread, owner, WAIT_FOREVER);
}

/* Takes a blocked thread out of all that it waits in.  Both locks are held.  Returns the owner to
 * put. */
static struct object *unblock_locked(struct thread *thread, hart_idx_t home)
{
    struct object *owner = thread->waits_for;

    list_remove(&thread->queue_link);
    thread->waits_in->length--;
    if (thread->futex.place.queue != NULL) {
        key_queue_remove(&thread->futex.place);
    }
    timeouts_remove_locked(home, thread);
    thread->waits_in = NULL;
    thread->waits_for = NULL;
    run_queue_state_set(thread, THREAD_TAKEN);
    return owner;
}

void wait_queue_wake_locked(struct wait_queue *queue, struct thread *thread)
{
    hart_idx_t home = run_queue_lock_home(thread);
    struct object *owner = unblock_locked(thread, home);

    spinlock_release(&queue->lock);
    run_queue_put_unlock(thread, home);
    if (owner != NULL) {
        object_put(owner);
    }
}

/* Wakes the first thread.  False: there is none. */
static bool wake_first(struct wait_queue *queue)
{
    spinlock_acquire(&queue->lock);
    if (list_is_empty(&queue->threads)) {
        spinlock_release(&queue->lock);
        return false;
    }
    wait_queue_wake_locked(queue, LIST_ENTRY(queue->threads.next, struct thread, queue_link));
    return true;
}

bool wait_queue_wake(struct wait_queue *queue, unsigned max)
{
    for (unsigned i = 0; i < max; i++) {
        if (!wake_first(queue)) {
            return false;
        }
    }
    return !wait_queue_is_empty(queue);
}

/* The queue that a thread waits in, or NULL; *owner is what holds the queue, with a reference of
 * the caller's own, or NULL if the queue is always there. */
static struct wait_queue *queue_of(const struct thread *thread, struct object **owner)
{
    hart_idx_t home = run_queue_lock_home(thread);
    struct wait_queue *queue = thread->waits_in;

    *owner = thread->waits_for;
    if (*owner != NULL) {
        object_get(*owner);
    }
    run_queue_unlock(home);
    return queue;
}

/* When a thread is to be taken out. */
enum when {
    AT_ONCE,
    IF_EXPIRED, /* only if its deadline has come */
};

/* Takes a blocked thread out of the queue it waits in.  False: it waits no more, or its deadline
 * has not come at `now`. */
static bool take_out(struct thread *thread, enum when when, uint64_t now)
{
    struct object *owner;
    struct object *waited_for = NULL;
    struct wait_queue *queue = queue_of(thread, &owner);

    if (queue == NULL) {
        return false;
    }
    spinlock_acquire(&queue->lock);
    hart_idx_t home = run_queue_lock_home(thread);
    bool is_taken =
        thread->waits_in == queue && (when == AT_ONCE || timeouts_has_come_locked(thread, now));

    if (is_taken) {
        waited_for = unblock_locked(thread, home);
    }
    run_queue_unlock(home);
    spinlock_release(&queue->lock);
    if (waited_for != NULL) {
        object_put(waited_for);
    }
    if (owner != NULL) {
        object_put(owner);
    }
    return is_taken;
}

bool wait_queue_cancel(struct thread *thread)
{
    return take_out(thread, AT_ONCE, 0);
}

void wait_queue_expire(struct thread *thread, uint64_t now)
{
    if (take_out(thread, IF_EXPIRED, now)) {
        run_queue_put(thread);
    }
}

uint32_t wait_queue_length(struct wait_queue *queue)
{
    spinlock_acquire(&queue->lock);
    uint32_t length = queue->length;

    spinlock_release(&queue->lock);
    return length;
}

bool wait_queue_is_empty(struct wait_queue *queue)
{
    spinlock_acquire(&queue->lock);
    bool is_empty = list_is_empty(&queue->threads);

    spinlock_release(&queue->lock);
    return is_empty;
}
