/* SPDX-License-Identifier: MIT */
/*
 * The block each hart has for itself.
 *
 * In the kernel tp points to it and sscratch is 0; in user mode sscratch points to it and tp is the
 * program's.  The trap entry relies on that to tell where a trap came from.  Offsets reach assembly
 * through asm_offsets.c.  Only the hart itself writes its block once it runs; of others' blocks the
 * quiescence counter alone is read.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arch/shared.h"
#include "arch/user_frame.h"
#include "lib/hart.h"
#include "lib/hart_mask.h"

#define HART_EMERGENCY_BYTES 4096

/* (c) fixed when the hart starts; everything else is the hart's own. */
struct hart {
    _Alignas(64)                    /* no two harts' counters in one cache line            */
        struct user_frame *frame;   /* of the thread that runs here, NULL when idle        */
    uint64_t stack_low, stack_top;  /* the kernel stack, [low, top)                        */
    uint64_t emergency_top;         /* (c) end of the stack for traps off the kernel stack */
    int64_t result_limit;           /* calls with more than that ask the kernel; see trap_entry.S */
    struct shared calls;            /* (a) system calls that came in; trap_entry.S counts     */
    uint64_t scratch[2];            /* trap entry, before it has a stack                   */
    struct user_frame *fp_frame;    /* whose floating-point registers were loaded last; see fp.c */
    uint64_t reservation;           /* target of the store that ends an LR reservation     */
    struct shared quiescence;       /* (a) see arch_quiescence_count                       */
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

/* Fills in the block of logical index `index` for a hart that does not run yet; its stack is the
 * emergency stack until hart_set_stack. */
struct hart *hart_prepare(hart_idx_t index, uint64_t hart_id);

/* Makes a prepared block the one of this hart. */
void hart_become(struct hart *block);

/* The stack this hart uses from now on, [low, top), for traps and reports. */
void hart_set_stack(uint64_t low, uint64_t top);

/* Goes on in `next` on the empty kernel stack of this hart, in the final table. */
_Noreturn void hart_take_stack(void (*next)(void));

/* Lets programs on this hart read the time, and with the word `user-counters` on the command line
 * the hart's cycles and instructions too.  The machine's tree has been read. */
void hart_counters_allow(void);

/* Waits for an interrupt that is enabled in sie.  It is not taken, because SIE is clear, and stays
 * pending: one that has come before ends the wait at once. */
static inline void hart_wait(void)
{
    __asm__ volatile("wfi" ::: "memory");
}

/* Ends a pending software interrupt, if there is one; what its sender stored before is seen by
 * later loads.  If it was sent to stop this hart (stop.h), it stops; if it was sent because the
 * self-test wants help (selftest/selftest.h), the hart helps first.  No lock is held. */
void hart_take_ipi(void);

/* The quiescence counter of this hart becomes odd, with a full fence behind it, or even, with
 * everything before it.  trap_entry.S has the same in assembly. */
static inline void hart_quiescence_enter(void)
{
    struct shared *count = &hart_self()->quiescence;

    /* Relaxed: the fence orders it before whatever follows; this hart alone writes it. */
    shared_store(count, shared_load(count, memory_order_relaxed) + 1, memory_order_relaxed);
    shared_fence(memory_order_seq_cst);
}

static inline void hart_quiescence_leave(void)
{
    struct shared *count = &hart_self()->quiescence;

    /* Pairs with the acquire in arch_quiescence_count. */
    shared_store(count, shared_load(count, memory_order_relaxed) + 1, memory_order_release);
}

/* From now on the firmware may be asked to signal the hart of that block.  Boot hart only. */
void hart_set_started(const struct hart *block);

/* Harts that run the kernel: the only ones ever named to the firmware. */
struct hart_mask hart_started(void);

/* Firmware's numbers by logical index, for hart masks; right for started harts. */
const uint64_t *hart_ids(void);

/* True if [va - bytes_below, va) lies in a stack of this hart. */
bool hart_stack_has(uint64_t va, uint64_t bytes_below);

/* Stops this hart for good: interrupts off, wfi for ever. */
_Noreturn void hart_halt(void);
