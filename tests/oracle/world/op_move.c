/* SPDX-License-Identifier: MIT */
/* Moving, inside a space and between two: entries and whole tables, which were one place's and are
 * the other's. */
#include "world/op.h"

#define FEW_BYTES (UINT64_C(1) << 22) /* so much may be moved in small pieces */
#define EDITS_MAX 256U

/* What has no page of the universe to go to stays behind: it leaves first, so that its flush is
 * owed when the rest moves. */
static void drop_misfits(struct op_sides *sides)
{
    struct op_session session = {
        .space = sides->in.from, .cursor = sides->pair[0], .range = sides->pair[0].range};
    unsigned page = ref_clone_misfit(&sides->in, OP_IO_PAGE);

    for (; page != REF_PAGES; page = ref_clone_misfit(&sides->in, OP_IO_PAGE)) {
        op_unmap_part(sides->op, &session, ref_va(page), ref_va(page) + PAGE_SIZE);
    }
    op_jump(sides->op, &session, sides->in.start);
    sides->pair[0] = session.cursor;
}

/* One call, from the position on.  False: no further. */
static bool move_some(struct op_sides *sides)
{
    const struct op *op = sides->op;
    struct vm_cursor *from = &sides->pair[0];
    struct vm_cursor *to = &sides->pair[1];
    struct ref_clone part = sides->in;
    uint64_t bytes = part.end - vm_cursor_va(from).raw;
    unsigned edits = bytes > FEW_BYTES ? EDITS_MAX : op_edits(op);
    uint64_t now, there;
    status_t status;

    part.start = vm_cursor_va(from).raw;
    part.target = vm_cursor_va(to).raw;
    ref_clone_announce(op->hart, &part);
    ref_unsteady(part.from, part.start, part.end);
    status = vm_cursor_move(from, to, bytes, edits);
    ref_steady(part.from, part.start, part.end);
    now = vm_cursor_va(from).raw;
    there = vm_cursor_va(to).raw;
    OP_AGREE(op,
             now <= part.end && there - part.target == now - part.start &&
                 (status != OK || now > part.start),
             "a move from %#lx gives %s and stands at %#lx and %#lx", part.start,
             status_name(status), now, there);
    OP_AGREE(op, ref_clone_fits(&part, now), "a move of [%#lx, %#lx) covers what was there",
             part.start, now);
    ref_clone_done(op->hart, &part, now);
    op_note(op->hart, now);
    if (status != OK && !op_lacks_memory(op, status)) {
        OP_AGREE(op,
                 status == ERR_EXIST && ref_is_taken(part.to, there, there + PAGE_SIZE) &&
                     ref_is_taken(part.from, now, now + PAGE_SIZE),
                 "a move at %#lx gives %s", now, status_name(status));
    }
    return status == OK && now < part.end;
}

void op_move(const struct op *op)
{
    struct op_sides sides = {.op = op, .in = {.kind = REF_MOVE}};

    if (!op_sides_open(&sides)) {
        return;
    }
    if (op->in->prot % 4U == 3) {
        op_sides_make_way(&sides);
    }
    ref_clone_begin(op->hart, &sides.in);
    if (sides.in.from == sides.in.to) {
        oracle_move_begin(op->hart);
    }
    drop_misfits(&sides);
    while (move_some(&sides)) {
        continue;
    }
    op_sides_close(&sides);
}
