/* SPDX-License-Identifier: MIT */
/*
 * Rings of events.
 *
 * The hart of a ring writes event n like this: `begun` becomes n + 1, the words of the slot, `done`
 * becomes n + 1.  A reader copies the words of events below `done`, then looks at `begun`: if that
 * is past n + TRACE_RING_EVENTS the slot was on its way to be another event's, and what was copied
 * counts as lost.  A word of the later event that the reader saw makes it see that event's `begun`,
 * because each word is stored by a release and loaded by an acquire.
 */
#include "lib/trace.h"

_Static_assert((TRACE_RING_EVENTS & (TRACE_RING_EVENTS - 1)) == 0, "numbers wrap with the ring");

#define WORDS 4U /* ticks; kind and thread; a; b */

struct slot {
    _Atomic(uint64_t) words[WORDS];
};

/* Only the hart of a ring writes it, but for `first`.  Rings share no cache line. */
struct ring {
    _Alignas(64) _Atomic(uint64_t) begun; /* events whose writing has begun     */
    _Atomic(uint64_t) done;               /* events that are written            */
    _Atomic(uint64_t) first;              /* events below are forgotten         */
};

static struct ring rings[HART_MAX];
/* A slot is written before anybody reads it, so boot need not clear this mebibyte. */
__attribute__((section(".bss.unzeroed"))) static struct slot slots[HART_MAX][TRACE_RING_EVENTS];
_Atomic(bool) trace_recording;

void trace_write(enum trace_kind kind, uint64_t a, uint64_t b)
{
    hart_idx_t hart = hart_index();
    struct ring *ring = &rings[hart];
    /* Relaxed: this hart's own. */
    uint64_t number = atomic_load_explicit(&ring->done, memory_order_relaxed);
    struct slot *slot = &slots[hart][number % TRACE_RING_EVENTS];
    const uint64_t words[WORDS] = {hart_time(), (uint64_t)kind << 32 | trace_thread(), a, b};

    /* Relaxed: the releases of the words come after it. */
    atomic_store_explicit(&ring->begun, number + 1, memory_order_relaxed);
    for (unsigned i = 0; i < WORDS; i++) {
        /* Pairs with the acquire in slot_copy. */
        atomic_store_explicit(&slot->words[i], words[i], memory_order_release);
    }
    /* Release: the words; pairs with the acquire in trace_count. */
    atomic_store_explicit(&ring->done, number + 1, memory_order_release);
}

void trace_start(void)
{
    for (hart_idx_t hart = 0; hart < HART_MAX; hart++) {
        /* Relaxed: a number alone. */
        atomic_store_explicit(&rings[hart].first, trace_count(hart), memory_order_relaxed);
    }
    /* Relaxed: an event more or less at the beginning. */
    atomic_store_explicit(&trace_recording, true, memory_order_relaxed);
}

void trace_stop(void)
{
    /* Relaxed: an event more or less at the end. */
    atomic_store_explicit(&trace_recording, false, memory_order_relaxed);
}

uint64_t trace_count(hart_idx_t hart)
{
    /* Pairs with the release in trace_write. */
    return atomic_load_explicit(&rings[hart].done, memory_order_acquire);
}

/* Copies event `number`, which is written.  Returns the number of the oldest event that was whole
 * when that was over: if it is greater, what was copied is worth nothing. */
static uint64_t slot_copy(hart_idx_t hart, uint64_t number, struct trace_record *to)
{
    const struct slot *slot = &slots[hart][number % TRACE_RING_EVENTS];
    uint64_t words[WORDS];
    uint64_t begun;

    for (unsigned i = 0; i < WORDS; i++) {
        /* Pairs with the release in trace_write. */
        words[i] = atomic_load_explicit(&slot->words[i], memory_order_acquire);
    }
    /* Relaxed: not before the acquires. */
    begun = atomic_load_explicit(&rings[hart].begun, memory_order_relaxed);
    *to = (struct trace_record){.ticks = words[0],
                                .thread = (uint32_t)words[1],
                                .kind = (uint32_t)(words[1] >> 32),
                                .a = words[2],
                                .b = words[3]};
    return begun > TRACE_RING_EVENTS ? begun - TRACE_RING_EVENTS : 0;
}

struct trace_part trace_copy(hart_idx_t hart, uint64_t from, struct trace_record *to, uint64_t room)
{
    /* Relaxed: a number alone. */
    uint64_t first = atomic_load_explicit(&rings[hart].first, memory_order_relaxed);
    uint64_t done = trace_count(hart);
    struct trace_part part = {.next = from > first ? from : first};

    while (part.next < done && part.events < room) {
        uint64_t oldest = slot_copy(hart, part.next, &to[part.events]);

        if (oldest > part.next) {
            part.lost += oldest - part.next;
            part.next = oldest;
        } else {
            part.events++;
            part.next++;
        }
    }
    return part;
}

const char *trace_kind_name(enum trace_kind kind)
{
    static const char *const names[] = {
#define EVENT(id, name, a, b) #id,
#include "lib/trace.def"
#undef EVENT
    };

    return names[kind];
}
