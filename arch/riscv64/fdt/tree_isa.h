/* SPDX-License-Identifier: MIT */
/* The instruction set of a hart, from riscv,isa-extensions or riscv,isa. */
#pragma once

#include "fdt/tree.h"

/* *isa = those of enum machine_isa that the cpu node lists.
 * Errors: ERR_INVAL the properties are missing or malformed; ERR_NOTSUP the hart is not RV64, or
 *         lacks what the kernel is compiled for (I, M, A, C); *fault is filled in both. */
status_t tree_isa_read(const struct tree *tree, int node, uint32_t *isa, struct tree_fault *fault);
