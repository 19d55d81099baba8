/* SPDX-License-Identifier: MIT */
/* The program that does nothing, as an ELF file in the benchmark's own data: only init has the
 * archive. */
    .section .rodata
    .balign 16
    .globl nothing_image, nothing_image_end
nothing_image:
    .incbin "bin/nothing"
nothing_image_end:
