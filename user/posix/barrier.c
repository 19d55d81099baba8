/* SPDX-License-Identifier: MIT */
/* Barriers: the round, which is the futex word, changes when the last one has arrived. */
#include <errno.h>
#include <pthread.h>

#include "user/lock.h"
#include "vellum/calls.h"

int pthread_barrier_init(pthread_barrier_t *__restrict barrier,
                         const pthread_barrierattr_t *__restrict attr, unsigned threads)
{
    (void)attr;
    if (threads == 0) {
        return EINVAL;
    }
    *barrier = (struct vellum_barrier){.wanted = threads};
    return 0;
}

int pthread_barrier_destroy(pthread_barrier_t *barrier)
{
    /* Acquire pairs with the release of the last one to leave. */
    while (atomic_load_explicit(&barrier->inside, memory_order_acquire) != 0) {
        (void)sys_yield();
    }
    return 0;
}

int pthread_barrier_wait(pthread_barrier_t *barrier)
{
    int result = 0;

    user_lock_acquire(&barrier->lock);
    atomic_fetch_add_explicit(&barrier->inside, 1, memory_order_relaxed);
    uint32_t round = atomic_load_explicit(&barrier->round, memory_order_relaxed);
    barrier->arrived++;
    if (barrier->arrived == barrier->wanted) {
        barrier->arrived = 0;
        /* Release pairs with the acquire below. */
        atomic_store_explicit(&barrier->round, round + 1, memory_order_release);
        result = PTHREAD_BARRIER_SERIAL_THREAD;
    }
    user_lock_release(&barrier->lock);
    if (result != 0) {
        (void)sys_futex_wake((uintptr_t)&barrier->round, UINT32_MAX, 0, NULL);
    }
    while (atomic_load_explicit(&barrier->round, memory_order_acquire) == round) {
        (void)sys_futex_wait((uintptr_t)&barrier->round, round, WAIT_FOREVER, 0);
    }
    /* Release pairs with the acquire in pthread_barrier_destroy. */
    atomic_fetch_sub_explicit(&barrier->inside, 1, memory_order_release);
    return result;
}
