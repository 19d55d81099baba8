/* SPDX-License-Identifier: MIT */
/*
 * I/O regions: device registers that programs may map.
 *
 * A region is page aligned by construction; regions never overlap, and none covers RAM, firmware,
 * or a device the kernel keeps for itself.  A region has references: handles, and one for each 4
 * KiB that are mapped; it is never freed (the machine does not lose its devices), but io_mem_refs
 * tells regions in use from idle ones.
 */
#pragma once

#include "lib/types.h"

struct io_mem;

/* Makes a region.
 * Errors: ERR_INVAL empty or not page aligned
 *         ERR_EXIST overlaps RAM, a device of the kernel or another region
 *         ERR_NOMEM no memory.  Nothing changed in any case. */
status_t io_mem_create(struct pa_range range, const char *compatible, struct io_mem **out);

/* Keeps a range from ever becoming a region (interrupt controller, the kernel's own devices);
 * called before regions are made.  ERR_NOSPC: table full. */
status_t io_mem_forbid(struct pa_range range);

/* The i-th region in order of creation, or NULL past the last. */
struct io_mem *io_mem_at(size_t i);

/* The region that contains pa, or NULL. */
struct io_mem *io_mem_find(paddr_t pa);

struct pa_range io_mem_range(const struct io_mem *io);
const char *io_mem_compatible(const struct io_mem *io);

/* References, for handles and mappings; one entry can map so many pages that 32 bits would not
 * count them. */
void io_mem_get_many(struct io_mem *io, uint64_t count);
void io_mem_put_many(struct io_mem *io, uint64_t count);
uint64_t io_mem_refs(const struct io_mem *io);

static inline void io_mem_get(struct io_mem *io)
{
    io_mem_get_many(io, 1);
}

static inline void io_mem_put(struct io_mem *io)
{
    io_mem_put_many(io, 1);
}
