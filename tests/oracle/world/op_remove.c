/* SPDX-License-Identifier: MIT */
/* Operations that take mappings or rights away. */
#include "world/op.h"

void op_unmap_part(const struct op *op, struct op_session *session, uint64_t start, uint64_t end)
{
    struct ref_space *space = session->space;
    struct vm_removed expected = ref_count(space, start, end);
    struct vm_removed removed = {0};
    status_t status;

    op_jump(op, session, start);
    ref_unsteady(space, start, end);
    status = vm_cursor_unmap(&session->cursor, end - start, &removed);
    ref_steady(space, start, end);
    if (op_lacks_memory(op, status)) {
        OP_AGREE(op,
                 vm_cursor_va(&session->cursor).raw == start && ref_has_marks(space, start, end),
                 "an unmap that splits no mark gives %s", status_name(status));
        return;
    }
    OP_AGREE(op, status == OK, "unmap gives %s", status_name(status));
    OP_AGREE(op, removed.ram_pages == expected.ram_pages && removed.io_pages == expected.io_pages,
             "unmap says %lu and %lu pages, not %lu and %lu", removed.ram_pages, removed.io_pages,
             expected.ram_pages, expected.io_pages);
    OP_AGREE(op, vm_cursor_va(&session->cursor).raw == end, "after an unmap the cursor is at %#lx",
             vm_cursor_va(&session->cursor).raw);
    op_note(op->hart, removed.ram_pages);
    ref_clear(op->hart, space, start, end);
}

/* Both kinds of cursor that may remove. */
static enum vm_cursor_mode edit_mode(const struct op *op)
{
    return op->in->arg[0] % 2 == 0 ? VM_CURSOR_EDIT : VM_CURSOR_CHANGE;
}

/* The same in pieces of so many entries. */
static void unmap_in_pieces(const struct op *op, struct op_session *session, unsigned edits)
{
    uint64_t end = session->range.end.raw;
    uint64_t from = session->range.start.raw;

    op_jump(op, session, from);
    while (from < end) {
        struct vm_removed removed = {0};
        struct vm_removed expected;
        status_t status;
        uint64_t now;

        ref_unsteady(session->space, from, end);
        status = vm_cursor_unmap_bounded(&session->cursor, end - from, edits, &removed);
        ref_steady(session->space, from, end);
        now = vm_cursor_va(&session->cursor).raw;
        expected = ref_count(session->space, from, now);
        if (op_lacks_memory(op, status)) {
            OP_AGREE(op, now == from, "an unmap that splits no mark moves to %#lx", now);
            return;
        }
        OP_AGREE(op, status == OK && now > from && now <= end,
                 "a bounded unmap from %#lx gives %s and stands at %#lx", from, status_name(status),
                 now);
        OP_AGREE(op,
                 removed.ram_pages == expected.ram_pages && removed.io_pages == expected.io_pages,
                 "a bounded unmap says %lu and %lu pages, not %lu and %lu", removed.ram_pages,
                 removed.io_pages, expected.ram_pages, expected.io_pages);
        ref_clear(op->hart, session->space, from, now);
        from = now;
    }
}

void op_unmap(const struct op *op)
{
    struct op_session session;
    uint64_t middle;

    if (!op_open(op, &session, edit_mode(op))) {
        return;
    }
    middle = align_down((session.range.start.raw + session.range.end.raw) / 2, PAGE_SIZE);
    if (op->in->arg[0] % 4 == 1 && middle > session.range.start.raw) {
        op_unmap_part(op, &session, middle, session.range.end.raw);
        vm_cursor_sync(&session.cursor);
        op_unmap_part(op, &session, session.range.start.raw, middle);
    } else if (op->in->arg[0] % 4 == 2) {
        unmap_in_pieces(op, &session, 1U + op->in->arg[0] / 4U % 4U);
    } else {
        op_unmap_part(op, &session, session.range.start.raw, session.range.end.raw);
    }
    op_close(op, &session);
}

