/* SPDX-License-Identifier: MIT */
/*
 * The last fences of each hart: a few words for each, written by that hart alone.
 *
 * Those that other harts were asked for have a time.  One that the hart does itself has none: where
 * the firmware emulates the time, reading it costs far more than the fence, and a hart without
 * identifiers does one at each switch.
 */
#include "fence_log.h"

#include <stdatomic.h>

#include "hart.h"
#include "lib/log.h"

#define KEPT 4U

enum word {
    TIME, /* of those with targets only */
    VA,
    BYTES,
    TARGETS,
    KIND_AND_ASID, /* the kind in the upper half */
    WORDS
};

static struct {
    _Alignas(64) _Atomic(uint64_t) count;
    _Atomic(uint64_t) last[KEPT][WORDS];
} logs[HART_MAX];

/* Relaxed throughout: read when the harts have stopped. */
static uint64_t get(const _Atomic(uint64_t) *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

static void set(_Atomic(uint64_t) *word, uint64_t value)
{
    atomic_store_explicit(word, value, memory_order_relaxed);
}

void fence_log_note(enum fence_kind kind, struct hart_mask targets, struct tlb_op op)
{
    hart_idx_t hart = hart_index();
    uint64_t count = get(&logs[hart].count);
    _Atomic(uint64_t) *words = logs[hart].last[count % KEPT];

    if (!hart_mask_is_empty(targets)) {
        set(&words[TIME], arch_time_now());
    }
    set(&words[VA], op.va.raw);
    set(&words[BYTES], op.bytes);
    set(&words[TARGETS], targets.bits);
    set(&words[KIND_AND_ASID], (uint64_t)kind << 32 | op.asid);
    set(&logs[hart].count, count + 1);
}

static void print_one(hart_idx_t hart, const _Atomic(uint64_t) *words)
{
    uint64_t targets = get(&words[TARGETS]);
    uint64_t kind = get(&words[KIND_AND_ASID]) >> 32;
    uint32_t asid = (uint32_t)get(&words[KIND_AND_ASID]);

    log_printf("  hart %u", hart);
    if (targets != 0) {
        log_printf(", time %lu", get(&words[TIME]));
    }
    log_printf(": %s ", kind == FENCE_CODE ? "fence.i" : "sfence.vma");
    if (kind != FENCE_CODE && get(&words[BYTES]) != 0) {
        log_printf("0x%lx + 0x%lx, ", get(&words[VA]), get(&words[BYTES]));
    } else if (kind != FENCE_CODE) {
        log_printf("all addresses, ");
    }
    if (kind != FENCE_CODE && asid != 0) {
        log_printf("ASID %u, ", asid);
    } else if (kind != FENCE_CODE) {
        log_printf("all spaces, ");
    }
    if (targets != 0) {
        log_printf("on harts 0x%lx\n", targets);
    } else {
        log_printf("here\n");
    }
}

void fence_log_print(void)
{
    log_printf("last fences:\n");
    for (hart_idx_t hart = 0; hart < HART_MAX; hart++) {
        uint64_t count = get(&logs[hart].count);

        for (uint64_t i = count > KEPT ? count - KEPT : 0; i < count; i++) {
            print_one(hart, logs[hart].last[i % KEPT]);
        }
    }
}
