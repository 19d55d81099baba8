/* SPDX-License-Identifier: MIT */
/* The per-hart blocks, their emergency stacks, and which harts run. */
#include "hart.h"

#include "csr.h"
#include "lib/assert.h"
#include "lib/types.h"

static struct hart blocks[HART_MAX];
static uint64_t ids[HART_MAX];
static struct hart_mask started; /* written by the boot hart before the others run */
static _Alignas(16) unsigned char emergency[HART_MAX][HART_EMERGENCY_BYTES];

void hart_become(hart_idx_t index, uint64_t hart_id, uint64_t stack_low, uint64_t stack_top)
{
    struct hart *self = &blocks[index];

    *self = (struct hart){
        .index = index,
        .hart_id = hart_id,
        .stack_low = stack_low,
        .stack_top = stack_top,
        .emergency_top = (uint64_t)(uintptr_t)(emergency[index] + HART_EMERGENCY_BYTES),
    };
    ids[index] = hart_id;
    __asm__ volatile("mv tp, %0" ::"r"(self) : "memory");
}

void hart_set_started(hart_idx_t index)
{
    started = hart_mask_with(started, index);
}

struct hart_mask hart_started(void)
{
    return started;
}

const uint64_t *hart_ids(void)
{
    return ids;
}

bool hart_stack_has(uint64_t va, uint64_t bytes_below)
{
    const struct hart *self = hart_self();
    uint64_t emergency_low = self->emergency_top - HART_EMERGENCY_BYTES;

    return (va <= self->stack_top && va >= self->stack_low + bytes_below) ||
           (va <= self->emergency_top && va >= emergency_low + bytes_below);
}

void hart_relax(void)
{
    /* pause (Zihintpause): a hint that is a plain fence elsewhere. */
    __asm__ volatile(".insn i 0x0f, 0, x0, x0, 0x010" ::: "memory");
}

_Noreturn void hart_halt(void)
{
    csr_write(sie, 0);
    for (;;) {
        __asm__ volatile("wfi");
    }
}
