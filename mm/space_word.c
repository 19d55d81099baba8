/* SPDX-License-Identifier: MIT */
/*
 * The word of a space: three atomic operations that keep flushes exact.
 *
 *   dispatch   entry stored, then fetch_add of one generation: the harts in the word are fenced now
 *   leave      another table in satp, then fetch_and of the own bit; the generation it returns is
 *              what this hart has seen
 *   join       fetch_or of the own bit; another generation than the one seen means that a dispatch
 *              came while the hart was away, and did not fence it
 *
 * All three are on one word, so they have one order.  A dispatch that comes before a join is seen
 * by the join, in the generation; one that comes after it sees the hart.  So a hart that holds
 * translations of the space but does not run it is never interrupted, and can not use them again.
 */
#include "space_word.h"

#define GENERATION_SHIFT 16U
#define HARTS_MASK       ((UINT64_C(1) << GENERATION_SHIFT) - 1)
#define GENERATION_ONE   (UINT64_C(1) << GENERATION_SHIFT)

_Static_assert(HART_MAX <= GENERATION_SHIFT, "the harts fit below the generation");

struct hart_mask space_word_dispatch(struct vm_space *space)
{
    uint64_t before = shared_fetch_add(&space->word, GENERATION_ONE, memory_order_acq_rel);

    return (struct hart_mask){before & HARTS_MASK};
}

bool space_word_join(struct vm_space *space, hart_idx_t hart)
{
    uint64_t before = shared_fetch_or(&space->word, UINT64_C(1) << hart, memory_order_acq_rel);

    return space->seen[hart] != (before >> GENERATION_SHIFT) + 1;
}

void space_word_leave(struct vm_space *space, hart_idx_t hart)
{
    uint64_t before = shared_fetch_and(&space->word, ~(UINT64_C(1) << hart), memory_order_acq_rel);

    space->seen[hart] = (before >> GENERATION_SHIFT) + 1;
}

bool space_word_is_running(struct vm_space *space)
{
    return (shared_load(&space->word, memory_order_acquire) & HARTS_MASK) != 0;
}

uint64_t space_word_generation(struct vm_space *space)
{
    return shared_load(&space->word, memory_order_acquire) >> GENERATION_SHIFT;
}
