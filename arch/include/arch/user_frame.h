/* SPDX-License-Identifier: MIT */
/*
 * The registers of a user thread that is not running: an opaque block with a known size, and the
 * few things the kernel does with it.
 *
 * System call convention: number in a7, arguments in a0-a6, status in a0, results in a1-a6. s0-s11,
 * sp, gp, tp and ra are preserved; t0-t6 and a-registers without a result come back zero.  A call
 * that restarts finds its pc still at the ecall and whatever arguments the kernel left it.
 */
#pragma once

#include <stdatomic.h>

#include "arch/vm_types.h"
#include "lib/hart.h"
#include "lib/types.h"

#define USER_FRAME_ARGS 7U

/* Floating-point registers of a thread, for arch alone.  f and fcsr are valid once `hart` is not 0
 * and the thread has been saved since; 0: it has used none. */
struct user_fp {
    uint64_t hart; /* 1 + logical index of the hart that loaded them last */
    uint64_t fcsr;
    uint64_t f[32];
};

/* x1..x31 in order, then pc.  One layout for the trap entry and everyone else. */
struct user_frame {
    uint64_t x[32]; /* x[0] is unused and stays 0 */
    uint64_t pc;
    _Atomic(uint64_t) owner; /* see user_frame_owner */
    struct user_fp fp;
};

/* Whose trap exit may still read or write these registers: 1 + the hart's logical index, or 0: they
 * are complete, and any hart may resume them.  The kernel names the owner before it resumes a frame
 * that has none; the trap exit of that hart stores 0, a release, when it has saved the registers of
 * a thread that it leaves for another or for none.  This read is an acquire. */
static inline uint64_t user_frame_owner(const struct user_frame *frame)
{
    return atomic_load_explicit(&frame->owner, memory_order_acquire);
}

/* Names the hart that will resume a frame without owner. */
static inline void user_frame_own(struct user_frame *frame, hart_idx_t hart)
{
    /* Relaxed: that hart alone looks for itself here, and others leave what is not 0. */
    atomic_store_explicit(&frame->owner, (uint64_t)hart + 1, memory_order_relaxed);
}

/* A fresh thread: everything zero but pc, sp and the first two arguments. */
void user_frame_init(struct user_frame *frame, vaddr_t pc, vaddr_t sp, uint64_t arg0,
                     uint64_t arg1);

static inline vaddr_t user_frame_pc(const struct user_frame *frame)
{
    return (vaddr_t){frame->pc};
}

static inline uint64_t user_frame_syscall(const struct user_frame *frame)
{
    return frame->x[17];
}

/* i < USER_FRAME_ARGS: a0 .. a6. */
static inline uint64_t user_frame_arg(const struct user_frame *frame, unsigned i)
{
    return frame->x[10 + i];
}

static inline void user_frame_set_arg(struct user_frame *frame, unsigned i, uint64_t value)
{
    frame->x[10 + i] = value;
}

/* Ends a system call: clears a0-a7, steps past the ecall.  Then results are set, as args 0 and up.
 * (Inline: it is a good part of a call that does nothing.) */
static inline void user_frame_finish_call(struct user_frame *frame)
{
    frame->pc += 4; /* there is no compressed ecall */
    for (unsigned i = 10; i <= 17; i++) {
        frame->x[i] = 0;
    }
}

/* Prints all registers, for reports. */
void user_frame_print(const struct user_frame *frame);
