/* SPDX-License-Identifier: MIT */
/*
 * POSIX threads: the part that Vellum has (docs/posix.md).  No cancellation, no scheduling
 * priorities, nothing shared between processes.  Functions return 0 or an error number, as POSIX
 * says.  A lock that is free is taken and given back without a system call.
 */
#pragma once

#include <machine/_thread_types.h>
#include <stddef.h>
#include <sys/cdefs.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct vellum_thread *pthread_t;
typedef struct vellum_mutex pthread_mutex_t;
typedef struct vellum_cond pthread_cond_t;
typedef struct vellum_once pthread_once_t;
typedef struct vellum_rwlock pthread_rwlock_t;
typedef struct vellum_barrier pthread_barrier_t;
typedef uint32_t pthread_key_t;

typedef struct {
    size_t stack_bytes;
    int detach_state;
} pthread_attr_t;

typedef struct {
    int kind;
} pthread_mutexattr_t;

typedef struct {
    clockid_t clock;
} pthread_condattr_t;

typedef struct {
    int unused;
} pthread_rwlockattr_t;

typedef struct {
    int unused;
} pthread_barrierattr_t;

#define PTHREAD_CREATE_JOINABLE       0
#define PTHREAD_CREATE_DETACHED       1
#define PTHREAD_STACK_MIN             0x4000
#define PTHREAD_KEYS_MAX              128
#define PTHREAD_DESTRUCTOR_ITERATIONS 4
#define PTHREAD_BARRIER_SERIAL_THREAD (-1)

#define PTHREAD_MUTEX_NORMAL          0
#define PTHREAD_MUTEX_ERRORCHECK      1
#define PTHREAD_MUTEX_RECURSIVE       2
#define PTHREAD_MUTEX_DEFAULT         PTHREAD_MUTEX_NORMAL

#define PTHREAD_MUTEX_INITIALIZER                                                                  \
    {                                                                                              \
        .kind = PTHREAD_MUTEX_NORMAL                                                               \
    }
#define PTHREAD_COND_INITIALIZER                                                                   \
    {                                                                                              \
        .signals = 0                                                                               \
    }
#define PTHREAD_RWLOCK_INITIALIZER                                                                 \
    {                                                                                              \
        .state = 0                                                                                 \
    }
#define PTHREAD_ONCE_INIT                                                                          \
    {                                                                                              \
        .state = 0                                                                                 \
    }

/* Errors: EAGAIN (no memory, or too many handles: nothing is left then). */
int pthread_create(pthread_t *__restrict thread, const pthread_attr_t *__restrict attr,
                   void *(*run)(void *argument), void *__restrict argument);

/* Errors: EDEADLK (the caller itself), EINVAL (detached, or somebody joins it already). */
int pthread_join(pthread_t thread, void **result);

/* Errors: EINVAL (detached, or somebody joins it). */
int pthread_detach(pthread_t thread);
pthread_t pthread_self(void);
int pthread_equal(pthread_t one, pthread_t other);

/* With the last thread the process ends, as by exit(0). */
_Noreturn void pthread_exit(void *result);

int pthread_attr_init(pthread_attr_t *attr);
int pthread_attr_destroy(pthread_attr_t *attr);

/* Errors: EINVAL (less than PTHREAD_STACK_MIN; not one of PTHREAD_CREATE_*). */
int pthread_attr_setstacksize(pthread_attr_t *attr, size_t stack_bytes);
int pthread_attr_getstacksize(const pthread_attr_t *__restrict attr,
                              size_t *__restrict stack_bytes);
int pthread_attr_setdetachstate(pthread_attr_t *attr, int state);
int pthread_attr_getdetachstate(const pthread_attr_t *attr, int *state);

/* Errors: EDEADLK (error-checking: the caller has it), EAGAIN (recursive: too often), EBUSY (try:
 * somebody has it), ETIMEDOUT, EINVAL (a time that is none), EPERM (the caller does not have it,
 * unless it is a normal one). */
int pthread_mutex_init(pthread_mutex_t *__restrict mutex,
                       const pthread_mutexattr_t *__restrict attr);
