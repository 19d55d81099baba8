/* SPDX-License-Identifier: MIT */
/* Operations with two cursors, and those on a space as a whole: fence.i for its code, its audit. */
#include "lib/spinlock.h"
#include "world/op.h"

/* A range of a few pages at `page`. */
static struct va_range small_range(unsigned page, unsigned pages)
{
    unsigned first = page % REF_PAGES;
    unsigned last = first + pages < REF_PAGES ? first + pages : REF_PAGES - 1;

    return (struct va_range){{ref_va(first)}, {ref_va(last) + PAGE_SIZE}};
}

static bool ranges_overlap(struct va_range a, struct va_range b)
{
    return a.start.raw < b.end.raw && b.start.raw < a.end.raw;
}

static bool is_in(struct va_range range, unsigned page)
{
    return ref_va(page) >= range.start.raw && ref_va(page) < range.end.raw;
}

/* Moves the first page of one range to the first of the other, as a program's move would.  The
 * frame of zeroes may not be mapped again. */
static void move_page(const struct op *op, struct op_session sessions[2])
{
    unsigned from = ref_page_from(sessions[0].range.start.raw);
    unsigned to = ref_page_from(sessions[1].range.start.raw);
    struct ref_item item = sessions[0].space->items[from];
    struct frame *frame;
    struct vm_slot slot;

    if (item.kind != VM_ITEM_RAM || item.pa == frame_pa(frame_zero()).raw ||
        !is_in(sessions[0].range, from) || !is_in(sessions[1].range, to)) {
        return;
    }
    op_jump(op, &sessions[0], ref_va(from));
    OP_AGREE(op, vm_cursor_query_get(&sessions[0].cursor, &slot) == OK, "query of a page fails");
    frame = frame_of((paddr_t){item.pa}); /* of a block a slice */
    frame_get(frame);
    frame_block_put(slot.item.frame, slot.item.level);
    op_unmap_part(op, &sessions[0], ref_va(from), ref_va(from) + PAGE_SIZE);
    op_map_page(op, &sessions[1], to, frame, VM_MAP_REPLACE);
}

static void act_on_two(const struct op *op, struct op_session sessions[2])
{
    for (unsigned i = 0; i < 2; i++) {
        sessions[i].range = sessions[i].cursor.range;
        OP_AGREE(op, vm_cursor_va(&sessions[i].cursor).raw == sessions[i].range.start.raw,
                 "a new cursor stands at %#lx", vm_cursor_va(&sessions[i].cursor).raw);
    }
    switch (op->in->arg[1] % 4U) {
    case 0:
        move_page(op, sessions);
        return;
    case 1:
        op_unmap_part(op, &sessions[1], sessions[1].range.start.raw, sessions[1].range.end.raw);
        return;
    case 2:
        op_protect_part(op, &sessions[0], sessions[0].range.start.raw, sessions[0].range.end.raw);
        op_unmap_part(op, &sessions[1], sessions[1].range.start.raw, sessions[1].range.end.raw);
        return;
    default:
        op_look_at(op, &sessions[0], ref_page_from(sessions[0].range.start.raw));
        return;
    }
}

void op_two(const struct op *op)
{
    struct va_range ranges[2] = {small_range(op->in->page, op->in->shape % 3U),
                                 small_range(op->in->arg[0], op->in->arg[1] / 4U % 3U)};
    bool overlap = ranges_overlap(ranges[0], ranges[1]);
    struct ref_space *space = op_hold(op);
    struct vm_cursor pair[2];
    struct op_session sessions[2];
    status_t status;

    if (space == NULL) {
        return;
    }
    status = vm_cursor_open_two(pair, space->space, ranges, VM_CURSOR_CHANGE);
    if (!op_lacks_memory(op, status)) {
        OP_AGREE(op, status == (overlap ? ERR_INVAL : OK), "opening two ranges gives %s",
                 status_name(status));
    }
    if (status == OK) {
        for (unsigned i = 0; i < 2; i++) {
            sessions[i] = (struct op_session){.space = space, .cursor = pair[i]};
        }
        act_on_two(op, sessions);
        pair[0] = sessions[0].cursor;
        pair[1] = sessions[1].cursor;
        vm_cursor_close_two(pair);
    }
    OP_AGREE(op, spinlock_held_count() == 0, "%u locks are held after two cursors",
             spinlock_held_count());
    op_drop(space);
}

/* A second cursor while the first is open: forwards it may go, and must be refused else. */
void op_nested(const struct op *op)
{
    struct va_range range = small_range(op->in->arg[0], op->in->arg[1] % 3U);
    struct op_session session;
    struct vm_cursor second;
    struct world_op in = *op->in;
    struct op whole = {op->hart, &in};
    status_t status;

    in.arg[1] = 255; /* not bounded */
    if (!op_open(&whole, &session, VM_CURSOR_EDIT)) {
        return;
    }
    status = vm_cursor_open(&second, session.space->space, range, VM_CURSOR_QUERY);
    if (range.start.raw < session.range.end.raw) {
        OP_AGREE(op, status == ERR_DEADLK, "a second cursor that does not lie behind gives %s",
                 status_name(status));
    } else {
        OP_AGREE(op, status == OK || status == ERR_DEADLK, "a second cursor gives %s",
                 status_name(status));
    }
    op_unmap_part(op, &session, session.range.start.raw, session.range.end.raw);
    if (status == OK) {
        vm_cursor_close(&second);
    }
    op_close(op, &session);
}

void op_icache_sync(const struct op *op)
{
    struct ref_space *space = op_hold(op);

    if (space == NULL) {
        return;
    }
    OP_AGREE(op, vm_space_icache_sync(space->space) == OK, "making code visible fails");
    op_drop(space);
}

void op_audit(const struct op *op)
{
    struct ref_space *space = op_hold(op);

    if (space == NULL) {
        return;
    }
    if (vm_space_check(space->space) != OK) {
        oracle_fail(ORACLE_RULE_AUDIT, op->hart, "the audit of space %u finds it damaged",
                    space->number);
    }
    op_drop(space);
}
