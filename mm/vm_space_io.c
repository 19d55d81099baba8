/* SPDX-License-Identifier: MIT */
/*
 * Which I/O regions a space maps: a count of pages per region, made when the first is mapped.
 *
 * A region is held by its mappings, one reference a page; it is "mapped here" while the count is
 * not 0.  The region of an address is found by binary search (mm/io_mem.c), its count by index.
 */
#include "lib/assert.h"
#include "mm/slab.h"
#include "mm/vm_cursor.h"
#include "vm_space_priv.h"

static struct slab_cache io_cache =
    SLAB_CACHE_INIT(io_cache, "vm_space_io", sizeof(struct vm_space_io));

/* Acquire pairs with the exchange in vm_space_io_prepare: the counts are seen zeroed. */
static struct vm_space_io *counts_of(struct vm_space *space)
{
    return atomic_load_explicit(&space->io, memory_order_acquire);
}

status_t vm_space_io_prepare(struct vm_space *space)
{
    struct vm_space_io *none = NULL;
    struct vm_space_io *io;

    if (counts_of(space) != NULL) {
        return OK;
    }
    io = slab_alloc(&io_cache);
    if (io == NULL) {
        return ERR_NOMEM;
    }
    /* Two cursors of one space may come here at once; the second one's is not needed. */
    if (!atomic_compare_exchange_strong_explicit(&space->io, &none, io, memory_order_acq_rel,
                                                 memory_order_acquire)) {
        slab_free(&io_cache, io);
    }
    return OK;
}

void vm_space_io_add(struct vm_space *space, struct io_mem *io, uint64_t pages)
{
    io_mem_get_many(io, pages);
    /* Relaxed: whoever relies on the count holds the node that maps the page. */
    (void)atomic_fetch_add_explicit(&counts_of(space)->pages[io_mem_index(io)], pages,
                                    memory_order_relaxed);
}

void vm_space_io_remove(struct vm_space *space, paddr_t pa, uint64_t pages)
{
    struct io_mem *io = io_mem_find(pa);
    uint64_t before;

    ASSERT_FMT(io != NULL, "pa=%lx", (unsigned long)pa.raw);
    before = atomic_fetch_sub_explicit(&counts_of(space)->pages[io_mem_index(io)], pages,
                                       memory_order_relaxed);
    ASSERT(before >= pages);
    io_mem_put_many(io, pages);
}

void vm_space_io_fini(struct vm_space *space)
{
    struct vm_space_io *io = counts_of(space);

    if (io != NULL) {
        slab_free(&io_cache, io);
    }
}

status_t vm_space_find_iomem(struct vm_space *space, paddr_t pa, struct io_mem **io,
                             uint64_t *offset_bytes)
{
    struct io_mem *found = io_mem_find(pa);
    struct vm_space_io *counts = counts_of(space);

    if (found == NULL || counts == NULL ||
        atomic_load_explicit(&counts->pages[io_mem_index(found)], memory_order_relaxed) == 0) {
        return ERR_NOENT;
    }
    *io = found;
    *offset_bytes = pa.raw - io_mem_range(found).start.raw;
    return OK;
}
