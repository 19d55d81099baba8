/* SPDX-License-Identifier: MIT */
/* Deadlines of blocked threads. */
#include "kernel/timeouts.h"

#include "arch/arch.h"
#include "arch/machine.h"
#include "kernel/run_queue.h"
#include "kernel/thread.h"
#include "kernel/wait.h"

#define NEVER      UINT64_MAX
#define NS         UINT64_C(1000000000)
#define EXPIRE_MAX 16U /* threads that one interrupt wakes */

static struct timeouts_hart {
    _Alignas(64) struct timeout_heap heap; /* under the lock of the hart's run queue  */
    _Atomic(uint64_t) earliest;            /* (a) likewise to change; a hint to read  */
} harts[HART_MAX];

/* The first tick at which that many nanoseconds have passed; NEVER if that is too far. */
static uint64_t ticks_of_ns(uint64_t ns)
{
    uint64_t hz = machine_get()->timebase_hz;
    uint64_t ticks;

    if (__builtin_mul_overflow(ns / NS, hz, &ticks) ||
        __builtin_add_overflow(ticks, (ns % NS * hz + NS - 1) / NS, &ticks)) {
        return NEVER;
    }
    return ticks;
}

uint64_t timeouts_ns_of(uint64_t ticks)
{
    uint64_t hz = machine_get()->timebase_hz;

    return ticks / hz * NS + ticks % hz * NS / hz;
}

bool timeouts_is_past(uint64_t deadline_ns)
{
    if (deadline_ns == 0) {
        return true;
    }
    return deadline_ns != WAIT_FOREVER && ticks_of_ns(deadline_ns) <= arch_time_now();
}

static void earliest_set(struct timeouts_hart *hart)
{
    const struct timeout_node *first = hart->heap.first;

    /* Relaxed, here and below: a hart sees what it put in itself; what others take out only makes
     * its timer fire for nothing. */
    atomic_store_explicit(&hart->earliest, first != NULL ? first->at : NEVER, memory_order_relaxed);
}

void timeouts_init(void)
{
    for (unsigned i = 0; i < HART_MAX; i++) {
        earliest_set(&harts[i]);
    }
}

void timeouts_add_locked(hart_idx_t home, struct thread *thread, uint64_t deadline_ns)
{
    if (deadline_ns == WAIT_FOREVER) {
        return;
    }
    thread->timeout.at = ticks_of_ns(deadline_ns);
    timeout_heap_insert(&harts[home].heap, &thread->timeout);
    earliest_set(&harts[home]);
}

void timeouts_remove_locked(hart_idx_t home, struct thread *thread)
{
    if (timeout_node_is_queued(&thread->timeout)) {
        timeout_heap_remove(&harts[home].heap, &thread->timeout);
        earliest_set(&harts[home]);
    }
}

bool timeouts_has_come_locked(const struct thread *thread, uint64_t now)
{
    return timeout_node_is_queued(&thread->timeout) && thread->timeout.at <= now;
}

uint64_t timeouts_earliest(void)
{
    return atomic_load_explicit(&harts[hart_index()].earliest, memory_order_relaxed);
}

/* A thread of this hart's queue whose deadline has come, with a reference, or NULL. */
static struct thread *first_that_has_come(uint64_t now)
{
    hart_idx_t hart = hart_index();
    struct thread *thread = NULL;

    if (timeouts_earliest() > now) {
        return NULL;
    }
    run_queue_lock(hart);
    struct timeout_node *first = harts[hart].heap.first;

    if (first != NULL && first->at <= now) {
        thread = LIST_ENTRY(first, struct thread, timeout);
        object_get(&thread->object);
    }
    run_queue_unlock(hart);
    return thread;
}

uint64_t timeouts_expire(void)
{
    uint64_t now = 0;

    /* Without a deadline the time does not matter, and reading it can be dear. */
    for (unsigned i = 0; i < EXPIRE_MAX && timeouts_earliest() != NEVER; i++) {
        now = arch_time_now();
        struct thread *thread = first_that_has_come(now);

        if (thread == NULL) {
            break;
        }
        wait_queue_expire(thread, now);
        object_put(&thread->object);
    }
    return now;
}
