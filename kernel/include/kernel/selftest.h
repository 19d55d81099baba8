/* SPDX-License-Identifier: MIT */
/* The self-test of the machine (arch/selftest.h), one caller at a time. */
#pragma once

#include "arch/selftest.h"

/* Makes the check of that index.
 * Errors:  ERR_NOENT  there is none;  ERR_NOMEM  no memory for its table;
 *          ERR_BUSY   another hart makes one.  *found is undefined in all.
 * Context: no lock; a program or the boot waits for it. */
status_t selftest_find(uint64_t index, struct selftest_found *found);

/* Makes all checks and prints them, between two lines that scripts/selftest2md looks for.  The boot
 * hart, before programs run. */
void selftest_print(void);
