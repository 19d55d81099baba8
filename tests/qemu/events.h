/* SPDX-License-Identifier: MIT */
/* What a hart has recorded, for tests of the trace. */
#pragma once

#include <stdint.h>

#include "uapi/trace.h"

#define EVENT(id, name, a, b) TRACE_##id,
enum kind {
#include "vellum/trace.def"
    KIND_COUNT
};
#undef EVENT

/* trace_control on this machine. */
long trace_control(uint64_t mode);

/* Reads all that a hart has recorded since the trace was begun; the functions below are about
 * that.  Returns 0 or an error of trace_read. */
long events_read(uint64_t hart);

/* How many events there are, and how many were lost before the first of them. */
uint64_t events_count(void);
uint64_t events_lost(void);

/* The event at a place below events_count. */
const struct trace_event *event_at(uint64_t place);

/* Place of the first event from `from` on of that kind and that a; events_count: there is none. */
uint64_t events_find(uint64_t from, enum kind kind, uint64_t a);

/* How many there are of that kind and that a, and of that kind. */
uint64_t events_with(enum kind kind, uint64_t a);
uint64_t events_of(enum kind kind);
