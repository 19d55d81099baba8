/* SPDX-License-Identifier: MIT */
/*
 * Shared words: the 64-bit words through which harts agree without a lock.  Every load, store and
 * atomic on one goes through here, with its order; the host tests have their own version of this
 * header, which lets a model see each step and answer with any value the memory model allows.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct shared {
    _Atomic(uint64_t) raw;
};

#define SHARED_INIT(value)                                                                         \
    {                                                                                              \
        (value)                                                                                    \
    }

/* Relaxed or acquire. */
static inline uint64_t shared_load(const struct shared *word, memory_order order)
{
    return atomic_load_explicit(&word->raw, order);
}

/* Relaxed or release. */
static inline void shared_store(struct shared *word, uint64_t value, memory_order order)
{
    atomic_store_explicit(&word->raw, value, order);
}

/* Each of the following returns what the word held before. */

static inline uint64_t shared_fetch_add(struct shared *word, uint64_t value, memory_order order)
{
    return atomic_fetch_add_explicit(&word->raw, value, order);
}

static inline uint64_t shared_fetch_or(struct shared *word, uint64_t value, memory_order order)
{
    return atomic_fetch_or_explicit(&word->raw, value, order);
}

static inline uint64_t shared_fetch_and(struct shared *word, uint64_t value, memory_order order)
{
    return atomic_fetch_and_explicit(&word->raw, value, order);
}

static inline uint64_t shared_exchange(struct shared *word, uint64_t value, memory_order order)
{
    return atomic_exchange_explicit(&word->raw, value, order);
}

/* Stores `value` if the word holds *seen, else tells what it holds in *seen; acquire if not. */
static inline bool shared_compare_exchange(struct shared *word, uint64_t *seen, uint64_t value,
                                           memory_order order)
{
    return atomic_compare_exchange_strong_explicit(&word->raw, seen, value, order,
                                                   memory_order_acquire);
}

/* Orders all shared words and slots before and after it. */
static inline void shared_fence(memory_order order)
{
    atomic_thread_fence(order);
}
