/* SPDX-License-Identifier: MIT */
/* Sums a series in two threads, to show that each has floating-point registers of its own. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "series.h"
#include "user/vellum.h"

struct part {
    unsigned first;
    unsigned end;
    double sum;
};

static void part_sum(void *argument)
{
    struct part *part = argument;

    part->sum = series_sum(part->first, 2, part->end);
}

int main(int argc, char **argv)
{
    unsigned end = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 0) : 1000;
    struct part even = {.first = 0, .end = end};
    struct part odd = {.first = 1, .end = end};
    struct user_thread thread;

    long status = user_thread_start(&thread, part_sum, &odd);
    if (status != 0) {
        printf("no thread: %s\n", strerror((int)-status));
        return 1;
    }
    part_sum(&even);
    status = user_thread_join(&thread);
    if (status != 0) {
        printf("the thread is lost: %s\n", strerror((int)-status));
        return 1;
    }
    double pi = even.sum + odd.sum;
    printf("%u terms: %.8f, off by %.1e\n", end, pi, fabs(pi - M_PI));
    return 0;
}
