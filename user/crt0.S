/* SPDX-License-Identifier: MIT */
/*
 * The first instructions of a program: a0 is the address of its struct start_info, which lies just
 * above the stack pointer.  Sets the registers that C relies on and never changes again: gp for
 * small data, tp for the first thread's thread-local data.
 */
    .section .text.start, "ax", @progbits
    .globl _start
    .type _start, @function
_start:
    .option push
    .option norelax
    la      gp, __global_pointer$
    .option pop
    mv      s0, a0
    la      a0, __tls_first
    call    user_tls_fill
    mv      tp, a0
    mv      a0, s0
    li      s0, 0
    li      ra, 0
    call    user_start
    unimp
    .size _start, . - _start
