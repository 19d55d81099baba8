/* SPDX-License-Identifier: MIT */
/*
 * The block each hart has for itself.
 *
 * In the kernel tp points to it and sscratch is 0; in user mode sscratch points to it and tp is the
 * program's.  The trap entry relies on that to tell where a trap came from.  Offsets reach assembly
 * through asm_offsets.c.  Only the hart itself writes its block once it runs.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arch/user_frame.h"
#include "lib/hart.h"
#include "lib/hart_mask.h"

#define HART_EMERGENCY_BYTES 4096

/* (c) fixed when the hart starts; everything else is the hart's own. */
struct hart {
    struct user_frame *frame;       /* of the thread that runs here, NULL when idle        */
    uint64_t stack_low, stack_top;  /* the kernel stack, [low, top)                        */
    uint64_t emergency_top;         /* (c) end of the stack for traps off the kernel stack */
    uint64_t scratch[2];            /* trap entry, before it has a stack                   */
    uint64_t reservation;           /* target of the store that ends an LR reservation     */
    uint64_t hart_id;               /* (c) the firmware's number                           */
    hart_idx_t index;               /* (c) ours                                            */
    bool panicking;                 /* a panic report has begun                            */
    struct user_frame *panic_frame; /* registers of the kernel trap it is about, or NULL   */
};

/* The block of the hart that asks. */
static inline struct hart *hart_self(void)
{
    struct hart *self;

    __asm__ volatile("mv %0, tp" : "=r"(self));
    return self;
}

/* Takes the block of logical index `index` for this hart and makes it current.  The stack is the
 * one in use. */
void hart_become(hart_idx_t index, uint64_t hart_id, uint64_t stack_low, uint64_t stack_top);

/* Marks a hart as one that firmware calls may name. */
void hart_set_started(hart_idx_t index);

/* Harts that run the kernel: the only ones ever named to the firmware. */
struct hart_mask hart_started(void);

/* Firmware's numbers by logical index, for hart masks. */
const uint64_t *hart_ids(void);

/* True if [va - bytes_below, va) lies in a stack of this hart. */
bool hart_stack_has(uint64_t va, uint64_t bytes_below);

/* Stops this hart for good: interrupts off, wfi for ever. */
_Noreturn void hart_halt(void);
