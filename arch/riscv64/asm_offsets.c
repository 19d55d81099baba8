/* SPDX-License-Identifier: MIT */
/*
 * Constants of C structures for the assembler.  Never linked: the build turns the assembly text
 * of this file into asm_offsets.h.
 */
#include <stddef.h>

#include "arch/upcall.h"
#include "arch/user_frame.h"
#include "hart.h"

#define DEFINE(name, value) __asm__ volatile("#->" #name " %0" ::"i"((long)(value)))

void asm_offsets(void);

void asm_offsets(void)
{
    DEFINE(FRAME_X, offsetof(struct user_frame, x));
    DEFINE(FRAME_PC, offsetof(struct user_frame, pc));
    DEFINE(FRAME_OWNER, offsetof(struct user_frame, owner));
    DEFINE(FRAME_FP_HART, offsetof(struct user_frame, fp.hart));
    DEFINE(FRAME_BYTES, offsetof(struct user_frame, fp)); /* on the kernel stack */
    DEFINE(FP_F, offsetof(struct user_fp, f));
    DEFINE(FP_FCSR, offsetof(struct user_fp, fcsr));
    DEFINE(HART_FRAME, offsetof(struct hart, frame));
    DEFINE(HART_STACK_LOW, offsetof(struct hart, stack_low));
    DEFINE(HART_STACK_TOP, offsetof(struct hart, stack_top));
    DEFINE(HART_EMERGENCY_TOP, offsetof(struct hart, emergency_top));
    DEFINE(HART_EMERGENCY_BYTES, HART_EMERGENCY_BYTES);
    DEFINE(HART_RESULT_LIMIT, offsetof(struct hart, result_limit));
    DEFINE(HART_CALLS, offsetof(struct hart, calls));
    DEFINE(CALL_RESULTS, KERNEL_CALL_RESULTS);
    DEFINE(HART_SCRATCH0, offsetof(struct hart, scratch[0]));
    DEFINE(HART_SCRATCH1, offsetof(struct hart, scratch[1]));
    DEFINE(HART_RESERVATION, offsetof(struct hart, reservation));
    DEFINE(HART_QUIESCENCE, offsetof(struct hart, quiescence));
}
