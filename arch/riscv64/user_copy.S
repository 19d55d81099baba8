/* SPDX-License-Identifier: MIT */
/*
 * The kernel's accesses to user memory, and other accesses that may fault.
 *
 * Each access lies in a range named in the table __ex_table; a fault of the kernel inside such a
 * range goes on at the range's fixup, with SUM cleared by the trap handler (trap.c, extable).
 * EX_USER ranges forgive only faults at addresses of the user half: a bad kernel pointer is a
 * mistake of ours and must show.
 *
 * The copies move words when both sides agree modulo 8.  The bytes of such a word lie in one page:
 * when it faults, none of them can be had, and the count returned is exact.  Never go through them
 * again one by one: another hart may have mapped the page meanwhile and be storing there, and the
 * copy would have a word that memory never held.
 */
#include "csr.h"

#define EX_USER 1
#define EX_ANY  0

    .macro ex_range start, end, fixup, kind
    .pushsection __ex_table, "a"
    .balign 8
    .dword \start, \end, \fixup, \kind
    .popsection
    .endm

    .macro function name
    .globl \name
    .balign 4
\name:
    .endm

    .text

/*
 * The body of both copies: a0 to, a1 from, a2 length; returns the bytes copied.
 * t0 start of `to`, t1 end of `to`, t2 SUM, t3-t6 scratch.
 */
    .macro copy_body
    mv t0, a0
    add t1, a0, a2
    li t2, SSTATUS_SUM
    csrs sstatus, t2
    xor t3, a0, a1
    andi t3, t3, 7
    bnez t3, 4f                 /* never aligned together: bytes */
1:  andi t3, a0, 7              /* bytes up to a word */
    beqz t3, 2f
    beq a0, t1, 6f
10: lbu t4, (a1)
    sb t4, (a0)
11: addi a0, a0, 1
    addi a1, a1, 1
    j 1b
2:  andi t5, t1, -8             /* end of whole words */
3:  bgeu a0, t5, 4f
12: ld t4, (a1)
    sd t4, (a0)
13: addi a0, a0, 8
    addi a1, a1, 8
    j 3b
4:  beq a0, t1, 6f
5:
14: lbu t4, (a1)
    sb t4, (a0)
15: addi a0, a0, 1
    addi a1, a1, 1
    bne a0, t1, 5b
6:  csrc sstatus, t2
7:  sub a0, a0, t0
    ret
    ex_range 10b, 11b, 7b, EX_USER
    ex_range 12b, 13b, 7b, EX_USER
    ex_range 14b, 15b, 7b, EX_USER
    .endm

/* size_t arch_copy_from_user(void *to, vaddr_t from, size_t len_bytes);
 * size_t arch_try_copy_from_user(void *to, vaddr_t from, size_t len_bytes);
 * A fault waits for nothing, so one serves both; who calls it does the rest. */
function arch_copy_from_user
function arch_try_copy_from_user
    copy_body

/* size_t arch_copy_to_user(vaddr_t to, const void *from, size_t len_bytes); */
function arch_copy_to_user
    copy_body

/* size_t arch_zero_user(vaddr_t to, size_t len_bytes); */
function arch_zero_user
    mv t0, a0
    add t1, a0, a1
    li t2, SSTATUS_SUM
    csrs sstatus, t2
1:  andi t3, a0, 7
    beqz t3, 2f
    beq a0, t1, 5f
10: sb zero, (a0)
11: addi a0, a0, 1
    j 1b
2:  andi t5, t1, -8
3:  bgeu a0, t5, 4f
12: sd zero, (a0)
13: addi a0, a0, 8
    j 3b
4:  beq a0, t1, 5f
14: sb zero, (a0)
15: addi a0, a0, 1
    j 4b
5:  csrc sstatus, t2
6:  sub a0, a0, t0
    ret
    ex_range 10b, 11b, 6b, EX_USER
    ex_range 12b, 13b, 6b, EX_USER
    ex_range 14b, 15b, 6b, EX_USER

/* bool arch_load_user_u32(vaddr_t from, uint32_t *value); */
function arch_load_user_u32
    li t2, SSTATUS_SUM
    csrs sstatus, t2
1:  lw t0, (a0)
2:  csrc sstatus, t2
    sw t0, (a1)
    li a0, 1
    ret
3:  li a0, 0
    ret
    ex_range 1b, 2b, 3b, EX_USER

/* bool arch_compare_exchange_user_u32(vaddr_t at, uint32_t *seen, uint32_t value); */
function arch_compare_exchange_user_u32
    lw t0, (a1)
    li t2, SSTATUS_SUM
    csrs sstatus, t2
1:  lr.w.aq t1, (a0)
    bne t1, t0, 2f
    sc.w.rl t3, a2, (a0)
    bnez t3, 1b
2:  csrc sstatus, t2
    sw t1, (a1)
    li a0, 1
    ret
3:  li a0, 0
    ret
    ex_range 1b, 2b, 3b, EX_USER

/* The probes of extable.h: any address, any fault. */

/* bool probe_load_u64(uint64_t va, uint64_t *value); */
function probe_load_u64
1:  ld t0, (a0)
2:  sd t0, (a1)
    li a0, 1
    ret
    ex_range 1b, 2b, probe_failed, EX_ANY

/* bool probe_store_u64(uint64_t va, uint64_t value); */
function probe_store_u64
1:  sd a1, (a0)
2:  li a0, 1
    ret
    ex_range 1b, 2b, probe_failed, EX_ANY

/* bool probe_add_u64(uint64_t va, uint64_t value); */
function probe_add_u64
1:  amoadd.d zero, a1, (a0)
2:  li a0, 1
    ret
    ex_range 1b, 2b, probe_failed, EX_ANY

/* bool probe_cycle(uint64_t *value); */
function probe_cycle
1:  csrr t0, cycle
2:  sd t0, (a0)
    li a0, 1
    ret
    ex_range 1b, 2b, probe_failed, EX_ANY

/* bool probe_stimecmp(uint64_t deadline); */
function probe_stimecmp
1:  csrw CSR_STIMECMP, a0
2:  li a0, 1
    ret
    ex_range 1b, 2b, probe_failed, EX_ANY

/* bool probe_zero_block(void *block); */
function probe_zero_block
1:  .insn i 0x0f, 2, x0, a0, 4  /* cbo.zero (a0) */
2:  li a0, 1
    ret
    ex_range 1b, 2b, probe_failed, EX_ANY

probe_failed:
    li a0, 0
    ret
