/* SPDX-License-Identifier: MIT */
/* The ring of recent stores, and what the harts know of them. */
#include "machine/order.h"

#include <string.h>

#include "arch/oracle_effects.h"
#include "machine/ram.h"

#define STORES  64U
#define BUCKETS 256U

struct store {
    const _Atomic(uint64_t) *word;
    uint64_t name;
    uint64_t before, op;
    uint32_t step;
    uint16_t read_by; /* harts that have read or written the place at or after this store */
    uint8_t writer;
    bool is_slot;
    struct clock carries; /* what an acquire load that reads it learns */
};

static struct {
    struct store stores[STORES];
    uint32_t next;            /* stores so far */
    uint8_t bucket[BUCKETS];  /* how many of the ring have a place of that hash */
    struct clock everybody;   /* stores that have left the ring                 */
    struct clock full_fences; /* what full fences share                         */
} ring;

void order_reset(void)
{
    memset(&ring, 0, sizeof(ring));
    for (unsigned i = 0; i < HARTS; i++) {
        ring.everybody.at[i] = oracle.step;
    }
}

bool order_sees(const struct clock *clock, unsigned writer, uint32_t step)
{
    return !oracle.is_ordered || clock_covers(clock, writer, step) ||
           clock_covers(&ring.everybody, writer, step);
}

static unsigned bucket_of(const _Atomic(uint64_t) *word)
{
    return (unsigned)((uintptr_t)word >> 3) % BUCKETS;
}

/* The newest store to the place that is older than the `age`-th newest of all; NULL: none. */
static struct store *find_store(const _Atomic(uint64_t) *word, uint32_t *age)
{
    if (ring.bucket[bucket_of(word)] == 0) {
        return NULL;
    }
    while (*age < STORES && *age < ring.next) {
        struct store *store = &ring.stores[(ring.next - 1 - *age) % STORES];

        (*age)++;
        if (store->word == word) {
            return store;
        }
    }
    return NULL;
}

static void acquire(const struct store *from, memory_order order)
{
    struct hart *hart = state_this();

    if (from == NULL) {
        return;
    }
    if (order == memory_order_relaxed || order == memory_order_release) {
        clock_join(&hart->pending, &from->carries);
    } else {
        clock_join(&hart->seen, &from->carries);
    }
}

static void push(struct order_place place, uint64_t before, const struct clock *carries)
{
    struct store *store = &ring.stores[ring.next % STORES];
    unsigned hart = state_hart();

    if (ring.next >= STORES) {
        ring.bucket[bucket_of(store->word)]--;
        if (store->step > ring.everybody.at[store->writer]) {
            ring.everybody.at[store->writer] = store->step;
        }
    }
    *store = (struct store){
        .word = place.word,
        .name = place.name,
        .before = before,
        .op = oracle.harts[hart].op,
        .step = oracle.step,
        .read_by = state_bit(hart),
        .writer = (uint8_t)hart,
        .is_slot = order_is_slot(place),
        .carries = *carries,
    };
    ring.bucket[bucket_of(place.word)]++;
    ring.next++;
}

uint64_t order_load(struct order_place place, memory_order order)
{
    uint64_t value = atomic_load_explicit(place.word, memory_order_relaxed);
    unsigned hart = state_hart();
    struct store *found[STORES + 1];
    uint32_t age = 0;
    unsigned older = 0;
    unsigned pick;

    if (!oracle.is_ordered) {
        return value;
    }
    for (;;) {
        struct store *store = find_store(place.word, &age);

        found[older] = store;
        if (store == NULL || state_has(store->read_by, hart) ||
            order_sees(&oracle.harts[hart].seen, store->writer, store->step)) {
            break;
        }
        older++;
    }
    pick = state_choose(order_is_slot(place) ? ORACLE_SLOT_LOAD : ORACLE_WORD_LOAD, place.name,
                        older + 1);
    if (pick > 0) {
        value = found[pick - 1]->before;
    }
    if (found[pick] != NULL) {
        found[pick]->read_by |= state_bit(hart);
        acquire(found[pick], order);
    }
    return value;
}

uint64_t order_load_newest(struct order_place place)
{
    uint32_t age = 0;

    if (oracle.is_ordered) {
        struct store *store = find_store(place.word, &age);

        if (store != NULL) {
            store->read_by |= state_bit(state_hart());
            acquire(store, memory_order_acquire);
        }
    }
    return atomic_load_explicit(place.word, memory_order_relaxed);
}

/* What a store of this hart carries. */
static struct clock carried(memory_order order)
{
    struct hart *hart = state_this();

    hart->seen.at[state_hart()] = oracle.step;
    return order == memory_order_relaxed || order == memory_order_acquire ? hart->released
                                                                          : hart->seen;
}

void order_store(struct order_place place, uint64_t value, memory_order order)
{
    if (oracle.is_ordered) {
        struct clock carries = carried(order);

        push(place, atomic_load_explicit(place.word, memory_order_relaxed), &carries);
    }
    atomic_store_explicit(place.word, value, memory_order_relaxed);
}

void order_change(struct order_place place, uint64_t value, memory_order order)
{
    if (oracle.is_ordered) {
        uint32_t age = 0;
        struct store *newest = find_store(place.word, &age);
        struct clock carries;

        acquire(newest, order);
        carries = carried(order);
        if (newest != NULL) {
            clock_join(&carries, &newest->carries);
        }
        push(place, atomic_load_explicit(place.word, memory_order_relaxed), &carries);
    }
    atomic_store_explicit(place.word, value, memory_order_relaxed);
}

bool order_recent_slot_store(size_t n, struct order_slot_store *out)
{
    if (!oracle.is_ordered || n >= STORES || n >= ring.next) {
        return false;
    }
    const struct store *store = &ring.stores[(ring.next - 1 - n) % STORES];

    *out = (struct order_slot_store){.slot_pa = store->is_slot ? store->name : 0,
                                     .before = store->before,
                                     .op = store->op,
                                     .step = store->step,
                                     .writer = store->writer};
    return true;
}

void order_add_settled(struct clock *clock)
{
    if (oracle.is_ordered) {
        clock_join(clock, &ring.everybody);
        return;
    }
    for (unsigned i = 0; i < HARTS; i++) {
        clock->at[i] = oracle.step;
    }
}

void oracle_order(memory_order order)
{
    struct hart *hart = state_this();

    (void)state_step(ORACLE_FENCE, 0, false, 0);
    if (order == memory_order_relaxed) {
        return;
    }
    if (order != memory_order_release) {
        clock_join(&hart->seen, &hart->pending);
    }
    if (order == memory_order_seq_cst) {
        clock_join(&hart->seen, &ring.full_fences);
        ring.full_fences = hart->seen;
    }
    if (order != memory_order_acquire) {
        hart->released = hart->seen;
    }
}
