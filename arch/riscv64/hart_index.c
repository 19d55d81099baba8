/* SPDX-License-Identifier: MIT */
/*
 * Which hart asks: the question that nearly every function of the kernel asks, so it stands in a
 * file of its own that is optimised together with those who ask (cmake/kernel_flags.cmake).
 *
 * tp points to the hart's block wherever C runs.  The compiler may keep the answer over a function:
 * a blocked thread has no kernel stack, so no function begins on one hart and ends on another.
 */
#include "hart.h"

hart_idx_t hart_index(void)
{
    hart_idx_t index;

    __asm__("lwu %0, %1(tp)" : "=r"(index) : "i"(__builtin_offsetof(struct hart, index)));
    return index;
}
