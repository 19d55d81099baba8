/* SPDX-License-Identifier: MIT */
/*
 * Shared words on the host: the same names and promises as the machine's version of this header;
 * while the oracle is on, each step is a call into it, which answers with any value that the orders
 * allow.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "arch/oracle_effects.h"

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
    return oracle_is_on ? oracle_word_load(&word->raw, order)
                        : atomic_load_explicit(&word->raw, order);
}

/* Relaxed or release. */
static inline void shared_store(struct shared *word, uint64_t value, memory_order order)
{
    if (oracle_is_on) {
        oracle_word_store(&word->raw, value, order);
    } else {
        atomic_store_explicit(&word->raw, value, order);
    }
}

/* Each of the following returns what the word held before. */

static inline uint64_t shared_fetch_add(struct shared *word, uint64_t value, memory_order order)
{
    return oracle_is_on ? oracle_word_change(&word->raw, ORACLE_ADD, value, order)
                        : atomic_fetch_add_explicit(&word->raw, value, order);
}

static inline uint64_t shared_fetch_or(struct shared *word, uint64_t value, memory_order order)
{
    return oracle_is_on ? oracle_word_change(&word->raw, ORACLE_OR, value, order)
                        : atomic_fetch_or_explicit(&word->raw, value, order);
}

static inline uint64_t shared_fetch_and(struct shared *word, uint64_t value, memory_order order)
{
    return oracle_is_on ? oracle_word_change(&word->raw, ORACLE_AND, value, order)
                        : atomic_fetch_and_explicit(&word->raw, value, order);
}

static inline uint64_t shared_exchange(struct shared *word, uint64_t value, memory_order order)
{
    return oracle_is_on ? oracle_word_change(&word->raw, ORACLE_SWAP, value, order)
                        : atomic_exchange_explicit(&word->raw, value, order);
}

/* Stores `value` if the word holds *seen, else tells what it holds in *seen; acquire if not. */
static inline bool shared_compare_exchange(struct shared *word, uint64_t *seen, uint64_t value,
                                           memory_order order)
{
    return oracle_is_on ? oracle_word_replace(&word->raw, seen, value, order)
                        : atomic_compare_exchange_strong_explicit(&word->raw, seen, value, order,
                                                                  memory_order_acquire);
}

/* Orders all shared words and slots before and after it. */
static inline void shared_fence(memory_order order)
{
    if (oracle_is_on) {
        oracle_order(order);
    } else {
        atomic_thread_fence(order);
    }
}
