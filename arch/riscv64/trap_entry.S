/* SPDX-License-Identifier: MIT */
/*
 * The trap entry and exit, and the few instructions that C cannot say.
 *
 * sscratch holds this hart's block in user mode and 0 in the kernel.  The frame of the running
 * thread is the block's `frame`.
 *
 * Floating-point registers are no part of this: they stay where they are until the thread leaves the
 * hart (fp.h).
 *
 *   system call: saves pc, ra, sp, tp, a0-a7.  The handler is C and keeps s0-s11, and nothing in the
 *                kernel uses gp, so a return to the same thread loads what was saved, or zeroes
 *                where there is no result, and clears t0-t6.  A way out to another thread first
 *                completes the frame.
 *   other traps: save and restore all 31 registers.
 *   from kernel: saves on the stack that sp lies in, else on an empty emergency stack.
 *
 * The hart's quiescence counter is odd from shortly after the entry to shortly before sret, with a
 * full fence behind the odd store: nothing the kernel reads is older than it (arch.h).
 *
 * Interrupts stay off from entry to sret, and the only traps in between are the forgiven ones of
 * user_copy.S, which return by sret themselves and so leave SPP clear; sepc comes from the frame.
 */
#include "asm_offsets.h"
#include "csr.h"

#define X(n) (FRAME_X + 8 * (n))

    .macro save base, regs:vararg
    .irp n, \regs
    sd x\n, X(\n)(\base)
    .endr
    .endm

    .macro load base, regs:vararg
    .irp n, \regs
    ld x\n, X(\n)(\base)
    .endr
    .endm

    .macro clear regs:vararg
    .irp r, \regs
    li \r, 0
    .endr
    .endm

    /* Into the kernel: odd, and a full fence. */
    .macro quiescence_enter scratch
    ld \scratch, HART_QUIESCENCE(tp)
    addi \scratch, \scratch, 1
    sd \scratch, HART_QUIESCENCE(tp)
    fence rw, rw
    .endm

    /* Out of it: even, after everything the kernel did. */
    .macro quiescence_leave scratch
    ld \scratch, HART_QUIESCENCE(tp)
    addi \scratch, \scratch, 1
    fence rw, w
    sd \scratch, HART_QUIESCENCE(tp)
    .endm

    .text

    .globl trap_entry
    .balign 64
trap_entry:
    csrrw tp, sscratch, tp
    beqz tp, trap_kernel
    sd t0, HART_SCRATCH0(tp)
    csrr t0, scause
    addi t0, t0, -SCAUSE_USER_ECALL
    bnez t0, trap_user

    ld t0, HART_FRAME(tp)
    csrrw t1, sscratch, zero    /* the program's tp */
    csrr t2, sepc
    save t0, 1, 2, 10, 11, 12, 13, 14, 15, 16, 17
    sd t1, X(4)(t0)
    sd t2, FRAME_PC(t0)
    ld sp, HART_STACK_TOP(tp)
    quiescence_enter t1
    ld t1, HART_CALLS(tp)
    addi t1, t1, 1
    sd t1, HART_CALLS(tp)
    mv a0, t0
    ld t1, kernel_calls
    ld t2, kernel_call_count
    bgeu a7, t2, trap_call_unknown
    slli t2, a7, 3
trap_call:
    add t1, t1, t2
    ld t1, (t1)
    jalr t1

    ld t1, HART_RESULT_LIMIT(tp)
    ld t0, HART_FRAME(tp)
    bgt a0, t1, trap_call_result
    quiescence_leave t1
    ld t1, FRAME_PC(t0)
    addi t1, t1, 4              /* there is no compressed ecall */
    csrw sscratch, tp
    csrw sepc, t1
    load t0, 1, 2, 4
    clear a1, a2, a3, a4, a5, a6, a7
    clear t0, t1, t2, t3, t4, t5, t6
    sret

/* A number that is no call: the row behind the last one. */
trap_call_unknown:
    slli t2, t2, 3
    j trap_call

/* A call has results in the frame, or the kernel is to be asked; t0 is the frame, t1 the limit. */
trap_call_result:
    bnez t1, 1f
    li t2, CALL_RESULTS
    beq a0, t2, 2f
1:  mv a1, a0
    mv a0, t0
    call kernel_on_verdict
    ld t0, HART_FRAME(tp)
    bne a0, t0, trap_leave_syscall
