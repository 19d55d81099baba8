/* SPDX-License-Identifier: MIT */
/*
 * The words of a space: atomic operations that keep fences exact.
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
 *
 * Instructions have a word of their own, so that a fence.i is not due for every unmap, nor a flush
 * for every program that is loaded.  A dispatch of code raises it first, and then takes its place
 * in the order of the first word by a read-modify-write that changes nothing; a join reads it after
 * its own.  So the same holds: either the join sees the code's generation, or the dispatch the
 * hart.  A hart notes the generation when it joins, not when it leaves: when it leaves it could
 * note one whose fence.i it was not asked for.  It may so do one fence.i too many when it comes
 * back.
 */
#include "space_word.h"

#define GENERATION_SHIFT 16U
#define HARTS_MASK       ((UINT64_C(1) << GENERATION_SHIFT) - 1)
#define GENERATION_ONE   (UINT64_C(1) << GENERATION_SHIFT)

_Static_assert(HART_MAX <= GENERATION_SHIFT, "the harts fit below the generation");

struct hart_mask space_word_dispatch(struct vm_space *space)
{
    /* Release: the entries; pairs with the acquire in space_word_join.  Acquire: its release. */
    uint64_t before = shared_fetch_add(&space->word, GENERATION_ONE, memory_order_acq_rel);

    return (struct hart_mask){before & HARTS_MASK};
}

struct hart_mask space_word_dispatch_code(struct vm_space *space, uint64_t *generation)
{
    uint64_t word;

    /* Release: the instructions; pairs with the load in space_word_join.  Acquire: those of earlier
     * dispatches, which the caller's fence.i covers too. */
    *generation = shared_fetch_add(&space->code, 1, memory_order_acq_rel) + 1;
    /* A write, though it changes nothing: a later join reads from it, and so sees the code. */
    word = shared_fetch_or(&space->word, 0, memory_order_acq_rel);
    return (struct hart_mask){word & HARTS_MASK};
}

void space_word_code_seen(struct vm_space *space, hart_idx_t hart, uint64_t generation)
{
    space->seen[hart].code = generation;
}

struct missed space_word_join(struct vm_space *space, hart_idx_t hart)
{
    struct seen *seen = &space->seen[hart];
    /* Acquire: what dispatches before this have stored; pairs with their release. */
    uint64_t before = shared_fetch_or(&space->word, UINT64_C(1) << hart, memory_order_acq_rel);
    uint64_t code = shared_load(&space->code, memory_order_acquire);
    struct missed missed = {.translations = seen->flushes != (before >> GENERATION_SHIFT) + 1,
                            .code = seen->code != code};

    if (missed.code) {
        seen->code = code; /* the caller does the fence.i now */
    }
    return missed;
}

void space_word_leave(struct vm_space *space, hart_idx_t hart)
{
    /* Release: the new satp comes before; pairs with the acquire in space_word_dispatch. */
    uint64_t before = shared_fetch_and(&space->word, ~(UINT64_C(1) << hart), memory_order_acq_rel);

    space->seen[hart].flushes = (before >> GENERATION_SHIFT) + 1;
}

bool space_word_is_running(struct vm_space *space)
{
    return (shared_load(&space->word, memory_order_acquire) & HARTS_MASK) != 0;
}

uint64_t space_word_generation(struct vm_space *space)
{
    return shared_load(&space->word, memory_order_acquire) >> GENERATION_SHIFT;
}
