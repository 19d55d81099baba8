/* SPDX-License-Identifier: MIT */
/*
 * Cursors: making mappings.
 *
 * Everything is checked and every table is there before the first entry changes.  Replacing is
 * break before make: the old entry is invalid and flushed before the new one is stored.  Absent to
 * present needs no flush; a hart that cached the absence takes one spurious fault.
 */
#include "arch/arch.h"
#include "cursor_priv.h"
#include "lib/assert.h"
#include "lib/counter.h"
#include "vm_space_priv.h"

status_t cursor_check_ram(struct vm_prop prop)
{
    if (!pte_prot_is_legal(prop.prot)) {
        return ERR_INVAL;
    }
    return prop.mem == VM_MEM_PMA ? OK : ERR_NOTSUP;
}

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

/* Gets the tables that `part` needs, then takes out what is there.  Errors: ERR_EXIST, ERR_NOMEM;
 * nothing has changed. */
static status_t make_room(struct vm_cursor *cursor, struct va_range part, enum vm_map_mode mode,
                          struct pt_pool *pool)
{
    struct va_range rest = part;
    struct pt_place place;
    status_t status;

    if (mode == VM_MAP_EXCLUSIVE && pt_find_leaf(cursor, part, &place)) {
        return ERR_EXIST;
    }
    status = pt_pool_fill(cursor, part, pool);
    if (status != OK) {
        return status;
    }
    while (mode == VM_MAP_REPLACE && pt_find_leaf(cursor, rest, &place)) {
        cursor_remove_leaf(cursor, &place);
        counter_add(COUNTER_pages_unmapped, 1);
        rest.start = pt_place_range(&place).end;
    }
    return OK;
}

/* Stores a leaf where nothing is.  What was removed before goes first, all of it with one flush: a
 * dying entry holds its frame in the slot, and a hart may still walk through a table that was
 * detached. */
static void put_leaf(struct vm_cursor *cursor, vaddr_t va, struct pt_pool *pool,
                     struct pte_leaf leaf)
{
    struct pt_place place;

    if (cursor->owed.tables != NULL) {
        vm_cursor_sync(cursor);
    }
    place = pt_walk_linking(cursor, va, pool);
    if (place.kind == PTE_DYING) {
        vm_cursor_sync(cursor);
    }
    pte_slot_store(&place.node->slots[place.index], pte_make_leaf(leaf));
    cursor->stores++;
    place.node->present++;
    if (leaf.sw == PTE_SW_IO) {
        place.node->io++;
    }
    if ((leaf.prot & VM_X) != 0) {
        cursor->owed.code = true;
    }
    counter_add(COUNTER_pages_mapped, 1);
}

status_t vm_cursor_map_frames(struct vm_cursor *cursor, struct frame *const *frames, size_t count,
                              struct vm_prop prop, enum vm_map_mode mode)
{
    struct va_range part;
    struct pt_pool pool;
    status_t status = cursor_check_ram(prop);

    if (status == OK && count == 0) {
        status = ERR_INVAL;
    }
    if (status == OK && count > UINT64_MAX / PAGE_SIZE) {
        status = ERR_RANGE;
    }
    if (status == OK && cursor->mode != VM_CURSOR_CHANGE) {
        status = ERR_ACCES;
    }
    if (status == OK) {
        status = cursor_part(cursor, count * PAGE_SIZE, &part);
    }
    if (status == OK) {
        status = make_room(cursor, part, mode, &pool);
    }
    if (status != OK) {
        return status;
    }
    for (size_t i = 0; i < count; i++) {
        ASSERT(frames[i]->type == FRAME_USER);
        put_leaf(cursor, cursor->va, &pool,
                 (struct pte_leaf){.pa = frame_pa(frames[i]),
                                   .prot = prop.prot,
                                   .mem = prop.mem,
                                   .sw = PTE_SW_RAM,
                                   .user = true});
        cursor->va = vaddr_add(cursor->va, PAGE_SIZE);
    }
    return OK;
}

status_t vm_cursor_map(struct vm_cursor *cursor, struct frame *frame, struct vm_prop prop,
                       enum vm_map_mode mode)
{
    return vm_cursor_map_frames(cursor, &frame, 1, prop, mode);
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

/* NOLINTNEXTLINE(readability-function-size): an interface of cursors, fixed as a whole */
status_t vm_cursor_map_iomem(struct vm_cursor *cursor, struct io_mem *io, struct vm_prop prop,
                             uint64_t len_bytes, uint64_t offset_bytes, enum vm_map_mode mode,
                             uint64_t *mapped_bytes)
{
    paddr_t pa = paddr_add(io_mem_range(io).start, offset_bytes);
    struct pt_pool pool;
    struct va_range part;
    status_t status = cursor_check_io(prop);

    ASSERT(cursor->cover != NULL);
    if (status == OK) {
        status = io_part(cursor, io, len_bytes, offset_bytes, &part);
    }
    if (status == OK) {
        status = vm_space_io_prepare(cursor->space);
    }
    if (status == OK) {
        status = make_room(cursor, part, mode, &pool);
    }
    if (status != OK) {
        return status;
    }
    for (; cursor->va.raw < part.end.raw; cursor->va.raw += PAGE_SIZE, pa.raw += PAGE_SIZE) {
        put_leaf(cursor, cursor->va, &pool,
                 (struct pte_leaf){.pa = pa,
                                   .prot = prop.prot,
                                   .mem = cursor_io_encoding(prop.mem),
                                   .sw = PTE_SW_IO,
                                   .user = true});
        io_mem_get(io);
        vm_space_io_add(cursor->space, io);
    }
    *mapped_bytes = part.end.raw - part.start.raw;
    return OK;
}
