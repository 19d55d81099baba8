/* SPDX-License-Identifier: MIT */
/*
 * Ticket locks with owner and rank.
 *
 * Invariant: `serving` is the ticket that owns the lock; the lock is free when next == serving.  A
 * hart counts the locks it holds per rank, so that a debug build can refuse an acquisition against
 * the order of lock_rank.h.
 */
#include "lib/spinlock.h"

#include "lib/assert.h"
#include "lib/counter.h"
#include "lib/trace.h"

/* Written by the hart of the row only; a cache line of its own each. */
static struct {
    _Alignas(64) uint16_t of_rank[LOCK_RANK_COUNT];
    uint16_t total;
} held[HART_MAX];

void spinlock_init(struct spinlock *lock, enum lock_rank rank)
{
    *lock = (struct spinlock){.rank = (uint8_t)rank};
}

[[maybe_unused]] static bool rank_is_allowed(const struct spinlock *lock)
{
    unsigned first = lock->rank == LOCK_PT_NODE ? lock->rank + 1U : lock->rank;

    for (unsigned rank = first; rank < LOCK_RANK_COUNT; rank++) {
        if (held[hart_index()].of_rank[rank] != 0) {
            return false;
        }
    }
    return true;
}

static void note_acquired(struct spinlock *lock)
{
    hart_idx_t hart = hart_index();

    held[hart].of_rank[lock->rank]++;
    held[hart].total++;
    /* Relaxed: only the owner's own later look must see it; others just compare with themselves. */
    atomic_store_explicit(&lock->owner, (uint8_t)(hart + 1), memory_order_relaxed);
}

static void wait_for(const struct spinlock *lock, uint16_t ticket)
{
    counter_add(lock->rank == LOCK_PT_NODE ? COUNTER_node_lock_waits : COUNTER_lock_waits, 1);
    trace_note(TRACE_LOCK_WAIT, (uint64_t)(uintptr_t)lock, lock->rank);
    /* Pairs with the release in spinlock_release. */
    while (atomic_load_explicit(&lock->serving, memory_order_acquire) != ticket) {
        hart_relax();
    }
    trace_note(TRACE_LOCK_WAIT_END, (uint64_t)(uintptr_t)lock, lock->rank);
}

void spinlock_acquire(struct spinlock *lock)
{
    uint16_t ticket;

    ASSERT(!spinlock_is_mine(lock));
    DASSERT(lock->rank != LOCK_NONE && rank_is_allowed(lock));
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

void spinlock_release(struct spinlock *lock)
{
    hart_idx_t hart = hart_index();
    uint16_t serving = atomic_load_explicit(&lock->serving, memory_order_relaxed);

    ASSERT(spinlock_is_mine(lock));
    held[hart].of_rank[lock->rank]--;
    held[hart].total--;
    atomic_store_explicit(&lock->owner, 0, memory_order_relaxed);
    /* Pairs with the acquire in spinlock_acquire. */
    atomic_store_explicit(&lock->serving, (uint16_t)(serving + 1), memory_order_release);
}

bool spinlock_is_mine(const struct spinlock *lock)
{
    return atomic_load_explicit(&lock->owner, memory_order_relaxed) == hart_index() + 1;
}

unsigned spinlock_held_count(void)
{
    return held[hart_index()].total;
}
