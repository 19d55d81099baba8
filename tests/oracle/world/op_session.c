/* SPDX-License-Identifier: MIT */
/* Cursors of operations: which range, which space, opened and closed with their promises checked.
 */
#include "lib/spinlock.h"
#include "world/op.h"

#define SHAPES 18U

static uint64_t min_of(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The block of so many bytes that holds va. */
static struct va_range block_of(uint64_t va, uint64_t bytes)
{
    uint64_t start = align_down(va, bytes);

    return (struct va_range){{start}, {min_of(start + bytes, vm_space_user_limit().raw)}};
}

struct va_range op_range(const struct world_op *in)
{
    static const uint64_t blocks[] = {UINT64_C(1) << 21, UINT64_C(1) << 30, UINT64_C(1) << 39};
    unsigned page = in->page % REF_PAGES;
    unsigned shape = in->shape % SHAPES;
    uint64_t limit = vm_space_user_limit().raw;
    uint64_t va = ref_va(page);
    unsigned last;

    switch (shape) {
    case 8:
    case 9:
    case 10:
        return block_of(va, blocks[shape - 8]);
    case OP_WHOLE:
        return (struct va_range){{0}, {limit}};
    case 12:
        return (struct va_range){{va}, {limit}};
    case 13:
        return (struct va_range){{va}, block_of(va, blocks[0]).end};
    case 14:
        return (struct va_range){block_of(va, blocks[1]).start, {va + PAGE_SIZE}};
    default:
        last = (unsigned)min_of(page + (shape < 8 ? shape : 0), REF_PAGES - 1);
        return (struct va_range){{va}, {ref_va(last) + PAGE_SIZE}};
    }
}

bool op_open_range(const struct op *op, struct op_session *session, struct va_range range,
                   enum vm_cursor_mode mode)
{
    unsigned nodes = op->in->arg[1] < 64 ? 1U + op->in->arg[1] % 8U : 0;
    status_t status;

    session->space = op_hold(op);
    if (session->space == NULL) {
        return false;
    }
    status = nodes > 0 ? vm_cursor_open_bounded(&session->cursor, session->space->space, range,
                                                mode, nodes)
                       : vm_cursor_open(&session->cursor, session->space->space, range, mode);
    if (mode == VM_CURSOR_CHANGE && op_lacks_memory(op, status)) {
        op_drop(session->space);
        return false;
    }
    OP_AGREE(op, status == OK, "opening a cursor gives %s", status_name(status));
    session->range = session->cursor.range;
    OP_AGREE(op,
             session->range.start.raw == range.start.raw &&
                 session->range.end.raw > range.start.raw &&
                 (nodes > 0 ? session->range.end.raw <= range.end.raw
                            : session->range.end.raw == range.end.raw),
             "a cursor on [%#lx, %#lx) has the range [%#lx, %#lx)", range.start.raw, range.end.raw,
             session->range.start.raw, session->range.end.raw);
    OP_AGREE(op, vm_cursor_va(&session->cursor).raw == range.start.raw,
             "a new cursor stands at %#lx", vm_cursor_va(&session->cursor).raw);
    return true;
}

bool op_open(const struct op *op, struct op_session *session, enum vm_cursor_mode mode)
{
    return op_open_range(op, session, op_range(op->in), mode);
}

void op_close(const struct op *op, struct op_session *session)
{
    vm_cursor_close(&session->cursor);
    OP_AGREE(op, spinlock_held_count() == 0, "%u locks are held after a close",
             spinlock_held_count());
    op_drop(session->space);
}

void op_jump(const struct op *op, struct op_session *session, uint64_t va)
{
    status_t status = vm_cursor_jump(&session->cursor, (vaddr_t){va});

    OP_AGREE(op, status == OK && vm_cursor_va(&session->cursor).raw == va,
             "a jump to %#lx gives %s", va, status_name(status));
}

unsigned op_pages_in_a_row(unsigned page, struct va_range range)
{
    unsigned count = 0;

    while (page + count < REF_PAGES && ref_va(page + count) < range.end.raw &&
           ref_va(page + count) == ref_va(page) + count * PAGE_SIZE) {
        count++;
    }
    return count;
}
