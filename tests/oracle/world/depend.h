/* SPDX-License-Identifier: MIT */
/* Which steps of two harts commute. */
#pragma once

#include "machine/oracle.h"

/* False: taken in either order, the two steps of different harts lead to the same. */
bool depend_steps(const struct oracle_step *a, const struct oracle_step *b);
