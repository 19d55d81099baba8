/* SPDX-License-Identifier: MIT */
/*
 * The slow half of the lock.  Whoever has to sleep marks the word WANTED first, and takes the lock
 * as WANTED too, because it cannot know that it was the last to sleep; so the release of a WANTED
 * lock wakes one thread, and no wake-up is lost.
 */
#include "user/lock.h"

#include "uapi/error.h"
#include "uapi/vm.h"
#include "vellum/calls.h"

long user_lock_sleep(struct user_lock *lock, uint64_t deadline)
{
    /* Acquire pairs with the release in user_lock_release. */
    while (atomic_exchange_explicit(&lock->word, USER_LOCK_WANTED, memory_order_acquire) !=
           USER_LOCK_FREE) {
        if (sys_futex_wait((uintptr_t)&lock->word, USER_LOCK_WANTED, deadline, 0) ==
            -SYS_ETIMEDOUT) {
            return -SYS_ETIMEDOUT;
        }
    }
    return 0;
}

void user_lock_wake(struct user_lock *lock)
{
    (void)sys_futex_wake((uintptr_t)&lock->word, 1, 0, NULL);
}

void user_lock_acquire_shared(struct user_lock *lock)
{
    if (user_lock_try(lock)) {
        return;
    }
    /* Acquire pairs with the release in user_lock_release_shared. */
    while (atomic_exchange_explicit(&lock->word, USER_LOCK_WANTED, memory_order_acquire) !=
           USER_LOCK_FREE) {
        (void)sys_futex_wait((uintptr_t)&lock->word, USER_LOCK_WANTED, WAIT_FOREVER, FUTEX_SHARED);
    }
}

void user_lock_release_shared(struct user_lock *lock)
{
    /* Release pairs with the acquires of whoever takes it next. */
    if (atomic_exchange_explicit(&lock->word, USER_LOCK_FREE, memory_order_release) ==
        USER_LOCK_WANTED) {
        (void)sys_futex_wake((uintptr_t)&lock->word, 1, FUTEX_SHARED, NULL);
    }
}
