/* SPDX-License-Identifier: MIT */
/* C11's threads and locks, by those of POSIX. */
#include <errno.h>

#include "deadline.h"
#include "thread.h"
#include "user/lock.h"
#include "vellum/calls.h"

static int result_of(int error)
{
    switch (error) {
    case 0:
        return thrd_success;
    case EBUSY:
        return thrd_busy;
    case ETIMEDOUT:
        return thrd_timedout;
    case ENOMEM:
        return thrd_nomem;
    default:
        return thrd_error;
    }
}

int thrd_create(thrd_t *thread, thrd_start_t run, void *argument)
{
    struct thread_work work = {.run_c11 = run, .argument = argument};

    return result_of(thread_create(thread, NULL, work));
}

thrd_t thrd_current(void)
{
    return pthread_self();
}

int thrd_detach(thrd_t thread)
{
    return result_of(pthread_detach(thread));
}

int thrd_equal(thrd_t one, thrd_t other)
{
    return one == other;
}

_Noreturn void thrd_exit(int result)
{
    pthread_exit((void *)(intptr_t)result);
}

int thrd_join(thrd_t thread, int *result)
{
    void *value = NULL;
    int error = pthread_join(thread, &value);

    if (error == 0 && result != NULL) {
        *result = (int)(intptr_t)value;
    }
    return result_of(error);
}

int thrd_sleep(const struct timespec *duration, struct timespec *remaining)
{
    return clock_nanosleep(CLOCK_MONOTONIC, 0, duration, remaining) == 0 ? 0 : -2;
}

void thrd_yield(void)
{
    (void)sys_yield();
}

int mtx_init(mtx_t *mutex, int type)
{
    int kind = (type & mtx_recursive) != 0 ? PTHREAD_MUTEX_RECURSIVE : PTHREAD_MUTEX_NORMAL;

    return result_of(pthread_mutex_init(mutex, &(pthread_mutexattr_t){.kind = kind}));
}

void mtx_destroy(mtx_t *mutex)
{
    (void)pthread_mutex_destroy(mutex);
}

int mtx_lock(mtx_t *mutex)
{
    return result_of(pthread_mutex_lock(mutex));
}

int mtx_trylock(mtx_t *mutex)
{
    return result_of(pthread_mutex_trylock(mutex));
}

int mtx_timedlock(mtx_t *__restrict mutex, const struct timespec *__restrict until)
{
    return result_of(pthread_mutex_timedlock(mutex, until));
}

int mtx_unlock(mtx_t *mutex)
{
    return result_of(pthread_mutex_unlock(mutex));
}

int cnd_init(cnd_t *cond)
{
    return result_of(pthread_cond_init(cond, NULL));
}

void cnd_destroy(cnd_t *cond)
{
    (void)pthread_cond_destroy(cond);
}

int cnd_signal(cnd_t *cond)
{
    return result_of(pthread_cond_signal(cond));
}

int cnd_broadcast(cnd_t *cond)
{
    return result_of(pthread_cond_broadcast(cond));
}

int cnd_wait(cnd_t *cond, mtx_t *mutex)
{
    return result_of(pthread_cond_wait(cond, mutex));
}

int cnd_timedwait(cnd_t *__restrict cond, mtx_t *__restrict mutex,
                  const struct timespec *__restrict until)
{
    return result_of(pthread_cond_timedwait(cond, mutex, until));
}

void call_once(once_flag *once, void (*run)(void))
{
    (void)pthread_once(once, run);
}

int tss_create(tss_t *key, tss_dtor_t destructor)
{
    return result_of(pthread_key_create(key, destructor));
}

void tss_delete(tss_t key)
{
    (void)pthread_key_delete(key);
}

void *tss_get(tss_t key)
{
    return pthread_getspecific(key);
}

int tss_set(tss_t key, void *value)
{
    return result_of(pthread_setspecific(key, value));
}