/* As the kernel does whole-space work: bounded pieces, each with a cursor of its own. */
void op_unmap_stepwise(const struct op *op)
{
    struct va_range rest = op_range(op->in);
    struct world_op in = *op->in;
    struct op bounded = {op->hart, &in};
    struct op_session session;

    in.arg[1] %= 64;
    while (rest.start.raw < rest.end.raw &&
           op_open_range(&bounded, &session, rest, VM_CURSOR_EDIT)) {
        op_unmap_part(&bounded, &session, session.range.start.raw, session.range.end.raw);
        rest.start = session.range.end;
        op_close(&bounded, &session);
    }
}

/* ---- rights ---- */

struct change {
    const struct op *op;
    const struct ref_item *item;
};

static void change_rights(struct vm_rights *rights, void *context)
{
    const struct change *change = context;

    OP_AGREE(change->op,
             rights->prop.prot == change->item->prop.prot &&
                 rights->prop.mem == change->item->prop.mem,
             "protect sees rights %u, memory type %u, not %u, %u", rights->prop.prot,
             rights->prop.mem, change->item->prop.prot, change->item->prop.mem);
    rights->prop.prot = (enum vm_prot)(change->op->in->prot % 8U);
}

static status_t refusal_of(const struct ref_item *item)
{
    unsigned prot = item->prop.prot;

    if (prot == 0 || (prot & VM_RW) == VM_W || (item->kind != VM_ITEM_RAM && (prot & VM_X) != 0)) {
        return ERR_INVAL;
    }
    return item->share == VM_SHARE_VIEW && (prot & VM_W) != 0 ? ERR_ACCES : OK;
}

/* All that one leaf may map from `va` on gets these rights, perhaps. */
static void announce(const struct op *op, struct op_session *session, uint64_t va, uint64_t end,
                     enum vm_prot prot)
{
    struct ref_item first = ref_at(session->space, va);

    for (unsigned page = ref_page_from(va); page < REF_PAGES && ref_va(page) < end; page++) {
        struct ref_item item = session->space->items[page];

        if (!ref_is_uniform(session->space, va, ref_va(page) + PAGE_SIZE, &first)) {
            return;
        }
        item.prop.prot = prot;
        ref_announce(op->hart, session->space, page, item);
    }
}

/* The next present page of [start, end), or what there is to say if there is none. */
static bool protect_one(const struct op *op, struct op_session *session, uint64_t end)
{
    uint64_t from = vm_cursor_va(&session->cursor).raw;
    uint64_t present = ref_present_from(session->space, from, end);
    struct ref_item item = ref_at(session->space, present);
    struct change change = {op, &item};
    struct ref_item later = item;
    struct va_range changed = {0};
    status_t status;

    if (present == end) {
        status =
            vm_cursor_protect_next(&session->cursor, end - from, change_rights, &change, &changed);
        OP_AGREE(op, status == ERR_NOENT && vm_cursor_va(&session->cursor).raw == end,
                 "protect of nothing gives %s", status_name(status));
        return false;
    }
    later.prop.prot = (enum vm_prot)(op->in->prot % 8U);
    announce(op, session, present, end, later.prop.prot);
    status = vm_cursor_protect_next(&session->cursor, end - from, change_rights, &change, &changed);
    if (ref_has_large(session->space, from, end) && op_lacks_memory(op, status)) {
        return false;
    }
    OP_AGREE(op, status == refusal_of(&later), "protect to %u gives %s", later.prop.prot,
             status_name(status));
    if (status != OK) {
        return false;
    }
    op_note(op->hart, present);
    OP_AGREE(op,
             changed.start.raw == present && changed.end.raw > present && changed.end.raw <= end &&
                 vm_cursor_va(&session->cursor).raw == changed.end.raw &&
                 ref_is_uniform(session->space, present, changed.end.raw, &item),
             "protect changed [%#lx, %#lx), not the page at %#lx", changed.start.raw,
             changed.end.raw, present);
    ref_rights_set(op->hart, session->space, present, changed.end.raw, later.prop.prot);
    return true;
}

void op_protect_part(const struct op *op, struct op_session *session, uint64_t start, uint64_t end)
{
    op_jump(op, session, start);
    while (protect_one(op, session, end)) {
        continue;
    }
}

void op_protect(const struct op *op)
{
    struct op_session session;

    if (op_open(op, &session, edit_mode(op))) {
        op_protect_part(op, &session, session.range.start.raw, session.range.end.raw);
        op_close(op, &session);
    }
}
