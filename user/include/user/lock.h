/* SPDX-License-Identifier: MIT */
/*
 * The plainest lock: one word, and a futex call only where threads meet.  A free lock is taken and
 * given back without a system call.  struct user_lock is in
 * machine/_thread_types.h; zeroed memory is a free one.  Not recursive; any thread may
 * release it.  The C library's and POSIX's mutexes are made of it.
 */
#pragma once

#include <machine/_thread_types.h>
#include <stdatomic.h>
#include <stdint.h>

#include "uapi/process.h"

enum {
    USER_LOCK_FREE,
    USER_LOCK_HELD,
    USER_LOCK_WANTED, /* held, and somebody may sleep */
};

/* The rest of taking and giving back where threads meet; use the functions below. */
long user_lock_sleep(struct user_lock *lock, uint64_t deadline);
void user_lock_wake(struct user_lock *lock);

/* A number of the calling thread's own, not 0: its thread pointer. */
static inline uint64_t user_thread_id(void)
{
    uint64_t tp;

    __asm__("mv %0, tp" : "=r"(tp));
    return tp;
}

/* Takes the lock if it is free.  Nonzero: it is the caller's. */
static inline int user_lock_try(struct user_lock *lock)
{
    uint32_t was = USER_LOCK_FREE;

    /* Acquire pairs with the release in user_lock_release. */
    return atomic_compare_exchange_strong_explicit(&lock->word, &was, USER_LOCK_HELD,
                                                   memory_order_acquire, memory_order_relaxed);
}

/* Takes the lock, if that can be before the deadline, nanoseconds since boot.  Returns 0 or
 * -SYS_ETIMEDOUT. */
static inline long user_lock_acquire_until(struct user_lock *lock, uint64_t deadline)
{
    return user_lock_try(lock) ? 0 : user_lock_sleep(lock, deadline);
}

static inline void user_lock_acquire(struct user_lock *lock)
{
    (void)user_lock_acquire_until(lock, WAIT_FOREVER);
}

static inline void user_lock_release(struct user_lock *lock)
{
    /* Release pairs with the acquires of whoever takes it next. */
    if (atomic_exchange_explicit(&lock->word, USER_LOCK_FREE, memory_order_release) ==
        USER_LOCK_WANTED) {
        user_lock_wake(lock);
    }
}

/* Both for a lock in memory that processes share. */
void user_lock_acquire_shared(struct user_lock *lock);
void user_lock_release_shared(struct user_lock *lock);
