/* SPDX-License-Identifier: MIT */
/*
 * Locks for many readers or one writer.  The state, which is the futex word: the number of readers,
 * or WRITER; and whether somebody may sleep until that is 0.  An unlock touches the lock once, so
 * that the next owner may destroy it.
 */
#include <errno.h>
#include <pthread.h>

#include "user/lock.h"
#include "vellum/calls.h"

#define AWAITED UINT32_C(0x80000000)
#define WRITER  UINT32_C(0x7fffffff)

int pthread_rwlock_init(pthread_rwlock_t *__restrict lock,
                        const pthread_rwlockattr_t *__restrict attr)
{
    (void)attr;
    *lock = (struct vellum_rwlock)PTHREAD_RWLOCK_INITIALIZER;
    return 0;
}

int pthread_rwlock_destroy(pthread_rwlock_t *lock)
{
    return atomic_load_explicit(&lock->state, memory_order_relaxed) == 0 ? 0 : EBUSY;
}

/* Enters if it may; *state is what it found.  `adds`: WRITER, or 1 for a reader. */
static int rwlock_enter(struct vellum_rwlock *lock, uint32_t adds, uint32_t *state)
{
    *state = atomic_load_explicit(&lock->state, memory_order_relaxed);
    do {
        uint32_t inside = *state & ~AWAITED;

        if (inside == WRITER || (adds == WRITER && inside != 0)) {
            return EBUSY;
        }
        if (inside == WRITER - 1) {
            return EAGAIN;
        }
        /* Acquire pairs with the release in pthread_rwlock_unlock. */
    } while (!atomic_compare_exchange_weak_explicit(&lock->state, state, *state + adds,
                                                    memory_order_acquire, memory_order_relaxed));
    return 0;
}

static int rwlock_wait(struct vellum_rwlock *lock, uint32_t adds)
{
    uint32_t state = 0;
    int error = rwlock_enter(lock, adds, &state);

    while (error == EBUSY) {
        if (atomic_compare_exchange_strong_explicit(&lock->state, &state, state | AWAITED,
                                                    memory_order_relaxed, memory_order_relaxed)) {
            (void)sys_futex_wait((uintptr_t)&lock->state, state | AWAITED, WAIT_FOREVER, 0);
        }
        error = rwlock_enter(lock, adds, &state);
    }
    return error;
}

int pthread_rwlock_tryrdlock(pthread_rwlock_t *lock)
{
    uint32_t state = 0;

    return rwlock_enter(lock, 1, &state);
}

int pthread_rwlock_trywrlock(pthread_rwlock_t *lock)
{
    uint32_t state = 0;

    return rwlock_enter(lock, WRITER, &state);
}

int pthread_rwlock_rdlock(pthread_rwlock_t *lock)
{
    return rwlock_wait(lock, 1);
}

int pthread_rwlock_wrlock(pthread_rwlock_t *lock)
{
    return rwlock_wait(lock, WRITER);
}

int pthread_rwlock_unlock(pthread_rwlock_t *lock)
{
    uint32_t state = atomic_load_explicit(&lock->state, memory_order_relaxed);
    uint32_t after = 0;

    do {
        uint32_t inside = state & ~AWAITED;

        if (inside == 0) {
            return EPERM;
        }
        after = inside == WRITER || inside == 1 ? 0 : state - 1;
        /* Release pairs with the acquire in rwlock_enter. */
    } while (!atomic_compare_exchange_weak_explicit(&lock->state, &state, after,
                                                    memory_order_release, memory_order_relaxed));
    if (after == 0 && (state & AWAITED) != 0) {
        (void)sys_futex_wake((uintptr_t)&lock->state, UINT32_MAX, 0, NULL);
    }
    return 0;
}
