/* SPDX-License-Identifier: MIT */
/* The table of operations. */
#pragma once

#include "world/op.h"

enum ops_side {
    OPS_KERNEL,  /* between an entry into the kernel and the return */
    OPS_PROGRAM, /* by a program; the kernel sees its faults only   */
};

struct ops_row {
    const char *name;
    void (*function)(const struct op *op);
    enum ops_side side;
    unsigned weight; /* how often a random history has it */
};

/* Row of a kind, modulo how many there are. */
const struct ops_row *ops_row(unsigned kind);
