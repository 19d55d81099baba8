/* SPDX-License-Identifier: MIT */
/*
 * Semaphores.  The state, which is the futex word: the value, and whether somebody may sleep until
 * it is more than 0.  A post touches the semaphore once, so that who it lets go may destroy it.
 */
#include <errno.h>
#include <semaphore.h>

#include "deadline.h"
#include "failure.h"
#include "user/lock.h"
#include "vellum/calls.h"

#define AWAITED UINT32_C(0x80000000)

int sem_init(sem_t *semaphore, int shared, unsigned value)
{
    if (value > SEM_VALUE_MAX) {
        return failure(EINVAL);
    }
    if (shared != 0) {
        return failure(ENOSYS);
    }
    *semaphore = (struct vellum_semaphore){.state = value};
    return 0;
}

int sem_destroy(sem_t *semaphore)
{
    (void)semaphore;
    return 0;
}

/* Takes one if there is one; *state is what it found.  Nonzero: taken. */
static int semaphore_take(struct vellum_semaphore *semaphore, uint32_t *state)
{
    *state = atomic_load_explicit(&semaphore->state, memory_order_relaxed);
    while ((*state & ~AWAITED) != 0) {
        /* Acquire pairs with the release in sem_post. */
        if (atomic_compare_exchange_weak_explicit(&semaphore->state, state, *state - 1,
                                                  memory_order_acquire, memory_order_relaxed)) {
            return 1;
        }
    }
    return 0;
}

static int semaphore_wait(struct vellum_semaphore *semaphore, uint64_t deadline)
{
    uint32_t state = 0;

    while (!semaphore_take(semaphore, &state)) {
        if (!atomic_compare_exchange_strong_explicit(&semaphore->state, &state, AWAITED,
                                                     memory_order_relaxed, memory_order_relaxed)) {
            continue;
        }
        if (sys_futex_wait((uintptr_t)&semaphore->state, AWAITED, deadline, 0) == -SYS_ETIMEDOUT) {
            return failure(ETIMEDOUT);
        }
    }
    return 0;
}

int sem_wait(sem_t *semaphore)
{
    return semaphore_wait(semaphore, WAIT_FOREVER);
}

int sem_trywait(sem_t *semaphore)
{
    uint32_t state = 0;

    return semaphore_take(semaphore, &state) ? 0 : failure(EAGAIN);
}

int sem_timedwait(sem_t *__restrict semaphore, const struct timespec *__restrict until)
{
    uint64_t deadline = 0;
    uint32_t state = 0;

    /* The time need not be one if nobody has to wait. */
    if (semaphore_take(semaphore, &state)) {
        return 0;
    }
    return timespec_read(until, &deadline) ? semaphore_wait(semaphore, deadline) : failure(EINVAL);
}

int sem_post(sem_t *semaphore)
{
    uint32_t state = atomic_load_explicit(&semaphore->state, memory_order_relaxed);

    do {
        if ((state & ~AWAITED) == SEM_VALUE_MAX) {
            return failure(EOVERFLOW);
        }
        /* Release pairs with the acquire in semaphore_take. */
    } while (!atomic_compare_exchange_weak_explicit(&semaphore->state, &state,
                                                    (state & ~AWAITED) + 1, memory_order_release,
                                                    memory_order_relaxed));
    if ((state & AWAITED) != 0) {
        (void)sys_futex_wake((uintptr_t)&semaphore->state, UINT32_MAX, 0, NULL);
    }
    return 0;
}

int sem_getvalue(sem_t *__restrict semaphore, int *__restrict value)
{
    *value = (int)(atomic_load_explicit(&semaphore->state, memory_order_relaxed) & ~AWAITED);
    return 0;
}
