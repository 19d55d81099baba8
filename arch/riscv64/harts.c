/* SPDX-License-Identifier: MIT */
/*
 * Bringing the other harts in.
 *
 *   boot hart                          other hart
 *   CALLED, SBI hart_start      --->   boot.S, early tables, emergency stack
 *                               <---   HERE: from now on it is waited for
 *                               <---   EXAMINED: its facts are written; waits in wfi
 *   ... paging mode, ASIDs, mm ...
 *   in the mask of harts, GO, IPI -->  final table, whole TLB flushed, its own stack
 *                               <---   RUNS: kernel_hart_main
 *
 * Each of these arrows back carries a software interrupt, so that both sides can wait in wfi.
 *
 * They come one at a time, because examining a hart uses the one probe page.  A hart that does not
 * come in time is DROPPED; if it comes later it sees that and stops.  One that came and then stays
 * away is a broken machine.
 *
 * A hart is in the mask before it flushes, so a fence that is sent to the mask and misses the hart
 * is made up for by its own.
 */
#include "harts.h"

#include <stdatomic.h>

#include "arch/arch.h"
#include "arch/layout.h"
#include "arch/machine.h"
#include "arch/upcall.h"
#include "csr.h"
#include "hart.h"
#include "image.h"
#include "lib/assert.h"
#include "lib/log.h"
#include "mmu.h"
#include "sbi.h"
#include "timer.h"

#define PATIENCE_S 3U

enum stage {
    STAGE_NONE,
    STAGE_CALLED,
    STAGE_DROPPED,
    STAGE_HERE,
    STAGE_EXAMINED,
    STAGE_GO,
    STAGE_RUNS,
};

static struct {
    _Atomic(uint32_t) stage;    /* enum stage                                          */
    struct hart *block;         /* (c) once CALLED                                     */
    struct harts_report report; /* facts: by the hart until EXAMINED; else boot hart's */
} comers[HART_MAX];

static hart_idx_t caller; /* (c) the boot hart */

static enum stage stage_of(hart_idx_t index)
{
    /* Acquire pairs with the release in stage_set, on both sides. */
    return atomic_load_explicit(&comers[index].stage, memory_order_acquire);
}

static void stage_set(hart_idx_t index, enum stage stage)
{
    atomic_store_explicit(&comers[index].stage, stage, memory_order_release);
}

/* Has the boot hart look again. */
static void tell_caller(void)
{
    arch_ipi_send(hart_mask_with((struct hart_mask){0}, caller));
}

/* Goes from CALLED to `stage` unless the other side has gone elsewhere. */
static bool stage_claim(hart_idx_t index, enum stage stage)
{
    uint32_t called = STAGE_CALLED;

    return atomic_compare_exchange_strong_explicit(&comers[index].stage, &called, stage,
                                                   memory_order_acq_rel, memory_order_acquire);
}

/* Waits until the hart has left `stage`; false if it takes too long. */
static bool stage_passes(hart_idx_t index, enum stage stage)
{
    uint64_t deadline = arch_time_now() + machine_get()->timebase_hz * PATIENCE_S;
    bool in_time = true;

    for (;;) {
        hart_take_ipi();
        if (stage_of(index) != stage) {
            break;
        }
        if (arch_time_now() >= deadline) {
            in_time = false;
            break;
        }
        arch_timer_set(deadline);
        hart_wait();
    }
    arch_timer_set(UINT64_MAX);
    return in_time;
}

static void call(hart_idx_t index, uint64_t hart_id)
{
    struct harts_report *report = &comers[index].report;

    comers[index].block = hart_prepare(index, hart_id);
    stage_set(index, STAGE_CALLED);
    atomic_thread_fence(memory_order_seq_cst); /* its block is there before the firmware calls it */
    report->refusal = sbi_hart_start(hart_id, image_to_phys(hart_entry),
                                     (uint64_t)(uintptr_t)comers[index].block);
    if (report->refusal != OK) {
        stage_set(index, STAGE_DROPPED);
        report->outcome = HARTS_REFUSED;
        return;
    }
    if (!stage_passes(index, STAGE_CALLED) && stage_claim(index, STAGE_DROPPED)) {
        report->outcome = HARTS_SILENT;
        return;
    }
    if (!stage_passes(index, STAGE_HERE)) {
        PANIC("hart %u (id %lu) came, and then no more", index, hart_id);
    }
    report->outcome = HARTS_CAME;
}

void harts_gather(struct hart_facts *all)
{
    const struct machine *machine = machine_get();
    bool can_call = sbi_has(SBI_EXT_HSM) && sbi_has(SBI_EXT_IPI) && sbi_has(SBI_EXT_RFENCE);

    caller = hart_index();
    for (hart_idx_t index = 0; index < machine->hart_count; index++) {
        struct harts_report *report = &comers[index].report;

        if (index == hart_index()) {
            report->outcome = HARTS_BOOT;
        } else if (!can_call) {
            report->outcome = HARTS_ALONE;
        } else {
            call(index, machine->harts[index].hart_id);
        }
        if (report->outcome == HARTS_CAME) {
            boot_facts_merge(all, &report->facts);
        }
    }
}

const struct harts_report *harts_report(hart_idx_t index)
{
    return &comers[index].report;
}

/* On the hart's own stack, in the final table. */
static void run(void)
{
    timer_start_hart();
    hart_quiescence_enter();
    stage_set(hart_index(), STAGE_RUNS);
    tell_caller();
    kernel_hart_main();
}

static void wait_for_go(hart_idx_t index)
{
    for (;;) {
        hart_take_ipi();
        if (stage_of(index) == STAGE_GO) {
            return;
        }
        hart_wait();
    }
}

_Noreturn void harts_arrive(uint64_t hart_id)
{
    const struct hart *self = hart_self();

    ASSERT(self->hart_id == hart_id);
    if (!stage_claim(self->index, STAGE_HERE)) {
        hart_halt();
    }
    tell_caller();
    hart_counters_allow();
    boot_probe_hart(&comers[self->index].report.facts);
    csr_write(sie, SIE_SOFT);
    stage_set(self->index, STAGE_EXAMINED);
    tell_caller();
    wait_for_go(self->index);
    mmu_join();
    hart_take_stack(run);
}

/* The harts that run the kernel, by the firmware's numbers. */
static void report(void)
{
    struct hart_mask running = arch_harts();

    log_printf("vellum: %u of %zu harts run: ids", hart_mask_count(running),
               machine_get()->hart_count);
    for (hart_idx_t index = 0; index < HART_MAX; index++) {
        if (hart_mask_has(running, index)) {
            log_printf(" %lu", hart_ids()[index]);
        }
    }
    log_printf("\n");
}

struct hart_mask arch_harts_start(void)
{
    struct hart_mask others = {0};

    for (hart_idx_t index = 0; index < HART_MAX; index++) {
        if (comers[index].report.outcome == HARTS_CAME && stage_of(index) == STAGE_EXAMINED) {
            hart_set_started(comers[index].block);
            others = hart_mask_with(others, index);
        }
    }
    for (hart_idx_t index = 0; index < HART_MAX; index++) {
        if (hart_mask_has(others, index)) {
            stage_set(index, STAGE_GO);
        }
    }
    arch_ipi_send(others);
    for (hart_idx_t index = 0; index < HART_MAX; index++) {
        if (hart_mask_has(others, index) && !stage_passes(index, STAGE_GO)) {
            PANIC("hart %u came, and then no more", index);
        }
    }
    report();
    return arch_harts();
}
