/* SPDX-License-Identifier: MIT */
/*
 * Cursors: mapping regions of devices, by entries as large as fit.
 *
 *   address  ..|  4 KiB each  |    2 MiB each    |  1 GiB  | 2 MiB |  4 KiB  |..
 *              start, and the region's address, which has the same remainder by each size
 *
 * A region is never freed; a mapping has one reference of it for each 4 KiB.
 */
#include "arch/arch.h"
#include "cursor_priv.h"
#include "lib/assert.h"
#include "lib/counter.h"
#include "vm_space_priv.h"

status_t cursor_check_io(struct vm_prop prop)
{
    if (!pte_prot_is_legal(prop.prot) || (prop.prot & VM_X) != 0 || prop.mem > VM_MEM_IO) {
        return ERR_INVAL;
    }
    return prop.mem == VM_MEM_NC && !arch_has_svpbmt() ? ERR_NOTSUP : OK;
}

enum vm_mem cursor_io_encoding(enum vm_mem mem)
{
    return mem == VM_MEM_IO && !arch_has_svpbmt() ? VM_MEM_PMA : mem;
}

enum vm_mem cursor_leaf_mem(const struct pte_leaf *leaf)
{
    return leaf->sw == PTE_SW_IO && leaf->mem == VM_MEM_PMA ? VM_MEM_IO : leaf->mem;
}

/* The part of the region that is to be mapped, and where; all that needs no memory is checked. */
static status_t io_part(const struct vm_cursor *cursor, const struct io_mem *io, uint64_t len_bytes,
                        uint64_t offset_bytes, struct va_range *part)
{
    uint64_t size = pa_range_bytes(io_mem_range(io));
    uint64_t len = len_bytes;

    if (len_bytes == 0 || !is_aligned(len_bytes | offset_bytes, PAGE_SIZE)) {
        return ERR_INVAL;
    }
    if (offset_bytes >= size) {
        return ERR_RANGE;
    }
    if (len > size - offset_bytes) {
        len = size - offset_bytes;
    }
    if (cursor->mode != VM_CURSOR_CHANGE) {
        return ERR_ACCES;
    }
    return cursor_part(cursor, len, part);
}

/* True if an entry of `level` can map what lies at the start of `rest`. */
static bool fits(struct va_range rest, unsigned level)
{
    uint64_t bytes = pte_level_bytes(level);

    return is_aligned(rest.start.raw, bytes) && rest.end.raw - rest.start.raw >= bytes;
}

/* The largest level of which one entry at least can map a part of `part` to what is at pa. */
static unsigned largest_in(struct va_range part, paddr_t pa)
{
    unsigned level = PTE_LEVEL_RAM_MAX;

    for (; level > 0; level--) {
        uint64_t bytes = pte_level_bytes(level);
        struct va_range rest = {{align_up(part.start.raw, bytes)}, part.end};

        if (is_aligned(part.start.raw ^ pa.raw, bytes) && rest.start.raw < rest.end.raw &&
            fits(rest, level)) {
            break;
        }
    }
    return level;
}

/* Stores the leaves of 4 KiB at the start of `rest` that lie in one table; returns their end. */
static vaddr_t put_small(struct vm_cursor *cursor, struct va_range rest, pte_t leaf,
                         struct pt_pool *pool)
{
    struct pt_node *node = cursor_room_at(cursor, rest.start, 0, pool).node;
    struct pt_span span = pt_node_span(node, rest);
    unsigned count = span.end - span.first;

    for (unsigned i = 0; i < count; i++) {
        pte_slot_store(&node->slots[span.first + i], pte_leaf_part(leaf, i, PAGE_SIZE));
    }
    node->present = (uint16_t)(node->present + count);
    node->io = (uint16_t)(node->io + count);
    cursor->stores += count;
    counter_add(COUNTER_pages_mapped, count);
    return pt_node_entry_va(node, span.end);
}

/* Maps `part`, where nothing is; `leaf` has the address of its start. */
static void put_all(struct vm_cursor *cursor, struct va_range part, unsigned largest, pte_t leaf,
                    struct pt_pool *pool)
{
    struct va_range rest = part;

    while (rest.start.raw < rest.end.raw) {
        pte_t next = pte_leaf_part(leaf, (rest.start.raw - part.start.raw) / PAGE_SIZE, PAGE_SIZE);
        unsigned level = largest;

        while (level > 0 && !fits(rest, level)) {
            level--;
        }
        if (level > 0) {
            struct pt_place place = cursor_room_at(cursor, rest.start, level, pool);

            cursor_put_large(cursor, &place, next);
            rest.start = pt_place_range(&place).end;
        } else {
            rest.start = put_small(cursor, rest, next, pool);
        }
    }
    pt_pool_empty(pool);
}

/* NOLINTNEXTLINE(readability-function-size): an interface of cursors, fixed as a whole */
status_t vm_cursor_map_iomem(struct vm_cursor *cursor, struct io_mem *io, struct vm_prop prop,
                             uint64_t len_bytes, uint64_t offset_bytes, enum vm_map_mode mode,
                             uint64_t *mapped_bytes)
{
    paddr_t pa = paddr_add(io_mem_range(io).start, offset_bytes);
    struct pt_pool pool;
    struct va_range part;
    unsigned largest;
    pte_t leaf;
    status_t status = cursor_check_io(prop);

    ASSERT(cursor->cover != NULL);
    if (status == OK) {
        status = io_part(cursor, io, len_bytes, offset_bytes, &part);
    }
    if (status == OK) {
        status = vm_space_io_prepare(cursor->space);
    }
    if (status != OK) {
        return status;
    }
    largest = largest_in(part, pa);
    status = cursor_make_room_large(cursor, part, largest, mode, &pool);
    if (status != OK) {
        return status;
    }
    leaf = pte_make_leaf((struct pte_leaf){.pa = pa,
                                           .prot = prop.prot,
                                           .mem = cursor_io_encoding(prop.mem),
                                           .sw = PTE_SW_IO,
                                           .user = true});
    put_all(cursor, part, largest, leaf, &pool);
    cursor->va = part.end;
    vm_space_io_add(cursor->space, io, (part.end.raw - part.start.raw) / PAGE_SIZE);
    *mapped_bytes = part.end.raw - part.start.raw;
    return OK;
}
