/* SPDX-License-Identifier: MIT */
/*
 * Where the effects of arch/slot.h, arch/shared.h and arch/frame_watch.h go on the host while the
 * oracle is on (tests/oracle/machine).  While it is off they are plain C11 atomics, so that
 * programs whose harts are threads run at full speed and the thread sanitizer sees them.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* (c) while harts run. */
extern bool oracle_is_on;

enum oracle_change {
    ORACLE_ADD,
    ORACLE_OR,
    ORACLE_AND,
    ORACLE_SWAP,
};

uint64_t oracle_word_load(const _Atomic(uint64_t) *word, memory_order order);
void oracle_word_store(_Atomic(uint64_t) *word, uint64_t value, memory_order order);
uint64_t oracle_word_change(_Atomic(uint64_t) *word, enum oracle_change change, uint64_t value,
                            memory_order order);
bool oracle_word_replace(_Atomic(uint64_t) *word, uint64_t *seen, uint64_t value,
                         memory_order order);
void oracle_order(memory_order order);

uint64_t oracle_slot_load(_Atomic(uint64_t) *slot);
void oracle_slot_store(_Atomic(uint64_t) *slot, uint64_t entry);
uint64_t oracle_slot_exchange(_Atomic(uint64_t) *slot, uint64_t entry);
bool oracle_slot_replace(_Atomic(uint64_t) *slot, uint64_t *seen, uint64_t entry);

void host_frames_freed(uint64_t pa, uint64_t bytes);
void host_frames_taken(uint64_t pa, uint64_t bytes);
