/* SPDX-License-Identifier: MIT */
/*
 * Threads: from start to end.  A thread is linked to its process exactly while it is neither new
 * nor ended; that link is one holder of the process until the reaper has put the thread away.
 */
#include "kernel/thread.h"

#include "kernel/process.h"
#include "kernel/reaper.h"
#include "kernel/sched.h"
#include "lib/assert.h"
#include "mm/slab.h"

static struct slab_cache thread_cache =
    SLAB_CACHE_INIT(thread_cache, "thread", sizeof(struct thread));
static _Atomic(uint32_t) last_id; /* (a) only counts */

status_t thread_create(struct thread **out)
{
    struct thread *thread = slab_alloc(&thread_cache);

    if (thread == NULL) {
        return ERR_NOMEM;
    }
    object_init(&thread->object, HANDLE_THREAD);
    thread->id = atomic_fetch_add_explicit(&last_id, 1, memory_order_relaxed) + 1;
    thread->state = THREAD_NEW;
    list_init(&thread->queue_link);
    list_init(&thread->process_link);
    wait_queue_init(&thread->waiters);
    *out = thread;
    return OK;
}

status_t thread_start(struct thread *thread, struct process *process)
{
    ASSERT(thread->state == THREAD_NEW);
    process_hold(process);
    spinlock_acquire(&process->lock);
    if (process_has_ended(process)) {
        spinlock_release(&process->lock);
        process_release(process);
        return ERR_SRCH;
    }
    thread->process = process;
    list_push_back(&process->threads, &thread->process_link);
    spinlock_release(&process->lock);
    sched_ready(thread);
    return OK;
}

void thread_end(struct thread *thread)
{
    struct process *process = thread->process;

    ASSERT(thread->state != THREAD_ENDED && list_is_empty(&thread->queue_link));
    spinlock_acquire(&process->lock);
    list_remove(&thread->process_link);
    bool was_last = list_is_empty(&process->threads);

    thread->state = THREAD_ENDED;
    spinlock_release(&process->lock);
    if (was_last) {
        process_end(process, (struct process_exit){.reason = EXIT_NO_THREADS});
    }
    reaper_add_thread(thread);
}

void thread_stop(struct thread *thread)
{
    if (thread->state == THREAD_READY) {
        sched_remove(thread);
    } else {
        ASSERT(thread->state == THREAD_BLOCKED);
        wait_queue_cancel(thread);
    }
    thread_end(thread);
}

bool thread_has_ended(const struct thread *thread)
{
    return thread->state == THREAD_ENDED;
}

void thread_destroy(struct thread *thread)
{
    ASSERT(thread->state == THREAD_NEW || thread->process == NULL);
    slab_free(&thread_cache, thread);
}
