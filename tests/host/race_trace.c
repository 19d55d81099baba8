/* SPDX-License-Identifier: MIT */
/*
 * Real threads as harts: hart 0 reads the rings of all others while they write.  Every event it
 * gets is whole, none comes twice, and those it gets and those it is told it lost are all.
 */
#include "harts/harts.h"
#include "lib/trace.h"

#define HARTS  4U
#define WRITES (UINT64_C(40) * TRACE_RING_EVENTS)
#define BATCH  64U

static _Atomic(unsigned) writing; /* harts that have not written all; released, acquired */
static uint64_t whole[HARTS];
static uint64_t lost[HARTS];

/* The words of event i of a hart depend on each other, so that a mixture shows. */
static uint64_t word_of(hart_idx_t hart, uint64_t i)
{
    return (i << 8 | hart) * UINT64_C(0x9e3779b97f4a7c15);
}

static void write_all(hart_idx_t hart)
{
    for (uint64_t i = 0; i < WRITES; i++) {
        trace_note(i % 2 == 0 ? TRACE_CALL : TRACE_CALL_END, i, word_of(hart, i));
        if (i % 64 == 0) {
            pause_maybe();
        }
    }
    atomic_fetch_sub_explicit(&writing, 1, memory_order_release);
}

/* Reads what there is from *next on. */
static void read_some(hart_idx_t hart, uint64_t *next)
{
    struct trace_record records[BATCH];
    struct trace_part part = trace_copy(hart, *next, records, BATCH);
    uint64_t least = *next;

    EXPECT(part.next == *next + part.events + part.lost);
    for (uint64_t i = 0; i < part.events; i++) {
        uint64_t number = records[i].a;

        EXPECT(number >= least && number < part.next);
        EXPECT(records[i].b == word_of(hart, number));
        EXPECT(records[i].thread == hart + 1);
        EXPECT(records[i].kind == (number % 2 == 0 ? TRACE_CALL : TRACE_CALL_END));
        least = number + 1;
    }
    *next = part.next;
    whole[hart] += part.events;
    lost[hart] += part.lost;
}

static void read_all(void)
{
    uint64_t next[HARTS] = {0};
    bool is_over = false;

    while (!is_over) {
        /* Once more after the last has ended. */
        is_over = atomic_load_explicit(&writing, memory_order_acquire) == 0;
        for (hart_idx_t hart = 1; hart < HARTS; hart++) {
            do {
                read_some(hart, &next[hart]);
            } while (is_over && next[hart] < trace_count(hart));
        }
    }
}

static void run(hart_idx_t hart)
{
    if (hart == 0) {
        read_all();
    } else {
        write_all(hart);
    }
}

static void program(const struct harts_config *config)
{
    harts_begin(config);
    atomic_store_explicit(&writing, HARTS - 1, memory_order_relaxed);
    trace_start();
    harts_run(run);
    trace_stop();
    for (hart_idx_t hart = 1; hart < HARTS; hart++) {
        EXPECT(trace_count(hart) == WRITES);
        EXPECT(whole[hart] + lost[hart] == WRITES && whole[hart] > 0);
    }
    harts_end();
}

int main(void)
{
    static const struct harts_config configs[] = {{HARTS, 4, 0}};

    return harts_for_each(configs, ARRAY_LEN(configs), program);
}
