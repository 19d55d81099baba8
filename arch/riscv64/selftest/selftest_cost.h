/* SPDX-License-Identifier: MIT */
/* Measuring in cycles. */
#pragma once

#include <stdint.h>

/* Cycles of this hart since some moment; 0 for ever where S-mode may not read them. */
uint64_t selftest_cycles(void);
