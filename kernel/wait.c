/* SPDX-License-Identifier: MIT */
/* Wait queues. */
#include "kernel/wait.h"

#include "kernel/sched.h"
#include "kernel/thread.h"
#include "lib/assert.h"

void wait_queue_init(struct wait_queue *queue)
{
    spinlock_init(&queue->lock, LOCK_WAIT);
    list_init(&queue->threads);
}

void wait_queue_block_locked(struct wait_queue *queue, struct thread *thread, struct object *owner)
{
    ASSERT(spinlock_is_mine(&queue->lock) && thread->state == THREAD_RUNNING);
    if (owner != NULL) {
        object_get(owner);
    }
    thread->waits_in = queue;
    thread->waits_for = owner;
    thread->state = THREAD_BLOCKED;
    list_push_back(&queue->threads, &thread->queue_link);
}

/* Takes the thread out of its queue, whose lock is held; returns the owner to put. */
static struct object *unblock_locked(struct thread *thread)
{
    struct object *owner = thread->waits_for;

    list_remove(&thread->queue_link);
    thread->waits_in = NULL;
    thread->waits_for = NULL;
    return owner;
}

bool wait_queue_wake(struct wait_queue *queue, unsigned max)
{
    for (unsigned i = 0; i < max; i++) {
        spinlock_acquire(&queue->lock);
        if (list_is_empty(&queue->threads)) {
            spinlock_release(&queue->lock);
            return false;
        }
        struct thread *thread = LIST_ENTRY(queue->threads.next, struct thread, queue_link);
        struct object *owner = unblock_locked(thread);

        sched_ready(thread);
        spinlock_release(&queue->lock);
        if (owner != NULL) {
            object_put(owner);
        }
    }
    return !wait_queue_is_empty(queue);
}

void wait_queue_cancel(struct thread *thread)
{
    struct wait_queue *queue = thread->waits_in;

    spinlock_acquire(&queue->lock);
    struct object *owner = unblock_locked(thread);

    spinlock_release(&queue->lock);
    if (owner != NULL) {
        object_put(owner);
    }
}

bool wait_queue_is_empty(struct wait_queue *queue)
{
    spinlock_acquire(&queue->lock);
    bool is_empty = list_is_empty(&queue->threads);

    spinlock_release(&queue->lock);
    return is_empty;
}
