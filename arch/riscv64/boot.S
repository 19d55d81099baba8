/* SPDX-License-Identifier: MIT */
/*
 * Entry from firmware: the Linux RISC-V image header, and the way from physical addresses to the
 * high half, for the boot hart (_start) and for the harts that it starts (hart_entry).
 *
 * The boot hart is any hart, at any 2 MiB-aligned address, with a0 = hart id, a1 = physical address
 * of the device tree, paging off; nothing else is promised.  The others come with a1 = address of
 * their block in the high half.  There is no identity map: stvec holds the high address of where to
 * go on when satp is written, so the first fetch under the new table faults there.  A mode that the
 * hart does not have leaves satp as it was, and execution goes on to the next candidate.
 */
#include "asm_offsets.h"
#include "arch/layout.h"
#include "csr.h"

#define IMAGE_ALIGN_BITS 21

    .section .text.boot, "ax"
    .option norelax

    .globl _start
_start:
    .option push
    .option norvc
    j boot_entry
    nop
    .option pop
    .dword 0x200000             /* text_offset: distance from the start of RAM */
    .dword image_bytes          /* bss included                                */
    .dword 0                    /* flags: little endian                        */
    .word 2                     /* header version 0.2                          */
    .word 0
    .dword 0
    .ascii "RISCV\0\0\0"
    .ascii "RSC\x05"
    .word 0

    /* Registers as the kernel wants them: written, not inherited.  FS off, SUM, MXR and SIE 0. */
    .macro own_registers stop
    csrw sie, zero
    la t0, \stop
    csrw stvec, t0
    csrw sscratch, zero
    csrw satp, zero
    li t0, SSTATUS_UXL_64
    csrw sstatus, t0
    mv s0, a0
    mv s1, a1
    .endm

boot_entry:
    own_registers boot_stop
    la t0, image_bss_start
    la t1, image_end
1:  sd zero, (t0)
    addi t0, t0, 8
    bltu t0, t1, 1b

    la s2, _start
    slli t0, s2, 64 - IMAGE_ALIGN_BITS
    bnez t0, boot_stop

    la sp, boot_stack_top
    mv a0, s2
    mv a1, s1
    call boot_map_build

    la t0, boot_high
    la s3, boot_stop
    j paging_on

    /* hart_entry(hart id, block): a hart that the boot hart started, by the tables it runs in. */
    .balign 4
    .globl hart_entry
hart_entry:
    own_registers hart_stop
    la s2, _start
    la t0, hart_high
    la s3, hart_stop

    /* Goes on at t0's high address, or at s3 if there is no paging mode; s2 is where _start lies. */
paging_on:
    li t1, LAYOUT_KERNEL
    sub t1, t1, s2
    add t0, t0, t1
    csrw stvec, t0
    sfence.vma                  /* the tables are visible before they are walked */

    la t0, boot_root_sv57
    srli t0, t0, 12
    li t1, (SATP_MODE_SV39 + 2) << SATP_MODE_SHIFT
    or t0, t0, t1
    csrw satp, t0
    la t0, boot_root_sv48
    srli t0, t0, 12
    li t1, (SATP_MODE_SV39 + 1) << SATP_MODE_SHIFT
    or t0, t0, t1
    csrw satp, t0
    la t0, boot_root_sv39
    srli t0, t0, 12
    li t1, SATP_MODE_SV39 << SATP_MODE_SHIFT
    or t0, t0, t1
    csrw satp, t0
    jr s3

    /* No mode was taken, a trap came too early, or the image lies where it cannot be mapped: says so
     * by the oldest console call and stops. */
    .balign 4
boot_stop:
    csrw sie, zero
    la t0, boot_stop_text
    li a7, 1
1:  lbu a0, (t0)
    beqz a0, hart_stop
    ecall
    addi t0, t0, 1
    j 1b

    /* A hart that cannot come is waited for in vain, and left out. */
    .balign 4
hart_stop:
    csrw sie, zero
1:  wfi
    j 1b

    .balign 4
hart_high:
    mv tp, s1
    la t0, trap_entry
    csrw stvec, t0
    sfence.vma
    fence.i
    ld sp, HART_EMERGENCY_TOP(tp)
    mv a0, s0
    li s0, 0
    li ra, 0
    call harts_arrive
    unimp

    .balign 4
boot_high:
    la t0, boot_stop
    csrw stvec, t0
    sfence.vma
    la sp, boot_stack_top
    mv a0, s0
    mv a1, s1
    mv a2, s2
    li s0, 0                    /* the end of every backtrace */
    li ra, 0
    call boot_main
    unimp

    .section .rodata
boot_stop_text:
    .asciz "vellum: not at a multiple of 2 MiB, a trap before paging was on, or no paging mode\n"

/* The stack until the hart has its own with a guard page. */
    .section .bss
    .balign 16
    .globl boot_stack_low, boot_stack_top
boot_stack_low:
    .space LAYOUT_STACK_BYTES
boot_stack_top:
