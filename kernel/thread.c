/* SPDX-License-Identifier: MIT */
/*
 * Threads: from start to end.  A thread is linked to its process exactly while it is neither new
 * nor ended; that link is one holder of the process until the reaper has put the thread away, and
 * while there is one the process keeps its space.
 */
#include "kernel/thread.h"

#include "kernel/process.h"
#include "kernel/reaper.h"
#include "kernel/run_queue.h"
#include "lib/assert.h"
#include "lib/hart.h"
#include "mm/slab.h"
#include "mm/vm_budget.h"

static struct slab_cache thread_cache =
    SLAB_CACHE_INIT(thread_cache, "thread", sizeof(struct thread));
#define WAKE_MAX 32U

static _Atomic(uint32_t) last_id; /* (a) only counts */

/* A number that few others have, not 0. */
static uint32_t next_id(void)
{
    uint32_t before = 0;

    do {
        /* Relaxed: it only counts. */
        before = atomic_fetch_add_explicit(&last_id, 1, memory_order_relaxed);
    } while (before == UINT32_MAX);
    return before + 1;
}

status_t thread_create(struct hart_mask affinity, struct vm_budget *payer, struct thread **out)
{
    status_t status = vm_budget_charge(payer, THREAD_FRAMES);
    struct thread *thread;

    if (status != OK) {
        return status;
    }
    thread = slab_alloc(&thread_cache);
    if (thread == NULL) {
        vm_budget_release(payer, THREAD_FRAMES);
        return ERR_NOMEM;
    }
    vm_budget_get(payer);
    thread->payer = payer;
    object_init(&thread->object, HANDLE_THREAD);
    thread->id = next_id();
    atomic_init(&thread->state, THREAD_NEW);
    atomic_init(&thread->home, hart_index());
    thread->affinity = affinity;
    list_init(&thread->queue_link);
    list_init(&thread->process_link);
    wait_queue_init(&thread->waiters);
    *out = thread;
    return OK;
}

/* Ends a thread that never ran.  It has a handle, so others may wait for it already. */
static void end_new(struct thread *thread)
{
    run_queue_state_set(thread, THREAD_ENDED);
    (void)wait_queue_wake(&thread->waiters, UINT32_MAX);
}

/* Links a new thread to its process.
 * Errors: ERR_SRCH the process has ended; ERR_EXIST it has a thread of this number. */
static status_t link_to(struct process *process, struct thread *thread)
{
    status_t status = OK;

    thread->number_node.key.high = (uint64_t)thread->id << 32;
    spinlock_acquire(&process->lock);
    if (process_has_ended(process)) {
        status = ERR_SRCH;
    } else if (key_tree_insert(&process->numbers, &thread->number_node) != NULL) {
        status = ERR_EXIST;
    } else {
        thread->process = process;
        run_queue_state_set(thread, THREAD_TAKEN);
        list_push_back(&process->threads, &thread->process_link);
        process->thread_count++;
    }
    spinlock_release(&process->lock);
    return status;
}

status_t thread_start(struct thread *thread, struct process *process)
{
    ASSERT(thread_state(thread) == THREAD_NEW);
    process_hold(process);
    status_t status = link_to(process, thread);

    while (status == ERR_EXIST) { /* once the numbers have gone round */
        thread->id = next_id();
        status = link_to(process, thread);
    }
    if (status != OK) {
        process_release(process);
        end_new(thread);
        return status;
    }
    run_queue_put(thread);
    return OK;
}

void thread_end(struct thread *thread)
{
    struct process *process = thread->process;

    /* Before it is unlinked: without threads the process may be put away at once by another hart,
     * while this one still has its space. */
    reaper_expect();
    spinlock_acquire(&process->lock);
    list_remove(&thread->process_link);
    key_tree_remove(&process->numbers, &thread->number_node);
    process->thread_count--;
    bool was_last = list_is_empty(&process->threads);

    spinlock_release(&process->lock);
    ASSERT(list_is_empty(&thread->queue_link));
    (void)futex_take_result(thread);
    run_queue_state_set(thread, THREAD_ENDED);
    (void)wait_queue_wake(&thread->waiters, WAKE_MAX); /* the reaper wakes the others */
    if (was_last) {
        process_end(process, (struct process_exit){.reason = EXIT_NO_THREADS});
    }
    reaper_add_thread(thread);
}

bool thread_stop(struct thread *thread)
{
    if (!run_queue_take(thread) && !wait_queue_cancel(thread)) {
        return false;
    }
    thread_end(thread);
    return true;
}

enum thread_state thread_state(const struct thread *thread)
{
    /* Pairs with the releases of every change: what the thread did before its end is seen. */
    return (enum thread_state)atomic_load_explicit(&thread->state, memory_order_acquire);
}

bool thread_has_ended(const struct thread *thread)
{
    return thread_state(thread) == THREAD_ENDED;
}

void thread_destroy(struct thread *thread)
{
    ASSERT(thread->process == NULL);
    wait_queue_end(&thread->waiters);
    vm_budget_release(thread->payer, THREAD_FRAMES);
    vm_budget_put(thread->payer);
    slab_free(&thread_cache, thread);
}
