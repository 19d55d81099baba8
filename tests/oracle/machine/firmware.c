/* SPDX-License-Identifier: MIT */
/*
 * Firmware and instruction caches.
 *
 * A remote fence reaches one hart after the other, in any order, and others may take steps between;
 * the call returns when all have done it.  It carries what the caller has stored to the fence on
 * the target, and nothing to the target's program: SBI specification, "RFENCE Extension".  A range
 * covers its pages and no more; firmware that flushes everything for a longer one would only hide
 * mistakes.
 */
#include "machine/effects.h"
#include "machine/hart.h"
#include "machine/order.h"
#include "machine/ram.h"

#define RFENCE_SECTION "SBI specification, \"RFENCE Extension\""

static void check_harts(uint64_t harts)
{
    uint64_t started = (UINT64_C(1) << oracle.config.harts) - 1;

    if ((harts & ~started) != 0) {
        verdict_give(ORACLE_RULE_FIRMWARE, state_hart(), NULL,
                     "hart %u names harts %#lx, of which some were never started (" RFENCE_SECTION
                     ")",
                     state_hart(), (unsigned long)harts);
    }
}

static void check_range(uint64_t va, uint64_t bytes)
{
    if (((va | bytes) & (TABLE_BYTES - 1)) != 0 || va + bytes < va) {
        verdict_give(ORACLE_RULE_FIRMWARE, state_hart(), NULL,
                     "hart %u asks for a fence of %#lx + %#lx, which are no pages (" RFENCE_SECTION
                     ")",
                     state_hart(), (unsigned long)va, (unsigned long)bytes);
    }
}

/* The next target, taken out of *harts. */
static unsigned take_target(uint64_t *harts, uint64_t place)
{
    unsigned n = state_choose(ORACLE_RFENCE, place, (unsigned)__builtin_popcountll(*harts));
    uint64_t set = *harts;

    for (; n > 0; n--) {
        set &= set - 1;
    }
    *harts &= ~(set & -set);
    return (unsigned)__builtin_ctzll(set);
}

/* The driver may let firmware refuse, unless it has just done so. */
static bool refuses(uint64_t place, bool was_refused)
{
    struct hart *hart = state_this();

    hart->was_refused = !was_refused && state_choose(ORACLE_RFENCE, place, 2) == 1;
    return hart->was_refused;
}

bool oracle_rfence(uint64_t harts, uint64_t va, uint64_t bytes, uint32_t asid)
{
    bool was_refused = state_this()->was_refused;
    struct clock caller;

    (void)state_step(ORACLE_RFENCE, va, false, 0);
    check_harts(harts);
    check_range(va, bytes);
    caller = state_this()->seen;
    while (harts != 0) {
        unsigned target = take_target(&harts, va);
        struct clock knows = caller;

        if (refuses(va, was_refused)) {
            return false;
        }
        (void)state_step(ORACLE_RFENCE_AT, va, false, target);
        clock_join(&knows, &oracle.harts[target].seen);
        hart_fence(target, fence_of(va, bytes, asid), &knows);
    }
    return true;
}

static void fetch_anew(unsigned hart, const struct clock *knows)
{
    clock_join(&oracle.harts[hart].fetched, knows);
    order_add_settled(&oracle.harts[hart].fetched);
}

void oracle_fence_i(void)
{
    (void)state_step(ORACLE_FENCE_I, 0, false, 0);
    fetch_anew(state_hart(), &state_this()->seen);
}

void oracle_remote_fence_i(uint64_t harts)
{
    struct clock caller;

    (void)state_step(ORACLE_RFENCE, 0, false, 0);
    check_harts(harts);
    caller = state_this()->seen;
    while (harts != 0) {
        unsigned target = take_target(&harts, 0);
        struct clock knows = caller;

        (void)state_step(ORACLE_RFENCE_AT, 0, false, target);
        clock_join(&knows, &oracle.harts[target].seen);
        fetch_anew(target, &knows);
    }
}
