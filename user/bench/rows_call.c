/* SPDX-License-Identifier: MIT */
/* Rows: the way in and out, and calls that only look. */
#include "bench.h"

#define HOLE (UINT64_C(1) << 30)

static long null_run(uint64_t times)
{
    for (uint64_t i = 0; i < times; i++) {
        (void)sys_null();
    }
    return 0;
}

static long look_before(void)
{
    return sys_vm_map(user_self(), PLACE, PAGE, RW, 0, NULL);
}

static void look_after(void)
{
    (void)sys_vm_unmap(user_self(), PLACE, PAGE, NULL);
}

static long query_run(uint64_t times)
{
    long status = 0;

    for (uint64_t i = 0; i < times; i++) {
        status |= sys_vm_query(user_self(), PLACE, NULL, NULL, NULL, NULL, NULL, NULL);
    }
    return status;
}

/* The page lies behind a hole of 1 GiB. */
static long find_run(uint64_t times)
{
    long status = 0;

    for (uint64_t i = 0; i < times; i++) {
        status |= sys_vm_find_next(user_self(), PLACE - HOLE, HOLE + PAGE, NULL);
    }
    return status;
}

const struct row rows_call[] = {
    {"null", 20000, 0, NULL, null_run, NULL},
    {"query", 5000, 0, look_before, query_run, look_after},
    {"find_next", 5000, 0, look_before, find_run, look_after},
    {.name = NULL},
};
