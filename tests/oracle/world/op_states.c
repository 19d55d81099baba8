/* SPDX-License-Identifier: MIT */
/* Several changes of state under one cursor, on two pages in turn: what is owed must be paid once
 * and in order, however a page got where it is. */
#include "world/op.h"

enum change {
    CHANGE_HIDE,
    CHANGE_SHOW,
    CHANGE_RESERVE,
    CHANGE_GUARD,
    CHANGE_UNMAP,
    CHANGE_FILL,
    CHANGE_TOUCH,
    CHANGE_SYNC,
};

static void touch(const struct op *op, struct op_session *session, unsigned page)
{
    enum vm_access access = (enum vm_access)(op->in->space / 4U % 3U);
    bool may = ref_grants(session->space, page, access);
    status_t status;

    op_jump(op, session, ref_va(page));
    ref_touch_begin(op->hart, (struct ref_touch){.kind = REF_TOUCH_ACCESS,
                                                 .space = session->space,
                                                 .start = ref_va(page),
                                                 .end = ref_va(page) + PAGE_SIZE,
                                                 .access = access});
    status = vm_cursor_touch(&session->cursor, access);
    ref_touch_end(op->hart);
    if (!op_lacks_memory(op, status)) {
        OP_AGREE(op, status == (may ? OK : ERR_FAULT), "a touch at %#lx gives %s", ref_va(page),
                 status_name(status));
    }
    OP_AGREE(op, vm_cursor_va(&session->cursor).raw == ref_va(page), "a touch moves to %#lx",
             vm_cursor_va(&session->cursor).raw);
}

static void protect(const struct op *op, struct op_session *session, struct va_range page,
                    enum vm_prot prot)
{
    struct va_range whole = session->range;

    op_jump(op, session, page.start.raw);
    session->range.end = page.end;
    op_protect_all(op, session, prot, 4);
    session->range = whole;
}

static void change(const struct op *op, struct op_session *session, enum change what, unsigned page)
{
    struct va_range range = {{ref_va(page)}, {ref_va(page) + PAGE_SIZE}};
    enum vm_prot prot = (enum vm_prot)(op->in->prot % 8U);

    switch (what) {
    case CHANGE_HIDE:
        protect(op, session, range, VM_PROT_NONE);
        return;
    case CHANGE_SHOW:
        protect(op, session, range, prot);
        return;
    case CHANGE_RESERVE: /* of a table's range the whole, so that the table goes */
        op_mark_part(op, session, op->in->shape == 8 ? session->range : range,
                     (struct vm_mark){.kind = VM_ITEM_RESERVED, .prot = prot});
        return;
    case CHANGE_GUARD:
        op_mark_part(op, session, range,
                     (struct vm_mark){.kind = VM_ITEM_GUARD, .prot = VM_PROT_NONE});
        return;
    case CHANGE_UNMAP:
        op_unmap_part(op, session, range.start.raw, range.end.raw);
        return;
    case CHANGE_FILL:
        op_fill_part(op, session, range);
        return;
    case CHANGE_TOUCH:
        touch(op, session, page);
        return;
    case CHANGE_SYNC:
        vm_cursor_sync(&session->cursor);
        return;
    }
}

/* Three bits each of arg[0] and the handle's number: what to do, on the pages in turn. */
void op_states(const struct op *op)
{
    unsigned script = op->in->arg[0] | (unsigned)op->in->space << 8;
    struct op_session session;
    unsigned first;
    unsigned count = 0;

    if (!op_open(op, &session, VM_CURSOR_CHANGE)) {
        return;
    }
    first = ref_page_from(session.range.start.raw);
    while (first + count < REF_PAGES && ref_va(first + count) < session.range.end.raw) {
        count++;
    }
    for (unsigned i = 0; count > 0 && i < 5; i++, script >>= 3) {
        change(op, &session, (enum change)(script % 8U), first + i / 3 % count);
    }
    op_close(op, &session);
}
