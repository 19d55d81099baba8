/* SPDX-License-Identifier: MIT */
/*
 * Fair spinlocks with owner and rank.
 *
 * A ticket lock: first come, first served.  The owner is always known, so that a hart which would
 * wait for itself is told so; ranks are checked in debug builds.  S-mode interrupts are off in the
 * kernel, so a lock needs no interrupt state.  A zeroed lock is not valid: use SPINLOCK_INIT or
 * spinlock_init.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/hart.h"
#include "lib/lock_rank.h"

/* Tickets have 16 bits.  `next` is a whole word, because it is the one changed by
 * read-modify-write, and the machine does that to words only. */
struct spinlock {
    _Atomic(uint32_t) next;    /* (a) ticket the next comer draws, in the low half */
    _Atomic(uint16_t) serving; /* (a) ticket that owns the lock                    */
    _Atomic(uint8_t) owner;    /* (a) 1 + logical index of the owner, 0 if free    */
    uint8_t rank;              /* (c) enum lock_rank                               */
};

_Static_assert(HART_MAX < UINT8_MAX, "an owner fits a byte");

_Static_assert(sizeof(struct spinlock) == 8, "a lock is one word");

#define SPINLOCK_INIT(lock_rank)                                                                   \
    {                                                                                              \
        .rank = (lock_rank)                                                                        \
    }

void spinlock_init(struct spinlock *lock, enum lock_rank rank);

/* Waits for the lock.  The caller must not hold it, nor (except page-table nodes) any lock of the
 * same or a higher rank: a debug build panics. */
void spinlock_acquire(struct spinlock *lock);

/* Takes the lock if nobody has it or waits for it.  True if it is now held. */
bool spinlock_try_acquire(struct spinlock *lock);

/* Gives it back; only the owner may. */
void spinlock_release(struct spinlock *lock);

/* True if this hart holds it. */
bool spinlock_is_mine(const struct spinlock *lock);

/* Number of locks this hart holds; 0 wherever the kernel returns to user mode.  Debug builds only.
 */
unsigned spinlock_held_count(void);
