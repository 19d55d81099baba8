/* SPDX-License-Identifier: MIT */
/*
 * Accesses that may fault, and the table that lets the kernel survive it.  user_copy.S has both.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Where the kernel goes on after a fault at `pc` on address `va`, or 0 if that fault is a mistake.
 */
uint64_t extable_fixup(uint64_t pc, uint64_t va);

/* Each tries one thing and says whether it went through; a fault changes nothing. */
bool probe_load_u64(uint64_t va, uint64_t *value);
bool probe_store_u64(uint64_t va, uint64_t value);
bool probe_add_u64(uint64_t va, uint64_t value); /* one amoadd.d */
bool probe_cycle(uint64_t *value);
bool probe_stimecmp(uint64_t deadline);
bool probe_zero_block(void *block);
