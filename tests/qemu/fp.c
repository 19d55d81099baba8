/* SPDX-License-Identifier: MIT */
/* See fp.h. */
#include "fp.h"

#define ALL "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31"
#define SET(base)                                                                                  \
    "    .irp n, " ALL "\n"                                                                        \
    "    fld f\\n, 8*\\n(" base ")\n"                                                              \
    "    .endr\n"                                                                                  \
    "    ld t0, 256(" base ")\n"                                                                   \
    "    fscsr t0\n"
#define GET(base)                                                                                  \
    "    .irp n, " ALL "\n"                                                                        \
    "    fsd f\\n, 8*\\n(" base ")\n"                                                              \
    "    .endr\n"                                                                                  \
    "    frcsr t0\n"                                                                               \
    "    sd t0, 256(" base ")\n"

__asm__(
    ".text\n"
    ".balign 4\n"
    ".globl fp_set\n"
    "fp_set:\n" SET("a0") "    ret\n"
                          ".globl fp_get\n"
                          "fp_get:\n" GET("a0") "    ret\n"
                                                ".globl fp_spin\n"
                                                "fp_spin:\n" SET("a0") "1:  ld t0, 0(a1)\n"
                                                                       "    bltu t0, a2, 1b\n" GET(
                                                                           "a0") "    ret\n");

void fp_fill(struct fp_registers *registers, uint64_t seed)
{
    for (uint64_t n = 0; n < 32; n++) {
        registers->f[n] = UINT64_C(0x9e3779b97f4a7c15) * (seed * 32 + n + 1);
    }
    registers->fcsr = (seed % 5) << 5 | (seed & 0x1f);
}

unsigned fp_wrong_for(const struct fp_registers *registers, uint64_t seed)
{
    struct fp_registers want;
    unsigned wrong = 0;

    fp_fill(&want, seed);
    for (unsigned n = 0; n < 32; n++) {
        wrong += registers->f[n] != want.f[n] ? 1 : 0;
    }
    return wrong + (registers->fcsr != want.fcsr ? 1 : 0);
}

unsigned fp_not_zero(const struct fp_registers *registers)
{
    unsigned wrong = registers->fcsr != 0 ? 1 : 0;

    for (unsigned n = 0; n < 32; n++) {
        wrong += registers->f[n] != 0 ? 1 : 0;
    }
    return wrong;
}
