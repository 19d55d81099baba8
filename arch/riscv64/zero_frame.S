/* SPDX-License-Identifier: MIT */
/*
 * A page of equal words, by stores of eight bytes; or of zeroes, by cbo.zero (Zicboz), a cache
 * block each.
 */
    .text

/* void fill_frame_stores(void *frame, uint64_t word); */
    .globl fill_frame_stores
    .balign 4
fill_frame_stores:
    li t0, 4096
    add t0, a0, t0
1:
    .set offset, 0
    .rept 32
    sd a1, offset(a0)
    .set offset, offset + 8
    .endr
    addi a0, a0, 256
    bltu a0, t0, 1b
    ret

/* void zero_frame_blocks(void *frame, uint64_t block_bytes); */
    .globl zero_frame_blocks
    .balign 4
zero_frame_blocks:
    li t0, 4096
    add t0, a0, t0
1:  .insn i 0x0f, 2, x0, a0, 4  /* cbo.zero (a0) */
    add a0, a0, a1
    bltu a0, t0, 1b
    ret
