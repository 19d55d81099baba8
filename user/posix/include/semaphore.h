/* SPDX-License-Identifier: MIT */
/* POSIX semaphores without names, within a process.  Functions return 0, or -1 and errno. */
#pragma once

#include <machine/_thread_types.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct vellum_semaphore sem_t;

#define SEM_VALUE_MAX 0x7fffffff

/* Errors: EINVAL (value too large), ENOSYS (shared is not 0). */
int sem_init(sem_t *semaphore, int shared, unsigned value);
int sem_destroy(sem_t *semaphore);

/* Errors: EAGAIN (try: the value is 0), ETIMEDOUT, EINVAL (a time that is none). */
int sem_wait(sem_t *semaphore);
int sem_trywait(sem_t *semaphore);
int sem_timedwait(sem_t *__restrict semaphore, const struct timespec *__restrict until);

/* Errors: EOVERFLOW. */
int sem_post(sem_t *semaphore);
int sem_getvalue(sem_t *__restrict semaphore, int *__restrict value);

#ifdef __cplusplus
}
#endif
