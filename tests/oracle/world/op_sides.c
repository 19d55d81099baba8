/* SPDX-License-Identifier: MIT */
/*
 * Two sides of a clone or a move: cursors on two spaces, opened in order of their roots, as the
 * system calls do it, or two on one space.  The range lies at the same addresses in both, or in
 * rows of pages side by side, or in blocks of a table's extent.
 */
#include "lib/spinlock.h"
#include "world/op.h"

#define NODES_MAX 64U

unsigned op_edits(const struct op *op)
{
    return op->in->arg[1] % 2U == 0 ? 1U + op->in->arg[1] / 2U % 8U : 256;
}

static bool is_one_space(const struct op_sides *sides)
{
    return sides->in.from == sides->in.to;
}

/* Two spaces, with a reference each; one, twice, if a move is to stay inside.  False: there are
 * none, and nothing is held. */
static bool hold_two(struct op_sides *sides)
{
    const struct op *op = sides->op;
    bool may_be_one = sides->in.kind == REF_MOVE;
    struct world_op in = *op->in;
    struct op other = {op->hart, &in};
    unsigned step = in.arg[0] % 4U == 3 ? 0 : 1U + in.arg[0] % 3U;

    in.space = (uint8_t)(in.space + (may_be_one ? step : 1U + in.arg[0] % (OP_HANDLES - 1)));
    sides->in.from = op_hold(op);
    sides->in.to = op_hold(&other);
    if (sides->in.from != NULL && sides->in.to != NULL && (may_be_one || !is_one_space(sides))) {
        return true;
    }
    if (sides->in.from != NULL) {
        op_drop(sides->in.from);
    }
    if (sides->in.to != NULL) {
        op_drop(sides->in.to);
    }
    return false;
}

/* Rows of pages. */
static void place_row(const struct op *op, struct ref_clone *in, struct va_range range)
{
    struct va_range rest = {{0}, vm_space_user_limit()};
    unsigned page = ref_page_from(range.start.raw);
    unsigned there = op->in->arg[0] / 16U % REF_PAGES;
    unsigned row = op_pages_in_a_row(page, range);
    unsigned room = op_pages_in_a_row(there, rest);

    if (row > 0) {
        in->start = ref_va(page);
        in->end = in->start + (row < room ? row : room) * PAGE_SIZE;
        in->target = ref_va(there);
    }
}

/* Blocks that tables translate, or many of them; some of them to where tables do not fit. */
static void place_block(const struct op *op, struct ref_clone *in)
{
    uint64_t bytes = pte_level_bytes(1U + op->in->prot / 4U % 2U);
    uint64_t here = align_down(in->start, bytes);
    uint64_t there = align_down(ref_va(op->in->arg[0] / 16U % REF_PAGES), bytes) +
                     (op->in->shape % 8U == 7 ? PAGE_SIZE : 0);
    uint64_t limit = vm_space_user_limit().raw;
    uint64_t blocks = 1U + op->in->arg[1] / 64U;
    uint64_t last = here > there ? here : there;

    while (blocks > 1 && last + blocks * bytes > limit) {
        blocks--;
    }
    in->start = here;
    in->end = here + blocks * bytes;
    in->target = last + blocks * bytes <= limit ? there : align_down(there, bytes);
}

static bool overlap(const struct ref_clone *in)
{
    uint64_t bytes = in->end - in->start;

    return in->start < in->target + bytes && in->target < in->end;
}

/* Where, on both sides. */
static void place(struct op_sides *sides)
{
    const struct op *op = sides->op;
    struct ref_clone *in = &sides->in;
    struct va_range range = op_range(op->in);
    unsigned how = op->in->arg[0] / 4U % 4U;

    in->start = in->target = range.start.raw;
    in->end = range.end.raw;
    if (how == 3) {
        place_row(op, in, range);
    } else if (in->kind == REF_MOVE && (how == 2 || is_one_space(sides))) {
        place_block(op, in);
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

static status_t open_two_spaces(struct op_sides *sides)
{
    struct ref_clone *in = &sides->in;
    bool from_first = vm_space_root(in->from->space).raw < vm_space_root(in->to->space).raw;
    uint64_t bytes = in->end - in->start;
    status_t status = OK;

    if (from_first) {
        status = open_side(&sides->pair[0], in->from, in->start, &bytes, VM_CURSOR_EDIT);
    }
    if (status == OK) {
        status = open_side(&sides->pair[1], in->to, in->target, &bytes, VM_CURSOR_CHANGE);
    }
    if (status == OK && !from_first) {
        status = open_side(&sides->pair[0], in->from, in->start, &bytes, VM_CURSOR_EDIT);
    }
    if (status != OK) {
        vm_cursor_close(&sides->pair[0]);
        vm_cursor_close(&sides->pair[1]);
    }
    in->end = in->start + bytes;
    return status;
}

static status_t open_one_space(struct op_sides *sides)
{
    const struct ref_clone *in = &sides->in;
    uint64_t bytes = in->end - in->start;
    const struct va_range ranges[2] = {{{in->start}, {in->end}},
                                       {{in->target}, {in->target + bytes}}};

    return vm_cursor_open_two(sides->pair, in->from->space, ranges, VM_CURSOR_CHANGE);
}

static void let_go(struct op_sides *sides)
{
    const struct op *op = sides->op;

    OP_AGREE(op, spinlock_held_count() == 0, "%u locks are held after two sides",
             spinlock_held_count());
    op_drop(sides->in.from);
    op_drop(sides->in.to);
}

bool op_sides_open(struct op_sides *sides)
{
    const struct op *op = sides->op;
    bool fits;
    status_t status;

    if (!hold_two(sides)) {
        return false;
    }
    place(sides);
    fits = !is_one_space(sides) || !overlap(&sides->in);
    status = is_one_space(sides) ? open_one_space(sides) : open_two_spaces(sides);
    if (!op_lacks_memory(op, status)) {
        OP_AGREE(op, status == (fits ? OK : ERR_INVAL), "opening two sides gives %s",
                 status_name(status));
    }
    if (status != OK) {
        let_go(sides);
    }
    return status == OK;
}

void op_sides_make_way(struct op_sides *sides)
{
    const struct ref_clone *in = &sides->in;
    struct op_session session = {
        .space = in->to, .cursor = sides->pair[1], .range = sides->pair[1].range};

    op_unmap_part(sides->op, &session, session.range.start.raw, session.range.end.raw);
    op_jump(sides->op, &session, in->target);
    sides->pair[1] = session.cursor;
}

void op_sides_close(struct op_sides *sides)
{
    if (is_one_space(sides)) {
        vm_cursor_close_two(sides->pair);
    } else {
        vm_cursor_close(&sides->pair[0]); /* the flush, before anybody may come to the other side */
        vm_cursor_close(&sides->pair[1]);
    }
    ref_clone_end(sides->op->hart);
    let_go(sides);
}
