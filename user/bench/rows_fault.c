/* SPDX-License-Identifier: MIT */
/*
 * Rows: reserving memory, and the faults that bring it; taking the accessed bit from pages, and
 * using them again, which is a fault where hardware does not set it.  A row on many pages has all
 * of its tables made within, as programs have them; rows on single ones find their table there.
 */
/*
 * Rows: reserving memory, and the faults that bring it; taking the accessed bit from pages, and
 * using them again, which is a fault where hardware does not set it.  A row on many pages has all
 * of its tables made within, as programs have them; rows on single ones find their table there.
 */
#include "bench.h"

#define PAGES_16M UINT64_C(4096)
#define PAGES_2M  UINT64_C(512)
#define PAGES_1G  UINT64_C(262144)
#define GIGABYTES UINT64_C(64)
#define STOCK     UINT64_C(64) /* frames that an idle hart zeroes ahead        */
#define PLACE_1G  ((PLACE + (UINT64_C(2) << 30)) & ~((UINT64_C(1) << 30) - 1))
#define IDLE_NS   UINT64_C(10000000)

static long reserve(uint64_t address, uint64_t pages)
{
    return sys_vm_mark(user_self(), address, pages * PAGE, VM_KIND_RESERVED, RW, 0, NULL);
}

static long unmap(uint64_t address, uint64_t pages)
{
    return sys_vm_unmap(user_self(), address, pages * PAGE, NULL);
}

/* A store to every step-th page. */
static void write_pages(uint64_t address, uint64_t times, uint64_t step)
{
    for (uint64_t i = 0; i < times; i++) {
        *(volatile uint64_t *)(uintptr_t)(address + i * step * PAGE) = i;
    }
}

static uint64_t page_at(uint64_t page)
{
    return PLACE + page * PAGE;
}

static long neighbour_map(void)
{
    return sys_vm_map(user_self(), PLACE, PAGE, RW, 0, NULL);
}

static void all_unmap(void)
{
    (void)unmap(PLACE, PAGES_16M + PAGES_2M);
}

static long reserve_run(uint64_t times)
{
    long status = 0;

    for (uint64_t i = 0; i < times; i++) {
        status |= reserve(page_at(1), 1);
        status |= unmap(page_at(1), 1);
    }
    return status;
}

/* Nothing is left that was zeroed ahead: as many pages as there may be are taken. */
static long fresh_reserve(void)
{
    long status = sys_vm_map(user_self(), page_at(PAGES_16M), STOCK * PAGE, RW, 0, NULL);

    return status != 0 ? status : reserve(PLACE, PAGES_16M);
}

static long write_run(uint64_t times)
{
    write_pages(PLACE, times, 1);
    return 0;
}

static long read_run(uint64_t times)
{
    for (uint64_t i = 0; i < times; i++) {
        (void)*(volatile uint64_t *)(uintptr_t)page_at(i);
    }
    return 0;
}

/* The hart has nothing to do for a while, and fills the stock. */
static long stock_reserve(void)
{
    static uint32_t word;
    uint64_t now = 0;
    long status = neighbour_map();

    if (status == 0) {
        status = reserve(page_at(1), STOCK);
    }
    (void)sys_time_get(&now, NULL);
    (void)sys_futex_wait((uintptr_t)&word, word, now + IDLE_NS, 0);
    return status;
}

static long write_beside_run(uint64_t times)
{
    write_pages(page_at(1), times, 1);
    return 0;
}

static long reserve_1g_run(uint64_t times)
{
    long status = 0;

    for (uint64_t i = 0; i < times; i++) {
        status |= reserve(PLACE_1G + i * PAGES_1G * PAGE, PAGES_1G);
    }
    return status;
}

static void all_1g_unmap(void)
{
    (void)unmap(PLACE_1G, GIGABYTES * PAGES_1G);
}

/* The first touch makes two tables of the mark; each that follows, in 2 MiB of its own, one. */
static long large_reserve(void)
{
    long status = reserve(PLACE_1G, PAGES_1G);

    if (status == 0) {
        write_pages(PLACE_1G, 1, 1);
        status = sys_vm_map(user_self(), page_at(PAGES_16M), STOCK * PAGE, RW, 0, NULL);
    }
    return status;
}

static long push_down_run(uint64_t times)
{
    write_pages(PLACE_1G + PAGES_2M * PAGE, times, PAGES_2M);
    return 0;
}

static void large_unmap(void)
{
    all_unmap();
    all_1g_unmap();
}

static long used_map(void)
{
    return sys_vm_map(user_self(), PLACE, PAGES_16M * PAGE, RW, 0, NULL);
}

static long clear_run(uint64_t times)
{
    uint64_t accessed = 0;
    long status = sys_vm_clear_accessed(user_self(), PLACE, times * PAGE, &accessed);

    return status == 0 && accessed != times ? -SYS_EIO : status;
}

static long unused_map(void)
{
    long status = used_map();

    return status != 0 ? status : clear_run(PAGES_16M);
}

const struct row rows_fault[] = {
    {"reserve_unmap", 2000, 0, neighbour_map, reserve_run, all_unmap},
    {"fault_zero", PAGES_16M, 0, fresh_reserve, write_run, all_unmap},
    {"fault_zero_stock", STOCK, 0, stock_reserve, write_beside_run, all_unmap},
    {"fault_read_zero", PAGES_16M, 0, fresh_reserve, read_run, all_unmap},
    {"reserve_1g", GIGABYTES, 0, NULL, reserve_1g_run, all_1g_unmap},
    {"push_down", 256, 0, large_reserve, push_down_run, large_unmap},
    {"clear_accessed", PAGES_16M, 1, used_map, clear_run, all_unmap},
    {"use_again", PAGES_16M, 0, unused_map, write_run, all_unmap},
    {.name = NULL},
};
