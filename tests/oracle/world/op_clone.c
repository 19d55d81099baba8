/* SPDX-License-Identifier: MIT */
/* Cloning: two cursors on two spaces, as the system call has them, and what becomes of both. */
#include "world/op.h"

/* One call, from the position on.  False: no further. */
static bool clone_some(struct op_sides *sides)
{
    const struct op *op = sides->op;
    struct vm_cursor *from = &sides->pair[0];
    struct vm_cursor *to = &sides->pair[1];
    struct ref_clone part = sides->in;
    uint64_t now, there;
    status_t status;

    part.start = vm_cursor_va(from).raw;
    part.target = vm_cursor_va(to).raw;
    ref_clone_announce(op->hart, &part);
    status = vm_cursor_clone(from, to, part.end - part.start, op_edits(op));
    now = vm_cursor_va(from).raw;
    there = vm_cursor_va(to).raw;
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

void op_clone(const struct op *op)
{
    struct op_sides sides = {.op = op, .in = {.kind = REF_CLONE}};

    if (!op_sides_open(&sides)) {
        return;
    }
    if (op->in->prot % 4U == 3) {
        op_sides_make_way(&sides);
    }
    ref_clone_begin(op->hart, &sides.in);
    while (clone_some(&sides)) {
        continue;
    }
    op_sides_close(&sides);
}
