/* SPDX-License-Identifier: MIT */
/*
 * Condition variables: a count of signals, which is the futex word.  A waiter reads the count while
 * it has the mutex and sleeps only while it is the same, so it misses no signal given after it let
 * the mutex go, unless 2^32 of them come before it sleeps.
 */
#include <errno.h>
#include <pthread.h>

#include "deadline.h"
#include "user/lock.h"
#include "vellum/calls.h"

int pthread_cond_init(pthread_cond_t *__restrict cond, const pthread_condattr_t *__restrict attr)
{
    (void)attr; /* all clocks are one */
    *cond = (struct vellum_cond)PTHREAD_COND_INITIALIZER;
    return 0;
}

int pthread_cond_destroy(pthread_cond_t *cond)
{
    /* Acquire pairs with the release of the last one to leave. */
    while (atomic_load_explicit(&cond->waiters, memory_order_acquire) != 0) {
        (void)sys_yield();
    }
    return 0;
}

static int cond_wait_until(struct vellum_cond *cond, struct vellum_mutex *mutex, uint64_t deadline)
{
    /* Relaxed both: whoever changes what is waited for has had the mutex after this. */
    atomic_fetch_add_explicit(&cond->waiters, 1, memory_order_relaxed);
    uint32_t seen = atomic_load_explicit(&cond->signals, memory_order_relaxed);
    int error = pthread_mutex_unlock(mutex);
    long status = 0;

    if (error == 0) {
        status = sys_futex_wait((uintptr_t)&cond->signals, seen, deadline, 0);
    }
    /* Release pairs with the acquire in pthread_cond_destroy. */
    atomic_fetch_sub_explicit(&cond->waiters, 1, memory_order_release);
    if (error != 0) {
        return error;
    }
    error = pthread_mutex_lock(mutex);
    return error == 0 && status == -SYS_ETIMEDOUT ? ETIMEDOUT : error;
}

int pthread_cond_wait(pthread_cond_t *__restrict cond, pthread_mutex_t *__restrict mutex)
{
    return cond_wait_until(cond, mutex, WAIT_FOREVER);
}

int pthread_cond_timedwait(pthread_cond_t *__restrict cond, pthread_mutex_t *__restrict mutex,
                           const struct timespec *__restrict until)
{
    uint64_t deadline = 0;

    return timespec_read(until, &deadline) ? cond_wait_until(cond, mutex, deadline) : EINVAL;
}

static int cond_wake(struct vellum_cond *cond, uint64_t threads)
{
    /* Relaxed both: a waiter that must see this has read the count under the mutex before. */
    atomic_fetch_add_explicit(&cond->signals, 1, memory_order_relaxed);
    if (atomic_load_explicit(&cond->waiters, memory_order_relaxed) != 0) {
        (void)sys_futex_wake((uintptr_t)&cond->signals, threads, 0, NULL);
    }
    return 0;
}

int pthread_cond_signal(pthread_cond_t *cond)
{
    return cond_wake(cond, 1);
}

int pthread_cond_broadcast(pthread_cond_t *cond)
{
    return cond_wake(cond, UINT32_MAX);
}

int pthread_condattr_init(pthread_condattr_t *attr)
{
    attr->clock = CLOCK_REALTIME;
    return 0;
}

int pthread_condattr_destroy(pthread_condattr_t *attr)
{
    (void)attr;
    return 0;
}

int pthread_condattr_setclock(pthread_condattr_t *attr, clockid_t clock)
{
    if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC) {
        return EINVAL;
    }
    attr->clock = clock;
    return 0;
}

int pthread_condattr_getclock(const pthread_condattr_t *__restrict attr,
                              clockid_t *__restrict clock)
{
    *clock = attr->clock;
    return 0;
}
