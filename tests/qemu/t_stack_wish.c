/* SPDX-License-Identifier: MIT */
/* A program that wishes a first stack larger than usual has it, and a page below it that faults. */
#include "support.h"

#define WISHED (UINT64_C(1) << 20)
#define SPARE  UINT64_C(0x4000) /* for what is on the stack already, and the calls below */

USER_STACK_WISH(WISHED);

/* Writes to so many bytes below its frame, from the top down. */
static uint64_t stack_use(uint64_t bytes)
{
    uint64_t top = (uintptr_t)__builtin_frame_address(0) & ~(PAGE - 1);
    uint64_t written = 0;

    for (uint64_t at = top - PAGE; at > top - bytes; at -= PAGE) {
        *word_at(at) = at;
        written += *word_at(at) == at ? 1 : 0;
    }
    return written;
}

int main(void)
{
    tap_ok(stack_use(WISHED - SPARE) > (WISHED - 2 * SPARE) / PAGE, "all of the stack is there");
    check_touch(ACCESS_WRITE, user_info()->stack_top - WISHED - 8, "below the stack");
    check_touch(ACCESS_WRITE, user_info()->stack_top - WISHED - PAGE, "a page below");
    return tap_done();
}