int pthread_mutex_destroy(pthread_mutex_t *mutex); /* EBUSY: somebody has it */
int pthread_mutex_lock(pthread_mutex_t *mutex);
int pthread_mutex_trylock(pthread_mutex_t *mutex);
int pthread_mutex_timedlock(pthread_mutex_t *__restrict mutex,
                            const struct timespec *__restrict until);
int pthread_mutex_unlock(pthread_mutex_t *mutex);

int pthread_mutexattr_init(pthread_mutexattr_t *attr);
int pthread_mutexattr_destroy(pthread_mutexattr_t *attr);
int pthread_mutexattr_settype(pthread_mutexattr_t *attr, int kind); /* EINVAL */
int pthread_mutexattr_gettype(const pthread_mutexattr_t *__restrict attr, int *__restrict kind);

/* Waits may end without a signal.  Errors: ETIMEDOUT, EINVAL (a time that is none), EPERM (the
 * caller does not have the mutex, unless it is a normal one). */
int pthread_cond_init(pthread_cond_t *__restrict cond, const pthread_condattr_t *__restrict attr);
int pthread_cond_destroy(pthread_cond_t *cond); /* waits until all that were woken have left */
int pthread_cond_wait(pthread_cond_t *__restrict cond, pthread_mutex_t *__restrict mutex);
int pthread_cond_timedwait(pthread_cond_t *__restrict cond, pthread_mutex_t *__restrict mutex,
                           const struct timespec *__restrict until);
int pthread_cond_signal(pthread_cond_t *cond);
int pthread_cond_broadcast(pthread_cond_t *cond);

int pthread_condattr_init(pthread_condattr_t *attr);
int pthread_condattr_destroy(pthread_condattr_t *attr);
int pthread_condattr_setclock(pthread_condattr_t *attr, clockid_t clock); /* EINVAL */
int pthread_condattr_getclock(const pthread_condattr_t *__restrict attr,
                              clockid_t *__restrict clock);

int pthread_once(pthread_once_t *once, void (*run)(void));

/* Errors: EAGAIN (PTHREAD_KEYS_MAX are there), EINVAL (no such key), ENOMEM (no room for the values
 * of this thread). */
int pthread_key_create(pthread_key_t *key, void (*destructor)(void *value));
int pthread_key_delete(pthread_key_t key);
void *pthread_getspecific(pthread_key_t key);
int pthread_setspecific(pthread_key_t key, const void *value);

/* Readers are let in while others read, also when a writer waits.  Errors: EBUSY (try), EAGAIN (too
 * many readers), EPERM (unlock: nobody has it). */
int pthread_rwlock_init(pthread_rwlock_t *__restrict lock,
                        const pthread_rwlockattr_t *__restrict attr);
int pthread_rwlock_destroy(pthread_rwlock_t *lock);
int pthread_rwlock_rdlock(pthread_rwlock_t *lock);
int pthread_rwlock_tryrdlock(pthread_rwlock_t *lock);
int pthread_rwlock_wrlock(pthread_rwlock_t *lock);
int pthread_rwlock_trywrlock(pthread_rwlock_t *lock);
int pthread_rwlock_unlock(pthread_rwlock_t *lock);

/* Errors: EINVAL (no threads). */
int pthread_barrier_init(pthread_barrier_t *__restrict barrier,
                         const pthread_barrierattr_t *__restrict attr, unsigned threads);
int pthread_barrier_destroy(pthread_barrier_t *barrier); /* waits until all have left */
int pthread_barrier_wait(pthread_barrier_t *barrier);    /* PTHREAD_BARRIER_SERIAL_THREAD: one */

/* Functions to run when the thread ends between push and pop.  A pair of them is one block. */
struct vellum_cleanup {
    void (*run)(void *argument);
    void *argument;
    struct vellum_cleanup *below;
};
void vellum_cleanup_push(struct vellum_cleanup *cleanup);
void vellum_cleanup_pop(int runs);

#define pthread_cleanup_push(function, value)                                                      \
    do {                                                                                           \
        struct vellum_cleanup vellum_cleanup = {.run = (function), .argument = (value)};           \
                                                                                                   \
    vellum_cleanup_push(&vellum_cleanup)

#define pthread_cleanup_pop(runs)                                                                  \
    vellum_cleanup_pop(runs);                                                                      \
    }                                                                                              \
    while (0)

#ifdef __cplusplus
}
#endif
