/* SPDX-License-Identifier: MIT */
/*
 * The first instructions of a thread: a0 is the address of a struct user_launch, which lies at or
 * above the stack pointer.  The offsets are asserted in launch.c.
 */
    .text
    .globl user_launch_entry
    .type user_launch_entry, @function
user_launch_entry:
    .option push
    .option norelax
    la      gp, __global_pointer$
    .option pop
    ld      tp, 0(a0)
    ld      t0, 8(a0)
    li      s0, 0
    jalr    t0
    unimp
    .size user_launch_entry, . - user_launch_entry
