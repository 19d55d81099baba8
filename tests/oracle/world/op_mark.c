/* SPDX-License-Identifier: MIT */
/*
 * Operations on addresses without frames: marks, and what comes of them; pages that mm fills
 * itself; tables that are swept.
 */
#include "world/op.h"

#define FEW_BYTES (UINT64_C(1) << 22) /* so much may be marked in small pieces */
#define EDITS_MAX 256U

/* Why a mark of [from, end) must be refused, or OK. */
static status_t refusal_of(const struct op_session *session, uint64_t from, uint64_t end,
                           struct vm_mark mark, enum vm_map_mode mode)
{
    bool is_view = mark.kind == VM_ITEM_PAGED && mark.share == VM_SHARE_VIEW;

    if ((mark.prot & VM_RW) == VM_W || (is_view && (mark.prot & VM_W) != 0)) {
        return ERR_INVAL;
    }
    if (mode == VM_MAP_EXCLUSIVE && ref_at(session->space, from).kind != VM_ITEM_ABSENT) {
        return ERR_EXIST;
    }
    if (mark.kind == VM_ITEM_PAGED &&
        mark.object_page + (end - from) / PAGE_SIZE > ref_object_of(mark.object)->pages) {
        return ERR_RANGE;
    }
    return OK;
}

static void check_answer(const struct op *op, status_t status, status_t refusal, uint64_t from,
                         bool may_end_elsewhere)
{
    if (!op_lacks_memory(op, status)) {
        OP_AGREE(
            op, status == refusal || (may_end_elsewhere && (status == OK || status == ERR_RANGE)),
            "a mark at %#lx gives %s, not %s", from, status_name(status), status_name(refusal));
    }
}

/* One call, from the position on: what it has marked, and why it stopped.  False: no further. */
static bool mark_some(const struct op *op, struct op_session *session, uint64_t end,
                      struct vm_mark mark, enum vm_map_mode mode)
{
    uint64_t from = vm_cursor_va(&session->cursor).raw;
    unsigned edits = end - from > FEW_BYTES ? EDITS_MAX : 1U + op->in->arg[0] / 8U % 16U;
    status_t refusal = refusal_of(session, from, end, mark, mode);
    bool is_cut = mode == VM_MAP_EXCLUSIVE && ref_is_taken(session->space, from, end);
    const struct ref_object *object = ref_object_of(mark.object);
    unsigned changes = object != NULL ? object->changes : 0;
    struct vm_removed expected, removed = {0};
    uint64_t now;
    status_t status;

    ref_unsteady(session->space, from, end);
    status = vm_cursor_mark(&session->cursor, end - from, mark, mode, edits, &removed);
    ref_steady(session->space, from, end);
    now = vm_cursor_va(&session->cursor).raw;
    expected = ref_count(session->space, from, now);
    OP_AGREE(op, now <= end && (status == OK ? now > from : now == from || status == ERR_NOMEM),
             "a mark from %#lx gives %s and stands at %#lx", from, status_name(status), now);
    OP_AGREE(op, removed.ram_pages == expected.ram_pages && removed.io_pages == expected.io_pages,
             "a mark says that %lu and %lu pages left, not %lu and %lu", removed.ram_pages,
             removed.io_pages, expected.ram_pages, expected.io_pages);
    OP_AGREE(op, mode != VM_MAP_EXCLUSIVE || !ref_is_taken(session->space, from, now),
             "an exclusive mark of [%#lx, %#lx) covers what was there", from, now);
    ref_mark(op->hart, session->space, from, now, mark);
    check_answer(op, status, refusal, from,
                 object != NULL && (is_cut || ref_object_may_differ(object, changes)));
    return status == OK && now < end;
}

void op_mark_part(const struct op *op, struct op_session *session, struct va_range range,
                  struct vm_mark mark)
{
    enum vm_map_mode mode = op->in->arg[0] % 4U == 3 ? VM_MAP_EXCLUSIVE : VM_MAP_REPLACE;

    uint64_t first = mark.object_page;

    op_jump(op, session, range.start.raw);
    while (mark_some(op, session, range.end.raw, mark, mode)) {
        uint64_t done = vm_cursor_va(&session->cursor).raw - range.start.raw;

        mark.object_page = first + done / PAGE_SIZE;
    }
}

