/* SPDX-License-Identifier: MIT */
/*
 * Memory objects in tests: mapping them here, giving them to others, and a page of words that all
 * copies of this process share.
 */
#pragma once

#include <stdatomic.h>

#include "support.h"

/* A new object of so many pages; HANDLE_NONE: there is none. */
handle_t memory_make(uint64_t pages);

/* Maps so many pages of it, from its first one, in this process. */
long memory_map(handle_t memory, uint64_t address, uint64_t pages, uint64_t prot, uint64_t flags);

/* What vm_query says of a page of `process`. */
struct seen {
    uint64_t kind, prot, flags;
};
struct seen memory_seen(handle_t process, uint64_t address);

/* Frames that the object has. */
uint64_t memory_frames(handle_t memory);

struct board {
    _Atomic(uint64_t) words[PAGE / sizeof(uint64_t)];
};

/* A zeroed page at `address` that this process and what it forks from now on share; NULL: none. */
struct board *board_make(uint64_t address);

/* Waits, yielding, until the word is not 0, and returns it. */
uint64_t board_wait(const _Atomic(uint64_t) *word);

/* Starts a copy of this process that runs run(board), gives it the object with these rights, and
 * writes the handle's number there to word `at` of the board.  HANDLE_NONE: it failed. */
handle_t memory_share(int (*run)(void *board), struct board *board, unsigned at, handle_t memory,
                      uint64_t rights);

/* Waits for the end of that process, which is to be status 0. */
void memory_finish(handle_t process, const char *what);
