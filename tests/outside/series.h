/* SPDX-License-Identifier: MIT */
/* Partial sums of a series whose sum is pi. */
#pragma once

/* The terms first, first + step, first + 2 * step, ... below end. */
double series_sum(unsigned first, unsigned step, unsigned end);