2:  quiescence_leave t1
    ld t1, FRAME_PC(t0)
    csrw sscratch, tp
    csrw sepc, t1
    load t0, 1, 2, 4, 10, 11, 12, 13, 14, 15, 16, 17
    clear t0, t1, t2, t3, t4, t5, t6
    sret

/* A system call ends in another thread or in none: the rest of the caller's registers. */
trap_leave_syscall:
    save t0, 3, 8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27
    .irp n, 5, 6, 7, 28, 29, 30, 31
    sd zero, X(\n)(t0)
    .endr

/* Resumes the thread whose frame is a0, or waits for one if a0 is NULL.  The frame of the thread
 * that leaves is complete by now: from the store to its `owner` on another hart may resume it. */
trap_resume:
    ld t0, HART_FRAME(tp)
    beq a0, t0, 3f
    csrr t1, sstatus
    li t2, SSTATUS_FS
    and t1, t1, t2
    beqz t1, 1f
    mv s0, a0
    mv a0, t0
    call fp_leave
    mv a0, s0
    ld t0, HART_FRAME(tp)
1:  beqz t0, 2f
    fence rw, w
    sd zero, FRAME_OWNER(t0)
2:  beqz a0, trap_idle
    sd a0, HART_FRAME(tp)
    ld t1, FRAME_FP_HART(a0)
    beqz t1, 4f
    mv s0, a0
    call fp_enter
    mv a0, s0
    j 4f
3:  beqz a0, trap_idle
4:  addi t0, tp, HART_RESERVATION
    sc.d zero, zero, (t0)       /* another thread's LR must not pair with this one's SC */
    quiescence_leave t1
    ld t1, FRAME_PC(a0)
    csrw sscratch, tp
    csrw sepc, t1
    load a0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19
    load a0, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 10
    sret

/* _Noreturn void arch_run(void); */
    .globl arch_run
arch_run:
    li t0, SSTATUS_SPP
    csrc sstatus, t0
trap_idle:
    sd zero, HART_FRAME(tp)
    ld sp, HART_STACK_TOP(tp)
    li s0, 0
    call trap_idle_wait
    j trap_resume

/* Any trap from user mode but a system call; the program's t0 is in scratch. */
trap_user:
    ld t0, HART_FRAME(tp)
    save t0, 1, 2, 3, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19
    save t0, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    ld t1, HART_SCRATCH0(tp)
    csrrw t2, sscratch, zero
    csrr t3, sepc
    sd t1, X(5)(t0)
    sd t2, X(4)(t0)
    sd t3, FRAME_PC(t0)
    ld sp, HART_STACK_TOP(tp)
    quiescence_enter t1
    li s0, 0
    mv a0, t0
    call trap_from_user
    j trap_resume

/* A trap in the kernel: an access that may fault, or a mistake. */
trap_kernel:
    csrr tp, sscratch
    csrw sscratch, zero
    sd t0, HART_SCRATCH0(tp)
    sd t1, HART_SCRATCH1(tp)
    ld t0, HART_STACK_LOW(tp)
    addi t0, t0, FRAME_BYTES
    bltu sp, t0, 1f
    ld t0, HART_STACK_TOP(tp)
    bltu t0, sp, 1f
    mv t1, sp
    j 2f
1:  ld t1, HART_EMERGENCY_TOP(tp)
    bltu t1, sp, 2f
    li t0, HART_EMERGENCY_BYTES - FRAME_BYTES
    sub t0, t1, t0
    bltu sp, t0, 2f
    mv t1, sp                   /* a forgiven access of a report that runs there already */
2:  addi t1, t1, -FRAME_BYTES
    andi t1, t1, -16
    sd sp, X(2)(t1)
    mv sp, t1
    save sp, 1, 3, 4, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19
    save sp, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    ld t0, HART_SCRATCH0(tp)
    ld t1, HART_SCRATCH1(tp)
    csrr t2, sepc
    sd t0, X(5)(sp)
    sd t1, X(6)(sp)
    sd t2, FRAME_PC(sp)
    mv a0, sp
    call trap_from_kernel
    ld t0, FRAME_PC(sp)
    csrw sepc, t0
    load sp, 1, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19
    load sp, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 2
    sret

/* _Noreturn void hart_switch_stack(uint64_t stack_top, void (*next)(void)); */
    .globl hart_switch_stack
    .balign 4
hart_switch_stack:
    mv sp, a0
    li s0, 0
    li ra, 0
    jr a1
