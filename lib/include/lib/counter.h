/* SPDX-License-Identifier: MIT */
/*
 * Named counters: what the kernel did, counted exactly, so that tests can demand numbers.
 *
 * The list is counters.def.  Each hart counts for itself (no shared line is written); reading adds
 * the harts up.  Programs find counters by name at run time, so the list can grow.
 */
#pragma once

#include <stdint.h>

enum counter_id {
#define COUNTER(id, text) COUNTER_##id,
#include "lib/counters.def"
#undef COUNTER
    COUNTER_COUNT
};

/* Adds n to this hart's counter.  Any context. */
void counter_add(enum counter_id id, uint64_t n);

/* Sum over all harts; exact when no other hart counts meanwhile. */
uint64_t counter_read(enum counter_id id);

/* The counter's name ("tlb_flush_local").  id < COUNTER_COUNT. */
const char *counter_name(enum counter_id id);
