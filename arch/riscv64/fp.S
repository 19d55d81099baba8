/* SPDX-License-Identifier: MIT */
/*
 * The floating-point registers, all at once.  The only file that names them; it alone is assembled
 * with F and D (arch/CMakeLists.txt).  sstatus.FS is not Off here.
 */
#include "asm_offsets.h"

#define F(n) (FP_F + 8 * (n))

/* Stores or loads each register, at its place in the struct at a0. */
    .macro each_register op
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    \op f\n, F(\n)(a0)
    .endr
    .irp n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    \op f\n, F(\n)(a0)
    .endr
    .endm

    .text

/* void fp_save(struct user_fp *fp); */
    .globl fp_save
    .balign 4
fp_save:
    each_register fsd
    frcsr t0
    sd t0, FP_FCSR(a0)
    ret

/* void fp_load(const struct user_fp *fp); */
    .globl fp_load
    .balign 4
fp_load:
    each_register fld
    ld t0, FP_FCSR(a0)
    fscsr t0
    ret

/* void fp_zero(void); */
    .globl fp_zero
    .balign 4
fp_zero:
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    fmv.d.x f\n, zero
    .endr
    .irp n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    fmv.d.x f\n, zero
    .endr
    fscsr zero
    ret
