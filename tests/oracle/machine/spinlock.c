/* SPDX-License-Identifier: MIT */
/*
 * The machine's own spinlocks, in place of lib/spinlock.c where harts are fibers: the same header
 * and checks, and first come, first served.  A hart that must wait says so to the driver; a lock
 * carries what its releaser had seen to the next owner.
 */
#include "lib/spinlock.h"

#include <string.h>

#include "arch_host/arch_host.h"
#include "lib/assert.h"
#include "machine/state.h"

#define PLACES 4096U /* a power of two */

/* What is known of locks besides their own words, forgotten at each reset of the machine. */
static struct {
    uint64_t resets;
    struct {
        uint16_t of_rank[LOCK_RANK_COUNT];
        uint16_t total;
    } held[HART_MAX];
    struct place {
        uint64_t resets; /* of another number: nothing is here */
        const struct spinlock *lock;
        struct clock carries;
    } places[PLACES];
} locks;

static void check_reset(void)
{
    if (locks.resets != oracle.resets) {
        locks.resets = oracle.resets;
        memset(locks.held, 0, sizeof(locks.held));
    }
}

static struct clock *carried_by(const struct spinlock *lock)
{
    size_t start = (size_t)(((uintptr_t)lock >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> 52);

    for (size_t i = 0; i < PLACES; i++) {
        struct place *place = &locks.places[(start + i) % PLACES];

        if (place->resets != oracle.resets) {
            *place = (struct place){.resets = oracle.resets, .lock = lock};
        }
        if (place->lock == lock) {
            return &place->carries;
        }
    }
    host_fail("oracle: too many locks");
}

void spinlock_init(struct spinlock *lock, enum lock_rank rank)
{
    *lock = (struct spinlock){.rank = (uint8_t)rank};
}

static bool rank_is_allowed(const struct spinlock *lock)
{
    unsigned first = lock->rank == LOCK_PT_NODE ? lock->rank + 1U : lock->rank;

    for (unsigned rank = first; rank < LOCK_RANK_COUNT; rank++) {
        if (locks.held[hart_index()].of_rank[rank] != 0) {
            return false;
        }
    }
    return true;
}

/* One hart runs at a time, so these are plain accesses in all but name. */
static uint16_t serving_of(const struct spinlock *lock)
{
    return atomic_load_explicit(&lock->serving, memory_order_relaxed);
}

static bool is_free(const struct spinlock *lock)
{
    return (uint16_t)atomic_load_explicit(&lock->next, memory_order_relaxed) == serving_of(lock);
}

static void note_acquired(struct spinlock *lock)
{
    hart_idx_t hart = hart_index();

    locks.held[hart].of_rank[lock->rank]++;
    locks.held[hart].total++;
    atomic_store_explicit(&lock->owner, (uint8_t)(hart + 1), memory_order_relaxed);
    clock_join(&oracle.harts[hart].seen, carried_by(lock));
}

/* Others go, until somebody may have released the lock. */
static void let_others_go(const struct spinlock *lock)
{
    uint8_t owner = atomic_load_explicit(&lock->owner, memory_order_relaxed);

    if (oracle.driver.blocked == NULL) {
        host_fail("hart %u waits for a lock of hart %u, and nobody else runs", hart_index(),
                  owner - 1U);
    }
    oracle.driver.blocked(lock, owner == 0 ? hart_index() : owner - 1U);
}

void spinlock_acquire(struct spinlock *lock)
{
    uint16_t ticket;

    check_reset();
    ASSERT(!spinlock_is_mine(lock));
    DASSERT(lock->rank != LOCK_NONE && rank_is_allowed(lock));
    (void)state_step(ORACLE_LOCK, (uintptr_t)lock, true, 0);
    ticket = (uint16_t)atomic_fetch_add_explicit(&lock->next, 1, memory_order_relaxed);
    while (serving_of(lock) != ticket) {
        let_others_go(lock);
    }
    note_acquired(lock);
}

/* Who does not get it tries again, so it may as well wait until that makes sense. */
bool spinlock_try_acquire(struct spinlock *lock)
{
    check_reset();
    (void)state_step(ORACLE_LOCK, (uintptr_t)lock, true, 0);
    if (!is_free(lock)) {
        let_others_go(lock);
        return false;
    }
    (void)atomic_fetch_add_explicit(&lock->next, 1, memory_order_relaxed);
    note_acquired(lock);
    return true;
}

void spinlock_release(struct spinlock *lock)
{
    hart_idx_t hart = hart_index();

    check_reset();
    ASSERT(spinlock_is_mine(lock));
    (void)state_step(ORACLE_UNLOCK, (uintptr_t)lock, true, 0);
    locks.held[hart].of_rank[lock->rank]--;
    locks.held[hart].total--;
    *carried_by(lock) = oracle.harts[hart].seen;
    atomic_store_explicit(&lock->owner, 0, memory_order_relaxed);
    atomic_store_explicit(&lock->serving, (uint16_t)(serving_of(lock) + 1), memory_order_relaxed);
}

bool spinlock_is_mine(const struct spinlock *lock)
{
    return atomic_load_explicit(&lock->owner, memory_order_relaxed) == hart_index() + 1;
}

unsigned spinlock_held_count(void)
{
    check_reset();
    return locks.held[hart_index()].total;
}
