/* SPDX-License-Identifier: MIT */
/* Steps on shared words. */
#include "arch/oracle_effects.h"
#include "machine/effects.h"
#include "machine/order.h"
#include "machine/ram.h"

static struct order_place word_at(const _Atomic(uint64_t) *word)
{
    return (struct order_place){(_Atomic(uint64_t) *)(uintptr_t)word, (uintptr_t)word};
}

uint64_t oracle_word_load(const _Atomic(uint64_t) *word, memory_order order)
{
    (void)state_step(ORACLE_WORD_LOAD, (uintptr_t)word, false, 0);
    return order_load(word_at(word), order);
}

void oracle_word_store(_Atomic(uint64_t) *word, uint64_t value, memory_order order)
{
    (void)state_step(ORACLE_WORD_STORE, (uintptr_t)word, true, 0);
    order_store(word_at(word), value, order);
}

uint64_t oracle_word_change(_Atomic(uint64_t) *word, enum oracle_change change, uint64_t value,
                            memory_order order)
{
    uint64_t before;

    (void)state_step(ORACLE_WORD_STORE, (uintptr_t)word, true, 0);
    before = atomic_load_explicit(word, memory_order_relaxed);
    switch (change) {
    case ORACLE_ADD:
        value = before + value;
        break;
    case ORACLE_OR:
        value = before | value;
        break;
    case ORACLE_AND:
        value = before & value;
        break;
    case ORACLE_SWAP:
        break;
    }
    order_change(word_at(word), value, order);
    return before;
}

bool oracle_word_replace(_Atomic(uint64_t) *word, uint64_t *seen, uint64_t value,
                         memory_order order)
{
    uint64_t before;

    (void)state_step(ORACLE_WORD_STORE, (uintptr_t)word, true, 0);
    before = atomic_load_explicit(word, memory_order_relaxed);
    if (before != *seen) {
        *seen = order_load_newest(word_at(word));
        return false;
    }
    order_change(word_at(word), value, order);
    return true;
}

void oracle_pause(void)
{
    (void)state_step(ORACLE_PAUSE, 0, false, 0);
}
