/* SPDX-License-Identifier: MIT */
/* Registers of threads that do not run.  The layout is trap_entry.S's, by asm_offsets.c. */
#include "arch/user_frame.h"

#include "lib/log.h"
#include "lib/string.h"

#define REG_SP 2
#define REG_A0 10

_Static_assert(offsetof(struct user_frame, fp) % 16 == 0, "frames are put on the stack");

void user_frame_init(struct user_frame *frame, vaddr_t pc, vaddr_t sp, uint64_t arg0, uint64_t arg1)
{
    memset(frame->x, 0, sizeof(frame->x));
    frame->pc = pc.raw;
    atomic_init(&frame->owner, 0);
    frame->fp.hart = 0; /* the rest of fp means nothing then */
    frame->x[REG_SP] = sp.raw;
    frame->x[REG_A0] = arg0;
    frame->x[REG_A0 + 1] = arg1;
}

void user_frame_print(const struct user_frame *frame)
{
    static const char *const names[32] = {
        "pc", "ra", "sp", "gp", "tp",  "t0",  "t1", "t2", "s0", "s1", "a0",
        "a1", "a2", "a3", "a4", "a5",  "a6",  "a7", "s2", "s3", "s4", "s5",
        "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
    };

    for (unsigned i = 0; i < 32; i++) {
        uint64_t value = i == 0 ? frame->pc : frame->x[i];

        log_printf("  %3s 0x%016lx%s", names[i], value, i % 3 == 2 || i == 31 ? "\n" : "");
    }
}
