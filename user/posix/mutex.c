/* SPDX-License-Identifier: MIT */
/* Mutexes.  A normal one is the plain lock alone; the others know their owner too. */
#include <errno.h>
#include <pthread.h>

#include "deadline.h"
#include "user/lock.h"

static int is_mine(const struct vellum_mutex *mutex)
{
    return atomic_load_explicit(&mutex->owner, memory_order_relaxed) == user_thread_id();
}

static void own(struct vellum_mutex *mutex, uint64_t owner)
{
    if (mutex->kind != PTHREAD_MUTEX_NORMAL) {
        atomic_store_explicit(&mutex->owner, owner, memory_order_relaxed);
    }
}

/* The caller has it already. */
static int again(struct vellum_mutex *mutex)
{
    if (mutex->kind == PTHREAD_MUTEX_ERRORCHECK) {
        return EDEADLK;
    }
    if (mutex->depth == UINT32_MAX) {
        return EAGAIN;
    }
    mutex->depth++;
    return 0;
}

int pthread_mutex_init(pthread_mutex_t *__restrict mutex,
                       const pthread_mutexattr_t *__restrict attr)
{
    *mutex = (struct vellum_mutex){.kind = attr == NULL ? 0 : (uint32_t)attr->kind};
    return 0;
}

int pthread_mutex_destroy(pthread_mutex_t *mutex)
{
    return atomic_load_explicit(&mutex->lock.word, memory_order_relaxed) == USER_LOCK_FREE ? 0
                                                                                           : EBUSY;
}

int pthread_mutex_lock(pthread_mutex_t *mutex)
{
    if (mutex->kind != PTHREAD_MUTEX_NORMAL && is_mine(mutex)) {
        return again(mutex);
    }
    user_lock_acquire(&mutex->lock);
    own(mutex, user_thread_id());
    return 0;
}

int pthread_mutex_trylock(pthread_mutex_t *mutex)
{
    if (mutex->kind == PTHREAD_MUTEX_RECURSIVE && is_mine(mutex)) {
        return again(mutex);
    }
    if (!user_lock_try(&mutex->lock)) {
        return EBUSY;
    }
    own(mutex, user_thread_id());
    return 0;
}

int pthread_mutex_timedlock(pthread_mutex_t *__restrict mutex,
                            const struct timespec *__restrict until)
{
    uint64_t deadline = 0;

    if (mutex->kind != PTHREAD_MUTEX_NORMAL && is_mine(mutex)) {
        return again(mutex);
    }
    /* The time need not be one if the mutex is free. */
    if (!user_lock_try(&mutex->lock)) {
        if (!timespec_read(until, &deadline)) {
            return EINVAL;
        }
        if (user_lock_acquire_until(&mutex->lock, deadline) != 0) {
            return ETIMEDOUT;
        }
    }
    own(mutex, user_thread_id());
    return 0;
}

int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    if (mutex->kind != PTHREAD_MUTEX_NORMAL && !is_mine(mutex)) {
        return EPERM;
    }
    if (mutex->depth != 0) {
        mutex->depth--;
        return 0;
    }
    own(mutex, 0);
    user_lock_release(&mutex->lock);
    return 0;
}

int pthread_mutexattr_init(pthread_mutexattr_t *attr)
{
    attr->kind = PTHREAD_MUTEX_DEFAULT;
    return 0;
}

int pthread_mutexattr_destroy(pthread_mutexattr_t *attr)
{
    (void)attr;
    return 0;
}

int pthread_mutexattr_settype(pthread_mutexattr_t *attr, int kind)
{
    if (kind < PTHREAD_MUTEX_NORMAL || kind > PTHREAD_MUTEX_RECURSIVE) {
        return EINVAL;
    }
    attr->kind = kind;
    return 0;
}

int pthread_mutexattr_gettype(const pthread_mutexattr_t *__restrict attr, int *__restrict kind)
{
    *kind = attr->kind;
    return 0;
}
