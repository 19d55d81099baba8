/* SPDX-License-Identifier: MIT */
/* Watching for what the machine's rules do not see. */
#pragma once

#include "machine/oracle.h"

/* From now on a wild access of mm/ ends the history. */
void guard_start(void);

/* The hart takes this step now. */
void guard_step(const struct oracle_step *step);
