/* SPDX-License-Identifier: MIT */
/*
 * I/O regions: a fixed table, sorted by address, so that a region is found by binary search.
 *
 * Regions are made at boot and never vanish; what comes and goes are the references to them.
 */
#include "mm/io_mem.h"

#include <stdatomic.h>

#include "arch/pte.h"
#include "io_mem_table.h"
#include "lib/assert.h"
#include "lib/log.h"
#include "lib/spinlock.h"
#include "mm/frame.h"

#define FORBIDDEN_MAX 16U

static struct {
    struct io_mem regions[IO_MEM_MAX];        /* (l) in order of creation              */
    struct io_mem *sorted[IO_MEM_MAX];        /* (l) by address                        */
    size_t count;                             /* (l) only grows                        */
    struct pa_range forbidden[FORBIDDEN_MAX]; /* (l)                                   */
    size_t forbidden_count;                   /* (l)                                   */
} table;

/* Of (l), rank LOCK_IO_MEM.  Outside, so that the zeroes above are no bytes of the image. */
static struct spinlock table_lock = SPINLOCK_INIT(LOCK_IO_MEM);

/* Index in sorted[] of the first region that starts past pa. */
static size_t upper_bound(paddr_t pa)
{
    size_t low = 0;
    size_t high = table.count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (table.sorted[middle]->range.start.raw <= pa.raw) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool range_is_taken(struct pa_range range)
{
    size_t next = upper_bound((paddr_t){range.end.raw - 1});

    if (next > 0 && pa_ranges_overlap(table.sorted[next - 1]->range, range)) {
        return true;
    }
    for (size_t i = 0; i < table.forbidden_count; i++) {
        if (pa_ranges_overlap(table.forbidden[i], range)) {
            return true;
        }
    }
    return frame_range_has_ram(range);
}

static void insert(struct pa_range range, const char *compatible)
{
    size_t at = upper_bound(range.start);
    struct io_mem *io = &table.regions[table.count];

    io->range = range;
    (void)format_text(io->compatible, sizeof(io->compatible), "%s", compatible);
    for (size_t i = table.count; i > at; i--) {
        table.sorted[i] = table.sorted[i - 1];
    }
    table.sorted[at] = io;
    table.count++;
}

status_t io_mem_create(struct pa_range range, const char *compatible, struct io_mem **out)
{
    status_t status = OK;

    if (range.start.raw >= range.end.raw || !is_aligned(range.start.raw, PAGE_SIZE) ||
        !is_aligned(range.end.raw, PAGE_SIZE) || range.end.raw >> PTE_PA_BITS != 0) {
        return ERR_INVAL;
    }
    spinlock_acquire(&table_lock);
    if (range_is_taken(range)) {
        status = ERR_EXIST;
    } else if (table.count == IO_MEM_MAX) {
        status = ERR_NOMEM;
    } else {
        *out = &table.regions[table.count];
        insert(range, compatible);
    }
    spinlock_release(&table_lock);
    return status;
}

status_t io_mem_forbid(struct pa_range range)
{
    status_t status = ERR_NOSPC;

    spinlock_acquire(&table_lock);
    if (table.forbidden_count < FORBIDDEN_MAX) {
        table.forbidden[table.forbidden_count++] = range;
        status = OK;
    }
    spinlock_release(&table_lock);
    return status;
}

struct io_mem *io_mem_at(size_t i)
{
    struct io_mem *io;

    spinlock_acquire(&table_lock);
    io = i < table.count ? &table.regions[i] : NULL;
    spinlock_release(&table_lock);
    return io;
}

struct io_mem *io_mem_find(paddr_t pa)
{
    struct io_mem *io = NULL;
    size_t next;

    spinlock_acquire(&table_lock);
    next = upper_bound(pa);
    if (next > 0 && pa.raw < table.sorted[next - 1]->range.end.raw) {
        io = table.sorted[next - 1];
    }
    spinlock_release(&table_lock);
    return io;
}

size_t io_mem_index(const struct io_mem *io)
{
    return (size_t)(io - table.regions);
}

struct pa_range io_mem_range(const struct io_mem *io)
{
    return io->range;
}

const char *io_mem_compatible(const struct io_mem *io)
{
    return io->compatible;
}

void io_mem_get_many(struct io_mem *io, uint64_t count)
{
    /* Relaxed: regions are never freed, so the count orders nothing. */
    (void)atomic_fetch_add_explicit(&io->refs, count, memory_order_relaxed);
}

void io_mem_put_many(struct io_mem *io, uint64_t count)
{
    uint64_t before = atomic_fetch_sub_explicit(&io->refs, count, memory_order_relaxed);

    ASSERT_FMT(before >= count, "region at %lx", (unsigned long)io->range.start.raw);
}

uint64_t io_mem_refs(const struct io_mem *io)
{
    return atomic_load_explicit(&io->refs, memory_order_relaxed);
}
