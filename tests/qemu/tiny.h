/* SPDX-License-Identifier: MIT */
/*
 * Tiny processes: a page of code and a page of data, at the same addresses in each, and one thread
 * pinned to a hart.  In turns without end it checks that its data still holds its own value, counts
 * the turn, and yields.  It ends, with status 1, only if the value is another's.
 */
#pragma once

#include <stdint.h>

#include "uapi/handle.h"

struct tiny {
    handle_t process;
    uint64_t value;
};

/* Starts one.  turns: it ends with status 0 after so many; 0: it never ends.  Errors: those of the
 * calls it makes; then no process stays. */
long tiny_start(struct tiny *tiny, uint64_t value, uint64_t turns, unsigned hart);

/* Turns so far. */
uint64_t tiny_turns(const struct tiny *tiny);

/* Kills it and gives its handle back.  Nonzero: until then it had found its own value. */
int tiny_stop(struct tiny *tiny);
