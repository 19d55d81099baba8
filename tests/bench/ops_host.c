/* SPDX-License-Identifier: MIT */
/* The host's kernel on ranges of the same sizes, and the floor. */
#include <stdatomic.h>
#include <sys/mman.h>

#include "bench/bench.h"
#include "bench/machine.h"

#define RANGES_MAX UINT64_C(64)

static unsigned char *ranges[BENCH_HARTS_MAX][RANGES_MAX];
static _Atomic(uint64_t) table[BENCH_HARTS_MAX][BENCH_PAGES_MAX];

bool bench_host_has(enum bench_op op)
{
    return op == BENCH_POPULATE || op == BENCH_TIGHTEN || op == BENCH_LOOSEN || op == BENCH_UNMAP;
}

/* mmap, and a store to each page. */
static unsigned char *host_populate(uint64_t bytes)
{
    unsigned char *at =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    EXPECT(at != MAP_FAILED);
    EXPECT(madvise(at, bytes, MADV_NOHUGEPAGE) == 0);
    for (uint64_t i = 0; i < bytes; i += PAGE_SIZE) {
        *(volatile unsigned char *)(at + i) = 1;
    }
    return at;
}

void bench_host_run(const struct bench_part *part, enum bench_op op)
{
    uint64_t bytes = part->shape.pages * PAGE_SIZE;

    EXPECT(part->shape.ranges <= RANGES_MAX);
    for (uint64_t i = 0; i < part->shape.ranges; i++) {
        unsigned char **range = &ranges[part->hart][i];

        if (op == BENCH_POPULATE) {
            *range = host_populate(bytes);
        } else if (op == BENCH_UNMAP) {
            EXPECT(munmap(*range, bytes) == 0);
        } else {
            int rights = op == BENCH_TIGHTEN ? PROT_READ : PROT_READ | PROT_WRITE;

            EXPECT(mprotect(*range, bytes, rights) == 0);
        }
    }
}

void bench_floor_run(const struct bench_part *part)
{
    for (uint64_t i = 0; i < part->shape.ranges; i++) {
        for (uint64_t page = 0; page < part->shape.pages; page++) {
            /* Release, as an entry is stored; nobody reads it. */
            atomic_store_explicit(&table[part->hart][page], i + page, memory_order_release);
        }
    }
}
