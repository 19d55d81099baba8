/* SPDX-License-Identifier: MIT */
/*
 * Stopping all harts but one.  Interrupts are off in the kernel, so a hart is told by a software
 * interrupt where it runs a program or idles, and finds out by itself where it waits (hart_relax).
 * A hart that stops may hold a lock or have drawn a ticket, so the last one takes none.
 */
#include "stop.h"

#include <stdatomic.h>
#include <stdint.h>

#include "arch/arch.h"
#include "arch/machine.h"
#include "hart.h"
#include "sbi.h"

#define PATIENCE_S 1U

static _Atomic(uint32_t) last;    /* 1 + index of the last hart, 0: there is none yet */
static _Atomic(uint64_t) stopped; /* mask of harts that have stopped                  */

static _Noreturn void stop(void)
{
    /* Release: what this hart still printed is over; pairs with the acquire in stop_others. */
    atomic_fetch_or_explicit(&stopped, UINT64_C(1) << hart_index(), memory_order_release);
    hart_halt();
}

bool stop_is_mine(void)
{
    /* Relaxed: who the last hart is orders nothing. */
    return atomic_load_explicit(&last, memory_order_relaxed) == hart_index() + 1;
}

void stop_if_told(void)
{
    uint32_t index = atomic_load_explicit(&last, memory_order_relaxed);

    if (index != 0 && index != hart_index() + 1) {
        stop();
    }
}

void stop_others(void)
{
    uint32_t nobody = 0;
    struct hart_mask others = hart_mask_without(hart_started(), hart_index());
    uint64_t start = arch_time_now();
    uint64_t patience = machine_get()->timebase_hz * PATIENCE_S;

    if (stop_is_mine()) {
        return;
    }
    if (!atomic_compare_exchange_strong_explicit(&last, &nobody, hart_index() + 1,
                                                 memory_order_relaxed, memory_order_relaxed)) {
        stop();
    }
    /* The others read `last` after the interrupt; pairs with the fence in hart_take_ipi. */
    atomic_thread_fence(memory_order_seq_cst);
    /* A firmware that refuses leaves them running; that must not keep this hart from reporting. */
    (void)sbi_send_ipi(others);
    while ((atomic_load_explicit(&stopped, memory_order_acquire) & others.bits) != others.bits &&
           arch_time_now() - start < patience) {
        hart_relax();
    }
}
