/* SPDX-License-Identifier: MIT */
/*
 * Cloning: two cursors on two spaces, opened in order of their roots, as the system call does it.
 * The range lies at the same addresses in both, or in rows of pages side by side.
 */
#include "lib/spinlock.h"
#include "world/op.h"

#define NODES_MAX 64U

struct cloning {
    const struct op *op;
    struct vm_cursor from, to;
    struct ref_clone in;
};

/* Two different spaces, with a reference each.  False: there are none, and nothing is held. */
static bool hold_two(const struct op *op, struct cloning *cloning)
{
    struct world_op in = *op->in;
    struct op other = {op->hart, &in};

    in.space = (uint8_t)(in.space + 1U + in.arg[0] % (OP_HANDLES - 1));
    cloning->in.from = op_hold(op);
    cloning->in.to = op_hold(&other);
    if (cloning->in.from != NULL && cloning->in.to != NULL && cloning->in.from != cloning->in.to) {
        return true;
    }
    if (cloning->in.from != NULL) {
        op_drop(cloning->in.from);
    }
    if (cloning->in.to != NULL) {
        op_drop(cloning->in.to);
    }
    return false;
}

/* Where, on both sides. */
static void place(const struct op *op, struct ref_clone *in)
{
    struct va_range range = op_range(op->in);
    unsigned page = ref_page_from(range.start.raw);
    unsigned there = op->in->arg[0] / 16U % REF_PAGES;
    struct va_range rest = {{0}, vm_space_user_limit()};
    unsigned row = op_pages_in_a_row(page, range);
    unsigned room = op_pages_in_a_row(there, rest);

    in->start = in->target = range.start.raw;
    in->end = range.end.raw;
    if (op->in->arg[0] / 4U % 4U == 3 && row > 0) {
        in->start = ref_va(page);
        in->end = in->start + (row < room ? row : room) * PAGE_SIZE;
        in->target = ref_va(there);
    }
}

/* One side, which the other may have made shorter. */
static status_t open_side(struct vm_cursor *cursor, struct ref_space *space, uint64_t start,
                          uint64_t *bytes, enum vm_cursor_mode mode)
{
    struct va_range range = {{start}, {start + *bytes}};
    status_t status = vm_cursor_open_bounded(cursor, space->space, range, mode, NODES_MAX);

    if (status == OK) {
        *bytes = cursor->range.end.raw - start;
    }
    return status;
}

static status_t open_both(struct cloning *cloning)
{
    struct ref_clone *in = &cloning->in;
    bool from_first = vm_space_root(in->from->space).raw < vm_space_root(in->to->space).raw;
    uint64_t bytes = in->end - in->start;
    status_t status = OK;

    if (from_first) {
        status = open_side(&cloning->from, in->from, in->start, &bytes, VM_CURSOR_EDIT);
    }
    if (status == OK) {
        status = open_side(&cloning->to, in->to, in->target, &bytes, VM_CURSOR_CHANGE);
    }
    if (status == OK && !from_first) {
        status = open_side(&cloning->from, in->from, in->start, &bytes, VM_CURSOR_EDIT);
    }
    in->end = in->start + bytes;
    return status;
}

/* One call, from the position on.  False: no further. */
static bool clone_some(struct cloning *cloning)
{
    const struct op *op = cloning->op;
    struct ref_clone part = cloning->in;
    unsigned edits = op->in->arg[1] % 2U == 0 ? 1U + op->in->arg[1] / 2U % 8U : 256;
    uint64_t now, there;
    status_t status;

    part.start = vm_cursor_va(&cloning->from).raw;
    part.target = vm_cursor_va(&cloning->to).raw;
    ref_clone_announce(op->hart, &part);
    status = vm_cursor_clone(&cloning->from, &cloning->to, part.end - part.start, edits);
    now = vm_cursor_va(&cloning->from).raw;
    there = vm_cursor_va(&cloning->to).raw;
    OP_AGREE(op,
             now <= part.end && there - part.target == now - part.start &&
                 (status != OK || now > part.start),
             "a clone from %#lx gives %s and stands at %#lx and %#lx", part.start,
             status_name(status), now, there);
    OP_AGREE(op, ref_clone_fits(&part, now), "a clone of [%#lx, %#lx) covers what was there",
             part.start, now);
    ref_clone_done(op->hart, &part, now);
    op_note(op->hart, now);
    if (status != OK && !op_lacks_memory(op, status)) {
        OP_AGREE(op,
                 status == ERR_EXIST && ref_is_taken(part.to, there, there + PAGE_SIZE) &&
                     ref_is_taken(part.from, now, now + PAGE_SIZE),
                 "a clone at %#lx gives %s", now, status_name(status));
    }
    return status == OK && now < part.end;
}

/* What is in the way leaves first, under the same cursor: its flush is owed when the clone comes.
 */
static void make_way(struct cloning *cloning)
{
    const struct ref_clone *in = &cloning->in;
    struct op_session session = {
        .space = in->to, .cursor = cloning->to, .range = cloning->to.range};

    op_unmap_part(cloning->op, &session, session.range.start.raw, session.range.end.raw);
    op_jump(cloning->op, &session, in->target);
    cloning->to = session.cursor;
}

void op_clone(const struct op *op)
{
    struct cloning cloning = {.op = op};
    status_t status;

    if (!hold_two(op, &cloning)) {
        return;
    }
    place(op, &cloning.in);
    status = open_both(&cloning);
    if (!op_lacks_memory(op, status)) {
        OP_AGREE(op, status == OK, "opening two spaces gives %s", status_name(status));
        if (op->in->prot % 4U == 3) {
            make_way(&cloning);
        }
        ref_clone_begin(op->hart, &cloning.in);
        while (clone_some(&cloning)) {
            continue;
        }
    }
    vm_cursor_close(&cloning.from); /* the flush, before anybody may come to the clone */
    vm_cursor_close(&cloning.to);
    ref_clone_end(op->hart);
    OP_AGREE(op, spinlock_held_count() == 0, "%u locks are held after a clone",
             spinlock_held_count());
    op_drop(cloning.in.from);
    op_drop(cloning.in.to);
}
