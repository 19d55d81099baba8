/* SPDX-License-Identifier: MIT */
/* Leibniz's series: 4 - 4/3 + 4/5 - 4/7 + ... */
#include "series.h"

#include <math.h>

double series_sum(unsigned first, unsigned step, unsigned end)
{
    double sum = 0.0;

    for (unsigned i = first; i < end; i += step) {
        sum += pow(-1.0, i) * 4.0 / (2.0 * i + 1.0);
    }
    return sum;
}
