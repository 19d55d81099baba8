/* SPDX-License-Identifier: MIT */
/* Locks: counters that many threads raise, what a free lock costs, errors, and waits with an end.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <threads.h>
#include <time.h>

#include "support.h"

#define THREADS 6U
#define TURNS   2000U

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static sem_t semaphore;
static volatile unsigned counter;
static volatile unsigned counter_copy;

/* Raises the counter in two steps, so that two at once lose one; now and then others run between
 * them. */
static void raise_counter(void)
{
    unsigned seen = counter;

    counter_copy = seen;
    if (seen % 8 == 0) {
        (void)sys_yield();
    }
    counter = seen + 1;
}

static void *with_mutex(void *argument)
{
    for (unsigned i = 0; i < TURNS; i++) {
        (void)pthread_mutex_lock(&mutex);
        raise_counter();
        (void)pthread_mutex_unlock(&mutex);
    }
    return argument;
}

static void *with_rwlock(void *argument)
{
    unsigned torn = 0;

    for (unsigned i = 0; i < TURNS; i++) {
        (void)pthread_rwlock_rdlock(&rwlock);
        torn += counter != counter_copy + 1 ? 1 : 0;
        (void)pthread_rwlock_unlock(&rwlock);
        (void)pthread_rwlock_wrlock(&rwlock);
        raise_counter();
        (void)pthread_rwlock_unlock(&rwlock);
    }
    (void)argument;
    return (void *)(uintptr_t)torn;
}

static void *with_semaphore(void *argument)
{
    for (unsigned i = 0; i < TURNS; i++) {
        (void)sem_wait(&semaphore);
        raise_counter();
        (void)sem_post(&semaphore);
    }
    return argument;
}

static void *with_barrier(void *argument)
{
    uintptr_t wrong = 0;

    (void)argument;
    for (unsigned i = 0; i < 100; i++) {
        if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD) {
            counter = counter + 1;
        }
        (void)pthread_barrier_wait(&barrier);
        wrong += counter != i + 1 ? 1 : 0;
        (void)pthread_barrier_wait(&barrier);
    }
    return (void *)wrong;
}

/* Takes turns: whoever's turn it is hands it on. */
static void *with_cond(void *argument)
{
    unsigned mine = (unsigned)(uintptr_t)argument;

    (void)pthread_mutex_lock(&mutex);
    for (unsigned i = 0; i < 200; i++) {
        while (counter % THREADS != mine) {
            (void)pthread_cond_wait(&cond, &mutex);
        }
        raise_counter();
        (void)pthread_cond_broadcast(&cond);
    }
    (void)pthread_mutex_unlock(&mutex);
    return NULL;
}

/* Runs THREADS of them; returns the sum of their results. */
static uintptr_t crowd(void *(*run)(void *argument))
{
    pthread_t threads[THREADS];
    uintptr_t sum = 0;

    counter = 0;
    counter_copy = UINT32_MAX;
    for (unsigned i = 0; i < THREADS; i++) {
        (void)pthread_create(&threads[i], NULL, run, (void *)(uintptr_t)i);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        void *result = NULL;

        (void)pthread_join(threads[i], &result);
        sum += (uintptr_t)result;
    }
    return sum;
}

static void check_crowds(void)
{
    (void)crowd(with_mutex);
    tap_is(counter, THREADS * TURNS, "%u threads count with a mutex", THREADS);
    tap_is(crowd(with_rwlock), 0, "readers see no half of a write");
    tap_is(counter, THREADS * TURNS, "and writers count");
    (void)sem_init(&semaphore, 0, 1);
    (void)crowd(with_semaphore);
    tap_is(counter, THREADS * TURNS, "they count with a semaphore");
    (void)pthread_barrier_init(&barrier, NULL, THREADS);
    tap_is(crowd(with_barrier), 0, "a barrier lets all go on together, one of them marked");
    tap_is((uint64_t)pthread_barrier_destroy(&barrier), 0, "and can be destroyed");
    (void)crowd(with_cond);
    tap_is(counter, 200 * THREADS, "they take turns with a condition variable");
    tap_is((uint64_t)pthread_cond_destroy(&cond), 0, "and it can be destroyed");
}

/* Counts are kept by each hart and told with a delay of none: the call that asks is one itself. */
static uint64_t calls_between(void (*run)(void))
{
    uint64_t before = counter_value("syscalls");
    uint64_t again = counter_value("syscalls");

    run();
    return counter_value("syscalls") - again - (again - before);
}

static void nothing(void)
{
}

static void use_free_locks(void)
{
    static mtx_t recursive;

    (void)mtx_init(&recursive, mtx_recursive);
    for (unsigned i = 0; i < 1000; i++) {
        (void)pthread_mutex_lock(&mutex);
        (void)pthread_mutex_unlock(&mutex);
        (void)pthread_mutex_trylock(&mutex);
        (void)pthread_mutex_unlock(&mutex);
        (void)mtx_lock(&recursive);
        (void)mtx_lock(&recursive);
        (void)mtx_unlock(&recursive);
        (void)mtx_unlock(&recursive);
        (void)pthread_rwlock_rdlock(&rwlock);
        (void)pthread_rwlock_unlock(&rwlock);
        (void)pthread_rwlock_wrlock(&rwlock);
        (void)pthread_rwlock_unlock(&rwlock);
        (void)sem_wait(&semaphore);
        (void)sem_post(&semaphore);
        (void)pthread_cond_signal(&cond);
    }
}

