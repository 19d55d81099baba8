/* SPDX-License-Identifier: MIT */
/*
 * Ticket locks with owner and rank.
 *
 * Invariant: `serving` is the ticket that owns the lock; the lock is free when next == serving.  In
 * a debug build a hart counts the locks it holds per rank, so that an acquisition against the order
 * of lock_rank.h is refused.
 */
#include "lib/spinlock.h"

#include "lib/assert.h"
#include "lib/counter.h"
#include "lib/trace.h"

#ifdef VELLUM_DEBUG

/* Written by the hart of the row only; a cache line of its own each. */
static struct {
    _Alignas(64) uint16_t of_rank[LOCK_RANK_COUNT];
    uint16_t total;
} held[HART_MAX];

/* Panics if this hart may not take a lock of that rank now. */
static void held_check(enum lock_rank rank)
{
    ASSERT(rank != LOCK_NONE);
    for (unsigned above = rank == LOCK_PT_NODE ? rank + 1U : rank; above < LOCK_RANK_COUNT;
         above++) {
        ASSERT(held[hart_index()].of_rank[above] == 0);
    }
}

/* One lock of a rank more, 1, or less, -1. */
static void held_add(enum lock_rank rank, int by)
{
    hart_idx_t hart = hart_index();

    held[hart].of_rank[rank] = (uint16_t)(held[hart].of_rank[rank] + by);
    held[hart].total = (uint16_t)(held[hart].total + by);
}

unsigned spinlock_held_count(void)
{
    return held[hart_index()].total;
}

#else

static inline void held_check(enum lock_rank rank)
{
    (void)rank;
}

static inline void held_add(enum lock_rank rank, int by)
{
    (void)rank;
    (void)by;
}

#endif

void spinlock_init(struct spinlock *lock, enum lock_rank rank)
{
    *lock = (struct spinlock){.rank = (uint8_t)rank};
}

static void note_acquired(struct spinlock *lock)
{
    held_add(lock->rank, 1);
    /* Relaxed: only the owner's own later look must see it; others just compare with themselves. */
    atomic_store_explicit(&lock->owner, (uint8_t)(hart_index() + 1), memory_order_relaxed);
}

__attribute__((noinline, cold)) static void wait_for(const struct spinlock *lock, uint16_t ticket)
{
    counter_add(lock->rank == LOCK_PT_NODE ? COUNTER_node_lock_waits : COUNTER_lock_waits, 1);
    trace_note(TRACE_LOCK_WAIT, (uint64_t)(uintptr_t)lock, lock->rank);
    /* Pairs with the release in spinlock_release. */
    while (atomic_load_explicit(&lock->serving, memory_order_acquire) != ticket) {
        hart_relax();
    }
    trace_note(TRACE_LOCK_WAIT_END, (uint64_t)(uintptr_t)lock, lock->rank);
}

/* Inline, so that a kernel that is optimised as one program has the short way where it locks. */
inline void spinlock_acquire(struct spinlock *lock)
{
    uint16_t ticket;

    ASSERT(!spinlock_is_mine(lock));
    held_check(lock->rank);
    ticket = (uint16_t)atomic_fetch_add_explicit(&lock->next, 1, memory_order_relaxed);
    /* Pairs with the release in spinlock_release. */
    if (atomic_load_explicit(&lock->serving, memory_order_acquire) != ticket) {
        wait_for(lock, ticket);
    }
    note_acquired(lock);
}

bool spinlock_try_acquire(struct spinlock *lock)
{
    uint32_t next = atomic_load_explicit(&lock->next, memory_order_relaxed);
    uint16_t ticket = (uint16_t)next;

    if (atomic_load_explicit(&lock->serving, memory_order_relaxed) != ticket ||
        !atomic_compare_exchange_strong_explicit(&lock->next, &next, next + 1, memory_order_relaxed,
                                                 memory_order_relaxed)) {
        return false;
    }
    /* The ticket is ours; wait for its turn, which has come unless `serving` was read stale. Pairs
     * with the release in spinlock_release. */
    while (atomic_load_explicit(&lock->serving, memory_order_acquire) != ticket) {
        hart_relax();
    }
    note_acquired(lock);
    return true;
}

inline void spinlock_release(struct spinlock *lock)
{
    uint16_t serving = atomic_load_explicit(&lock->serving, memory_order_relaxed);

    ASSERT(spinlock_is_mine(lock));
    held_add(lock->rank, -1);
    atomic_store_explicit(&lock->owner, 0, memory_order_relaxed);
    /* Pairs with the acquire in spinlock_acquire. */
    atomic_store_explicit(&lock->serving, (uint16_t)(serving + 1), memory_order_release);
}

inline bool spinlock_is_mine(const struct spinlock *lock)
{
    return atomic_load_explicit(&lock->owner, memory_order_relaxed) == hart_index() + 1;
}
