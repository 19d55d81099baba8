/* SPDX-License-Identifier: MIT */
/*
 * Stacks of threads: a few small ones of threads that have ended are kept for the next ones.  The
 * list has the lock of the addresses, which is not held by whoever calls.
 */
#include <stddef.h>

#include "user/space.h"

#define STACKS_KEPT      4U
#define STACK_KEPT_BYTES UINT64_C(0x10000)

/* start 0: none. */
struct stack {
    uint64_t start;
    uint64_t bytes;
};

static struct stack stacks[STACKS_KEPT];

/* A kept stack of exactly that size.  Nonzero: found. */
static int stack_reuse(uint64_t bytes, uint64_t *address)
{
    int found = 0;

    user_space_lock();
    for (size_t i = 0; i < STACKS_KEPT && !found; i++) {
        struct stack *kept = &stacks[i];

        if (kept->start != 0 && kept->bytes == bytes) {
            *address = kept->start;
            kept->start = 0;
            found = 1;
        }
    }
    user_space_unlock();
    return found;
}

/* Nonzero: kept. */
static int stack_keep(uint64_t address, uint64_t bytes)
{
    int kept = 0;

    user_space_lock();
    for (size_t i = 0; i < STACKS_KEPT && bytes <= STACK_KEPT_BYTES && !kept; i++) {
        if (stacks[i].start == 0) {
            stacks[i] = (struct stack){address, bytes};
            kept = 1;
        }
    }
    user_space_unlock();
    return kept;
}

long user_stack_map(uint64_t bytes, uint64_t *address)
{
    return stack_reuse(bytes, address) ? 0 : user_space_map_guarded(bytes, address);
}

void user_stack_unmap(uint64_t address, uint64_t bytes)
{
    if (!stack_keep(address, bytes)) {
        user_space_unmap_guarded(address, bytes);
    }
}
