/* SPDX-License-Identifier: MIT */
/*
 * What locks and threads are made of, for <pthread.h>, <threads.h> and <semaphore.h>.  The fields
 * are the library's.  Zeroed memory is a good lock of each kind: free, plain, nobody waits.
 */
#pragma once

#include <stdint.h>

/* See user/lock.h. */
struct user_lock {
    _Atomic(uint32_t) word;
};

struct vellum_mutex {
    struct user_lock lock;
    uint32_t kind;           /* PTHREAD_MUTEX_*                                         */
    uint32_t depth;          /* recursive: how often more than once; the owner's        */
    _Atomic(uint64_t) owner; /* not plain: a thread finds its own number only if it wrote it */
};

struct vellum_cond {
    _Atomic(uint32_t) signals; /* how many so far */
    _Atomic(uint32_t) waiters;
};

struct vellum_once {
    _Atomic(uint32_t) state;
};

struct vellum_rwlock {
    _Atomic(uint32_t) state;
};

struct vellum_semaphore {
    _Atomic(uint32_t) state;
};

struct vellum_barrier {
    struct user_lock lock;
    uint32_t wanted;
    uint32_t arrived;         /* under the lock                          */
    _Atomic(uint32_t) round;  /* one more each time all have arrived     */
    _Atomic(uint32_t) inside; /* threads that have not left the function */
};

/* A thread: in its own thread-local data. */
struct vellum_thread;
