/* SPDX-License-Identifier: MIT */
/* Cursors: what moving, cloning and pagers share (cursor_pass.h). */
#include "cursor_pass.h"
#include "lib/assert.h"
#include "pt_split.h"
#include "vm_space_priv.h"

/* Two spaces, or the two of one pair if that will do. */
static bool may_pass(const struct pass *pass, enum pass_between between)
{
    const struct vm_cursor *from = pass->from;
    const struct vm_cursor *to = pass->to;

    return pass_is_between_spaces(pass) || (between == PASS_PAIR_TOO && from->is_pair &&
                                            to->is_pair && (from + 1 == to || to + 1 == from));
}

status_t pass_begin(struct pass *pass, uint64_t len_bytes, enum pass_between between)
{
    struct va_range part, target;
    status_t status = cursor_part_to_edit(pass->from, len_bytes, &part);

    if (status == OK) {
        status = cursor_part(pass->to, len_bytes, &target);
    }
    if (status == OK && pass->to->mode != VM_CURSOR_CHANGE) {
        status = ERR_ACCES;
    }
    if (status == OK && (!may_pass(pass, between) || pass->edits == 0)) {
        status = ERR_INVAL;
    }
    if (status == OK) {
        pass->end = part.end;
        vm_cursor_sync(pass->to);
    }
    return status;
}

/* True if the large page at `source` can be one entry in `to`, too. */
static bool goes_whole(const struct pass *pass, const struct pt_place *source)
{
    struct va_range extent = pt_place_range(source);
    uint64_t bytes = pt_node_entry_bytes(source->node);
    struct va_range room = {pass->to->va, vaddr_add(pass->to->va, bytes)};
    struct pt_place used;

    return extent.start.raw == pass->from->va.raw && extent.end.raw <= pass->end.raw &&
           is_aligned(room.start.raw, bytes) && !pt_find_used(pass->to, room, &used);
}

/* The page is split, unless it would be for nothing. */
static status_t split(struct pass *pass, const struct pt_place *source)
{
    status_t status;

    if (pt_walk(pass->to, pass->to->va).kind != PTE_ABSENT) {
        return ERR_EXIST;
    }
    status = pt_split_to(pass->from, pass->from->va, source->node->level - 1U);
    return status == OK ? ERR_AGAIN : status;
}

status_t pass_make_room(struct pass *pass, const struct pt_place *source, uint64_t charge,
                        struct pt_place *target)
{
    struct vm_cursor *to = pass->to;
    unsigned level = source->node->level;
    struct va_range room = {to->va, vaddr_add(to->va, pt_node_entry_bytes(source->node))};
    struct pt_pool pool;
    status_t status;

    if (!goes_whole(pass, source)) {
        return split(pass, source);
    }
    status = vm_space_charge(to->space, charge);
    if (status != OK) {
        return status;
    }
    status = cursor_make_room_large(to, room, level, VM_MAP_REPLACE, &pool);
    if (status != OK) {
        vm_space_release(to->space, charge);
        return status;
    }
    *target = cursor_room_at(to, room.start, level, &pool);
    DASSERT(pool.first == NULL);
    return OK;
}
