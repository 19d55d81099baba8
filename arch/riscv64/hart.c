/* SPDX-License-Identifier: MIT */
/* The per-hart blocks, their emergency stacks, and which harts run. */
#include "hart.h"

#include "arch/arch.h"
#include "arch/layout.h"
#include "arch/machine.h"
#include "csr.h"
#include "lib/assert.h"
#include "lib/counter.h"
#include "lib/trace.h"
#include "lib/types.h"
#include "sbi.h"
#include "selftest/selftest.h"
#include "stop.h"

static struct hart blocks[HART_MAX];
static uint64_t ids[HART_MAX];    /* of started harts; (c) once the hart's bit is set */
static _Atomic(uint64_t) started; /* written by the boot hart alone */
static _Alignas(16) unsigned char emergency[HART_MAX][HART_EMERGENCY_BYTES];

struct hart *hart_prepare(hart_idx_t index, uint64_t hart_id)
{
    struct hart *block = &blocks[index];
    uint64_t low = (uint64_t)(uintptr_t)emergency[index];
    uint64_t top = low + HART_EMERGENCY_BYTES;

    *block = (struct hart){
        .index = index,
        .hart_id = hart_id,
        .stack_low = low,
        .stack_top = top,
        .emergency_top = top,
    };
    return block;
}

void hart_become(struct hart *block)
{
    __asm__ volatile("mv tp, %0" ::"r"(block) : "memory");
}

void hart_set_stack(uint64_t low, uint64_t top)
{
    struct hart *self = hart_self();

    self->stack_low = low;
    self->stack_top = top;
}

void hart_counters_allow(void)
{
    bool all = machine_cmdline_has(machine_get(), "user-counters");

    csr_write(scounteren, all ? SCOUNTEREN_ALL : SCOUNTEREN_TIME);
}

/* trap_entry.S */
_Noreturn void hart_switch_stack(uint64_t stack_top, void (*next)(void));

void hart_take_stack(void (*next)(void))
{
    uint64_t top = LAYOUT_STACKS + (hart_index() + 1) * (uint64_t)LAYOUT_STACK_STRIDE;

    hart_set_stack(top - LAYOUT_STACK_BYTES, top);
    hart_switch_stack(top, next);
}

void hart_take_ipi(void)
{
    csr_clear(sip, SIE_SOFT);
    /* A CSR counts as a device; pairs with the fence in arch_ipi_send. */
    __asm__ volatile("fence iorw, iorw" ::: "memory");
    stop_if_told();
    selftest_help_if_asked();
}

void hart_set_started(const struct hart *block)
{
    struct hart_mask before = {atomic_load_explicit(&started, memory_order_relaxed)};

    ids[block->index] = block->hart_id;
    /* Release: whoever sees the bit sees the id; pairs with the acquire in hart_started. */
    atomic_store_explicit(&started, hart_mask_with(before, block->index).bits,
                          memory_order_release);
}

struct hart_mask hart_started(void)
{
    return (struct hart_mask){atomic_load_explicit(&started, memory_order_acquire)};
}

const uint64_t *hart_ids(void)
{
    return ids;
}

struct hart_mask arch_harts(void)
{
    return hart_started();
}

void arch_returns_set(enum arch_returns how)
{
    hart_self()->result_limit = how == ARCH_RETURNS_FREE ? 0 : INT64_MIN;
}

uint64_t arch_calls_count(void)
{
    uint64_t calls = 0;

    for (hart_idx_t hart = 0; hart < HART_MAX; hart++) {
        /* Relaxed: a statistic orders nothing. */
        calls += shared_load(&blocks[hart].calls, memory_order_relaxed);
    }
    return calls;
}

uint64_t arch_quiescence_count(hart_idx_t hart)
{
    /* Pairs with the releases of hart_quiescence_leave and trap_entry.S. */
    return shared_load(&blocks[hart].quiescence, memory_order_acquire);
}

bool hart_stack_has(uint64_t va, uint64_t bytes_below)
{
    const struct hart *self = hart_self();
    uint64_t emergency_low = self->emergency_top - HART_EMERGENCY_BYTES;

    return (va <= self->stack_top && va >= self->stack_low + bytes_below) ||
           (va <= self->emergency_top && va >= emergency_low + bytes_below);
}

void arch_ipi_send(struct hart_mask harts)
{
    struct hart_mask running = {harts.bits & hart_started().bits};
    struct hart_mask others = hart_mask_without(running, hart_index());

    counter_add(COUNTER_ipis_sent, hart_mask_count(running));
    trace_note(TRACE_IPI, running.bits, 0);
    if (hart_mask_has(running, hart_index())) {
        csr_set(sip, SIE_SOFT);
    }
    if (!hart_mask_is_empty(others)) {
        /* What this hart stored is visible to those that it wakes; pairs with the fence in
         * hart_take_ipi. */
        __asm__ volatile("fence rw, rw" ::: "memory");
        status_t status = sbi_send_ipi(others);

        if (status != OK) {
            PANIC("the firmware refuses a software interrupt: %s", status_name(status));
        }
    }
}

uint64_t hart_time(void)
{
    return arch_time_now();
}

void hart_relax(void)
{
    stop_if_told();
    /* pause (Zihintpause): a hint that is a plain fence elsewhere. */
    __asm__ volatile(".insn i 0x0f, 0, x0, x0, 0x010" ::: "memory");
}

_Noreturn void hart_halt(void)
{
    csr_write(sie, 0);
    for (;;) {
        hart_wait();
    }
}
