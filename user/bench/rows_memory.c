/* SPDX-License-Identifier: MIT */
/*
 * Rows: mapping, unmapping, protecting, touching.  Rows on single pages work beside a page that
 * stays, and so does its table.
 */
#include "bench.h"

#define PAGES_16M UINT64_C(4096)
#define PAGES_64M UINT64_C(16384)
#define RANGE     UINT64_C(64) /* pages around the one that is protected */

static long map(uint64_t first, uint64_t pages)
{
    return sys_vm_map(user_self(), PLACE + first * PAGE, pages * PAGE, RW, 0, NULL);
}

static long unmap(uint64_t first, uint64_t pages)
{
    return sys_vm_unmap(user_self(), PLACE + first * PAGE, pages * PAGE, NULL);
}

static long protect(uint64_t first, uint64_t pages, uint64_t prot)
{
    return sys_vm_protect(user_self(), PLACE + first * PAGE, pages * PAGE, prot, NULL);
}

static void touch(uint64_t first, uint64_t pages)
{
    for (uint64_t page = first; page < first + pages; page++) {
        *(volatile uint64_t *)(uintptr_t)(PLACE + page * PAGE) = page;
    }
}

static long neighbour_map(void)
{
    return map(0, 1);
}

static void all_unmap(void)
{
    (void)unmap(0, PAGES_64M);
}

static long page_run(uint64_t times)
{
    long status = 0;

    for (uint64_t i = 0; i < times; i++) {
        status |= map(1, 1);
        touch(1, 1);
        status |= unmap(1, 1);
    }
    return status;
}

static long range_map(void)
{
    long status = map(0, RANGE);

    if (status == 0) {
        touch(0, RANGE);
    }
    return status;
}

static long protect_page_run(uint64_t times)
{
    long status = 0;

    for (uint64_t i = 0; i < times; i += 2) {
        status |= protect(RANGE / 2, 1, VM_PROT_R);
        status |= protect(RANGE / 2, 1, RW);
    }
    return status;
}

static long populate_run(uint64_t times)
{
    return map(0, times);
}

static long touched_map(void)
{
    long status = map(0, PAGES_64M);

    if (status == 0) {
        touch(0, PAGES_64M);
    }
    return status;
}

static long unmap_run(uint64_t times)
{
    long status = unmap(0, times);

    /* Freeing them belongs to it, whenever it is done. */
    return status != 0 ? status : sys_quiesce(user_machine());
}

static long tighten_run(uint64_t times)
{
    return protect(0, times, VM_PROT_R);
}

static long tight_map(void)
{
    long status = touched_map();

    return status != 0 ? status : protect(0, PAGES_64M, VM_PROT_R);
}

static long loosen_run(uint64_t times)
{
    return protect(0, times, RW);
}

const struct row rows_memory[] = {
    {"map_write_unmap", 2000, 0, neighbour_map, page_run, all_unmap},
    {"populate", PAGES_16M, 1, NULL, populate_run, all_unmap},
    {"unmap_64m", PAGES_64M, 1, touched_map, unmap_run, all_unmap},
    {"protect_page", 5000, 0, range_map, protect_page_run, all_unmap},
    {"protect_64m_tighten", PAGES_64M, 1, touched_map, tighten_run, all_unmap},
    {"protect_64m_loosen", PAGES_64M, 1, tight_map, loosen_run, all_unmap},
    {.name = NULL},
};
