/* SPDX-License-Identifier: MIT */
/*
 * The trace: what each hart did and when, in a ring for each hart.
 *
 * The list of kinds is trace.def.  A hart writes its own ring only, without a lock; when the ring
 * is full the oldest event goes.  Anybody may read any ring at any time and gets whole events:
 * those that are overwritten meanwhile are counted instead.  Events have numbers, 0, 1, ... on each
 * hart, which never start over.
 *
 * While nothing is recorded trace_note costs a load and a branch that is not taken.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/hart.h"

/* Events that a ring holds; a power of two. */
#define TRACE_RING_EVENTS 2048U

enum trace_kind {
#define EVENT(id, name, a, b) TRACE_##id,
#include "lib/trace.def"
#undef EVENT
    TRACE_KIND_COUNT
};

/* One event.  a, b: as trace.def says. */
struct trace_record {
    uint64_t ticks; /* of the machine's time base                   */
    uint32_t thread;
    uint32_t kind; /* enum trace_kind                               */
    uint64_t a, b;
};

/* True while events are recorded.  Changed by trace_start and trace_stop only. */
extern _Atomic(bool) trace_recording;

/* Writes an event into the ring of this hart, whether or not events are to be recorded. */
void trace_write(enum trace_kind kind, uint64_t a, uint64_t b);

static inline bool trace_is_on(void)
{
    /* Relaxed: an event more or less at the beginning and the end. */
    return __builtin_expect(atomic_load_explicit(&trace_recording, memory_order_relaxed), 0);
}

/* Records an event, if events are recorded.  Any context. */
static inline void trace_note(enum trace_kind kind, uint64_t a, uint64_t b)
{
    if (trace_is_on()) {
        trace_write(kind, a, b);
    }
}

/* Forgets all earlier events and begins, or ends.  Harts notice within the events they are at. */
void trace_start(void);
void trace_stop(void);

/* What reading came to. */
struct trace_part {
    uint64_t events; /* copied                                                        */
    uint64_t next;   /* number of the event after the last one that was looked at     */
    uint64_t lost;   /* events from the first one wanted on that had been overwritten */
};

/* Copies events of a hart, oldest first: those from number `from` on that are not forgotten, at
 * most `room`.  hart < HART_MAX.  Any context. */
struct trace_part trace_copy(hart_idx_t hart, uint64_t from, struct trace_record *to,
                             uint64_t room);

/* Events that the hart has written so far; the number that its next one gets. */
uint64_t trace_count(hart_idx_t hart);

/* The id of a kind ("CURSOR_OPEN"); kind < TRACE_KIND_COUNT. */
const char *trace_kind_name(enum trace_kind kind);

/* Number of the thread that this hart runs, 0: none.  Implemented by the kernel, and by the host
 * tests. */
uint32_t trace_thread(void);