static void check_calls(void)
{
    uint64_t method = calls_between(nothing);

    tap_is(calls_between(use_free_locks), method, "free locks of all kinds make no system call");
}

static void check_kinds(void)
{
    pthread_mutexattr_t attr;
    pthread_mutex_t checks;
    pthread_mutex_t recursive;

    (void)pthread_mutexattr_init(&attr);
    tap_is((uint64_t)pthread_mutexattr_settype(&attr, 17), EINVAL, "an unknown kind is refused");
    (void)pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
    (void)pthread_mutex_init(&checks, &attr);
    tap_is((uint64_t)pthread_mutex_unlock(&checks), EPERM, "unlocking what one does not have");
    (void)pthread_mutex_lock(&checks);
    tap_is((uint64_t)pthread_mutex_lock(&checks), EDEADLK, "locking what one has");
    tap_is((uint64_t)pthread_mutex_trylock(&checks), EBUSY, "trying what one has");
    tap_is((uint64_t)pthread_mutex_destroy(&checks), EBUSY, "destroying what somebody has");
    (void)pthread_mutex_unlock(&checks);
    tap_is((uint64_t)pthread_mutex_destroy(&checks), 0, "destroying a free one");
    (void)pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
    (void)pthread_mutex_init(&recursive, &attr);
    int errors = pthread_mutex_lock(&recursive) | pthread_mutex_lock(&recursive) |
                 pthread_mutex_trylock(&recursive) | pthread_mutex_unlock(&recursive) |
                 pthread_mutex_unlock(&recursive) | pthread_mutex_unlock(&recursive);
    tap_is((uint64_t)errors, 0, "a recursive one is taken three times and given back");
    tap_is((uint64_t)pthread_mutex_unlock(&recursive), EPERM, "and not a fourth time");
    tap_is((uint64_t)pthread_rwlock_unlock(&rwlock), EPERM, "nobody has the lock of readers");
}

static struct timespec soon(void)
{
    struct timespec time;

    (void)clock_gettime(CLOCK_REALTIME, &time);
    time.tv_nsec += 2000000;
    if (time.tv_nsec >= 1000000000) {
        time.tv_nsec -= 1000000000;
        time.tv_sec += 1;
    }
    return time;
}

/* Nonzero: it is that time or later. */
static int is_past(const struct timespec *time)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec > time->tv_sec ||
           (now.tv_sec == time->tv_sec && now.tv_nsec >= time->tv_nsec);
}

static void check_deadlines(void)
{
    struct timespec wrong = {.tv_nsec = 1000000000};
    struct timespec until = soon();
    sem_t none;

    (void)pthread_mutex_lock(&mutex);
    tap_is((uint64_t)pthread_mutex_timedlock(&mutex, &until), ETIMEDOUT, "a mutex in time: no");
    tap_ok(is_past(&until), "not before the time is over");
    tap_is((uint64_t)pthread_mutex_timedlock(&mutex, &wrong), EINVAL, "a time that is none");
    until = soon();
    tap_is((uint64_t)pthread_cond_timedwait(&cond, &mutex, &until), ETIMEDOUT,
           "a signal in time: no");
    tap_ok(is_past(&until), "not before the time is over");
    tap_is((uint64_t)pthread_mutex_trylock(&mutex), EBUSY, "the mutex is ours again");
    (void)pthread_mutex_unlock(&mutex);
    tap_is((uint64_t)pthread_mutex_timedlock(&mutex, &wrong), 0,
           "a free one: the time is not read");
    (void)pthread_mutex_unlock(&mutex);
    (void)sem_init(&none, 0, 0);
    until = soon();
    tap_ok(sem_timedwait(&none, &until) == -1 && errno == ETIMEDOUT, "a semaphore in time: no");
    tap_ok(sem_trywait(&none) == -1 && errno == EAGAIN, "and not at once");
    tap_ok(sem_init(&none, 1, 0) == -1 && errno == ENOSYS, "none between processes");
}

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void run_once(void)
{
    counter = counter + 1;
    for (unsigned i = 0; i < 50; i++) {
        (void)sys_yield();
    }
    counter = counter + 1;
}

static void *with_once(void *argument)
{
    (void)argument;
    (void)pthread_once(&once, run_once);
    return (void *)(uintptr_t)(counter != 2);
}

int main(void)
{
    check_crowds();
    check_calls();
    check_kinds();
    check_deadlines();
    tap_is(crowd(with_once), 0, "once: all go on when it has run to its end");
    tap_is(counter, 2, "and it has run once");
    return tap_done();
}