void op_mark(const struct op *op)
{
    bool is_guard = op->in->arg[0] % 8U == 5;
    struct vm_mark mark = {.kind = is_guard ? VM_ITEM_GUARD : VM_ITEM_RESERVED,
                           .prot = is_guard ? VM_PROT_NONE : (enum vm_prot)(op->in->prot % 8U),
                           .share = VM_SHARE_NONE};
    struct op_session session;

    if (op_open(op, &session, VM_CURSOR_CHANGE)) {
        op_mark_part(op, &session, session.range, mark);
        op_close(op, &session);
    }
}

/* ---- fresh pages ---- */

void op_fill_part(const struct op *op, struct op_session *session, struct va_range range)
{
    enum vm_prot prot = (enum vm_prot)(op->in->prot % 8U);
    bool is_legal = prot != VM_PROT_NONE && (prot & VM_RW) != VM_W;
    uint64_t from = range.start.raw;
    uint64_t stop = from;
    uint64_t now;
    status_t status;

    while (stop < range.end.raw && !ref_is_taken(session->space, stop, stop + PAGE_SIZE)) {
        stop += PAGE_SIZE;
    }
    op_jump(op, session, from);
    ref_touch_begin(op->hart, (struct ref_touch){.kind = REF_TOUCH_FILL,
                                                 .space = session->space,
                                                 .start = from,
                                                 .end = range.end.raw,
                                                 .prot = prot});
    status = vm_cursor_fill(&session->cursor, range.end.raw - from, (struct vm_prop){.prot = prot});
    ref_touch_end(op->hart);
    now = vm_cursor_va(&session->cursor).raw;
    op_note(op->hart, now);
    if (is_legal && op_lacks_memory(op, status)) {
        return;
    }
    OP_AGREE(op,
             status == (!is_legal              ? ERR_INVAL
                        : stop < range.end.raw ? ERR_EXIST
                                               : OK) &&
                 now == (is_legal ? stop : from),
             "filling [%#lx, %#lx) gives %s and ends at %#lx", from, range.end.raw,
             status_name(status), now);
}

void op_fill(const struct op *op)
{
    struct op_session session;
    unsigned page;
    unsigned row;

    if (!op_open(op, &session, VM_CURSOR_CHANGE)) {
        return;
    }
    page = ref_page_from(session.range.start.raw);
    row = op_pages_in_a_row(page, session.range);
    if (row > 0) {
        op_fill_part(op, &session,
                     (struct va_range){{ref_va(page)}, {ref_va(page) + row * PAGE_SIZE}});
    }
    op_close(op, &session);
}

/* ---- beside all that ---- */

void op_sweep(const struct op *op)
{
    struct ref_space *space = op_hold(op);
    vaddr_t va = {0};

    if (space == NULL) {
        return;
    }
    for (unsigned left = 1U + op->in->arg[0] % 4U; left > 0; left--) {
        (void)vm_space_sweep(space->space, &va);
        if (va.raw == 0) {
            break;
        }
    }
    op_drop(space);
}

/* Keeps a reference on a page's frame until the hart borrows another, so that it is not the space's
 * alone. */
void op_borrow(const struct op *op)
{
    struct frame **mine = &op_world.borrowed[op->hart];
    struct op_session session;
    struct vm_slot slot;

    if (*mine != NULL) {
        frame_block_put(*mine, op_world.borrowed_level[op->hart]);
        *mine = NULL;
    }
    if (!op_open(op, &session, VM_CURSOR_QUERY)) {
        return;
    }
    if (vm_cursor_query_get(&session.cursor, &slot) == OK &&
        (slot.item.kind == VM_ITEM_RAM || slot.item.kind == VM_ITEM_HIDDEN)) {
        *mine = slot.item.frame;
        op_world.borrowed_level[op->hart] = slot.item.level;
    }
    op_close(op, &session);
}

void op_zero_ahead(const struct op *op)
{
    for (unsigned left = 1U + op->in->arg[0] % 4U; left > 0 && frame_zero_ahead(); left--) {
        continue;
    }
}
