/* SPDX-License-Identifier: MIT */
/*
 * Spinlocks: owner, counts and ranks; mistakes end in a panic; threads as harts exclude each other
 * and are served in order.
 */
#include "lib/spinlock.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>

#include "support.h"

Test(spinlock, owner_and_count)
{
    struct spinlock a = SPINLOCK_INIT(LOCK_SCHED);
    struct spinlock b;

    spinlock_init(&b, LOCK_FRAMES);
    EXPECT_EQ(spinlock_held_count(), 0);
    spinlock_acquire(&a);
    cr_assert(spinlock_is_mine(&a));
    cr_assert(!spinlock_is_mine(&b));
    spinlock_acquire(&b);
    EXPECT_EQ(spinlock_held_count(), 2);
    host_hart_set(1);
    cr_assert(!spinlock_is_mine(&a), "another hart does not own it");
    EXPECT_EQ(spinlock_held_count(), 0);
    host_hart_set(0);
    spinlock_release(&a); /* any order of release */
    spinlock_release(&b);
    EXPECT_EQ(spinlock_held_count(), 0);
    cr_assert(!spinlock_is_mine(&a));
}

Test(spinlock, try_acquire_takes_only_a_free_lock)
{
    struct spinlock lock = SPINLOCK_INIT(LOCK_SLAB);

    cr_assert(spinlock_try_acquire(&lock));
    cr_assert(spinlock_is_mine(&lock));
    host_hart_set(2);
    cr_assert(!spinlock_try_acquire(&lock));
    host_hart_set(0);
    spinlock_release(&lock);
    host_hart_set(2);
    cr_assert(spinlock_try_acquire(&lock));
    spinlock_release(&lock);
}

Test(spinlock, nodes_share_one_rank)
{
    struct spinlock parent = SPINLOCK_INIT(LOCK_PT_NODE);
    struct spinlock child = SPINLOCK_INIT(LOCK_PT_NODE);

    spinlock_acquire(&parent);
    spinlock_acquire(&child);
    EXPECT_EQ(spinlock_held_count(), 2);
    spinlock_release(&child);
    spinlock_release(&parent);
}

Test(spinlock, tickets_wrap)
{
    struct spinlock lock = SPINLOCK_INIT(LOCK_SCHED);

    for (unsigned i = 0; i < 70000; i++) {
        spinlock_acquire(&lock);
        spinlock_release(&lock);
    }
    EXPECT_EQ(spinlock_held_count(), 0);
}

Test(spinlock, waiting_for_oneself_panics, .signal = SIGABRT)
{
    struct spinlock lock = SPINLOCK_INIT(LOCK_PT_NODE);

    spinlock_acquire(&lock);
    spinlock_acquire(&lock);
}

Test(spinlock, release_by_another_hart_panics, .signal = SIGABRT)
{
    struct spinlock lock = SPINLOCK_INIT(LOCK_SCHED);

    spinlock_acquire(&lock);
    host_hart_set(1);
    spinlock_release(&lock);
}

Test(spinlock, release_of_a_free_lock_panics, .signal = SIGABRT)
{
    struct spinlock lock = SPINLOCK_INIT(LOCK_SCHED);

    spinlock_release(&lock);
}

Test(spinlock, lower_rank_inside_a_higher_one_panics, .signal = SIGABRT)
{
    struct spinlock high = SPINLOCK_INIT(LOCK_FRAMES);
    struct spinlock low = SPINLOCK_INIT(LOCK_SLAB);

    spinlock_acquire(&high);
    spinlock_acquire(&low);
}

Test(spinlock, same_rank_twice_panics, .signal = SIGABRT)
{
    struct spinlock a = SPINLOCK_INIT(LOCK_SCHED);
    struct spinlock b = SPINLOCK_INIT(LOCK_SCHED);

    spinlock_acquire(&a);
    spinlock_acquire(&b);
}

Test(spinlock, lock_without_a_rank_panics, .signal = SIGABRT)
{
    struct spinlock zeroed = {0};

    spinlock_acquire(&zeroed);
}

#define RACERS 4U
#define ROUNDS 5000U

static struct spinlock race_lock = SPINLOCK_INIT(LOCK_SCHED);
static unsigned race_sum;

static void *race(void *hart)
{
    host_hart_set((hart_idx_t)(uintptr_t)hart);
    for (unsigned i = 0; i < ROUNDS; i++) {
        spinlock_acquire(&race_lock);
        race_sum++;
        spinlock_release(&race_lock);
        sched_yield();
    }
    return NULL;
}

Test(spinlock, threads_exclude_each_other, .timeout = 60)
{
    pthread_t threads[RACERS];

    for (uintptr_t i = 0; i < RACERS; i++) {
        cr_assert(pthread_create(&threads[i], NULL, race, (void *)i) == 0);
    }
    for (unsigned i = 0; i < RACERS; i++) {
        cr_assert(pthread_join(threads[i], NULL) == 0);
    }
    EXPECT_EQ(race_sum, RACERS * ROUNDS);
}
