/* SPDX-License-Identifier: MIT */
/* Operations that change the rights of a whole range in one call. */
#include "world/op.h"

/* Where the call must stop: at the first device page, after so many pages of RAM, or at the end. */
static uint64_t expected_stop(const struct op_session *session, uint64_t max_pages)
{
    uint64_t end = session->range.end.raw;
    uint64_t from = vm_cursor_va(&session->cursor).raw;

    for (uint64_t count = 0; count < max_pages;) {
        unsigned page = ref_present_from(session->space, from, end);

        if (page == REF_PAGES) {
            return end;
        }
        if (session->space->items[page].kind == VM_ITEM_IO) {
            return ref_va(page);
        }
        from = ref_va(page) + PAGE_SIZE;
        count++;
    }
    return from;
}

static struct ref_item with_rights(const struct ref_space *space, unsigned page, enum vm_prot prot)
{
    struct ref_item item = space->items[page];

    item.prop.prot = prot;
    return item;
}

/* Announces, or has had, the change of every page of RAM in [from, end). */
static uint64_t tell(const struct op *op, const struct op_session *session, uint64_t from,
                     uint64_t end,
                     void (*say)(unsigned, struct ref_space *, unsigned, struct ref_item))
{
    enum vm_prot prot = (enum vm_prot)(op->in->prot % 8U);
    uint64_t count = 0;

    for (;;) {
        unsigned page = ref_present_from(session->space, from, end);

        if (page == REF_PAGES || session->space->items[page].kind == VM_ITEM_IO) {
            return count;
        }
        say(op->hart, session->space, page, with_rights(session->space, page, prot));
        from = ref_va(page) + PAGE_SIZE;
        count++;
    }
}

static void protect_from_here(const struct op *op, struct op_session *session, uint64_t max_pages)
{
    enum vm_prot prot = (enum vm_prot)(op->in->prot % 8U);
    bool is_legal = prot != 0 && (prot & VM_RW) != VM_W;
    uint64_t from = vm_cursor_va(&session->cursor).raw;
    uint64_t end = session->range.end.raw;
    uint64_t stop = is_legal ? expected_stop(session, max_pages) : from;
    uint64_t count = tell(op, session, from, stop, ref_announce);
    uint64_t pages = count;
    status_t status;

    ref_unsteady(session->space, from, stop);
    status = vm_cursor_protect(&session->cursor, end - from, prot, max_pages, &pages);
    ref_steady(session->space, from, stop);
    OP_AGREE(op, status == (is_legal ? OK : ERR_INVAL), "protect of a range to %u gives %s", prot,
             status_name(status));
    OP_AGREE(op, vm_cursor_va(&session->cursor).raw == stop && pages == count,
             "protect of a range changes %lu pages and ends at %#lx, not %lu and %#lx",
             (unsigned long)pages, vm_cursor_va(&session->cursor).raw, (unsigned long)count, stop);
    (void)tell(op, session, from, stop, ref_set);
}

void op_protect_range(const struct op *op)
{
    struct op_session session;

    if (op_open(op, &session, op->in->arg[0] % 2U == 0 ? VM_CURSOR_EDIT : VM_CURSOR_CHANGE)) {
        op_jump(op, &session, session.range.start.raw);
        protect_from_here(op, &session, 1U + op->in->arg[0] / 2U % 16U);
        op_close(op, &session);
    }
}
