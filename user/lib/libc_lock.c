/* SPDX-License-Identifier: MIT */
/*
 * The locks that the C library asks for: one of its own, recursive, around atexit, the environment
 * and the time zone; and one for each buffered FILE.  The names are picolibc's
 * (sys/lock.h).
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/lock.h>

#include "fork.h"
#include "user/lock.h"

/* depth: the owner's alone.  owner: a thread finds its own number there only if it wrote it. */
struct __lock {
    struct user_lock lock;
    uint32_t depth;
    _Atomic(uint64_t) owner;
};

struct __lock __lock___libc_recursive_mutex;

/* For files whose own lock could not be made: all of them together. */
static struct __lock common;

static int is_mine(struct __lock *lock)
{
    return atomic_load_explicit(&lock->owner, memory_order_relaxed) == user_thread_id();
}

static void own(struct __lock *lock, uint64_t owner)
{
    atomic_store_explicit(&lock->owner, owner, memory_order_relaxed);
}

void __retarget_lock_acquire_recursive(_LOCK_T lock)
{
    if (!is_mine(lock)) {
        user_lock_acquire(&lock->lock);
        own(lock, user_thread_id());
    }
    lock->depth++;
}

int __retarget_lock_try_acquire_recursive(_LOCK_T lock)
{
    if (!is_mine(lock)) {
        if (!user_lock_try(&lock->lock)) {
            return 0;
        }
        own(lock, user_thread_id());
    }
    lock->depth++;
    return 1;
}

void __retarget_lock_release_recursive(_LOCK_T lock)
{
    lock->depth--;
    if (lock->depth == 0) {
        own(lock, 0);
        user_lock_release(&lock->lock);
    }
}

void __retarget_lock_acquire(_LOCK_T lock)
{
    user_lock_acquire(&lock->lock);
}

int __retarget_lock_try_acquire(_LOCK_T lock)
{
    return user_lock_try(&lock->lock);
}

void __retarget_lock_release(_LOCK_T lock)
{
    user_lock_release(&lock->lock);
}

void __retarget_lock_init(_LOCK_T *lock)
{
    *lock = calloc(1, sizeof(**lock));
    if (*lock == NULL) {
        *lock = &common;
    }
}

void __retarget_lock_init_recursive(_LOCK_T *lock)
{
    __retarget_lock_init(lock);
}

void __retarget_lock_close(_LOCK_T lock)
{
    if (lock != &common) {
        free(lock);
    }
}

void __retarget_lock_close_recursive(_LOCK_T lock)
{
    __retarget_lock_close(lock);
}

void user_libc_lock(void)
{
    __retarget_lock_acquire_recursive(&__lock___libc_recursive_mutex);
}

void user_libc_unlock(void)
{
    __retarget_lock_release_recursive(&__lock___libc_recursive_mutex);
}
