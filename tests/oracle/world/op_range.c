/* SPDX-License-Identifier: MIT */
/*
 * Operations that change the rights of a whole range in one call: of pages, hidden or not, and of
 * what is reserved.
 */
#include "world/op.h"

static bool is_ram(const struct ref_item *item)
{
    return item->kind == VM_ITEM_RAM || item->kind == VM_ITEM_HIDDEN;
}

/* The call comes no further than this: the first device page, the end of so many pages of RAM, or
 * of the range.  Marks may end it before, for each of them counts too, and large pages, as what
 * they count goes by their entries: how many there are is not for the reference to know. */
static uint64_t furthest_stop(const struct op_session *session, uint64_t max_pages)
{
    uint64_t end = session->range.end.raw;
    uint64_t from = vm_cursor_va(&session->cursor).raw;
    bool is_sure = !ref_has_large(session->space, from, end);

    for (unsigned page = ref_page_from(from); page < REF_PAGES && ref_va(page) < end; page++) {
        const struct ref_item *item = &session->space->items[page];

        if (item->kind == VM_ITEM_IO) {
            return ref_va(page);
        }
        if (is_ram(item) && is_sure && --max_pages == 0) {
            return ref_va(page) + PAGE_SIZE;
        }
    }
    return end;
}

/* Announces the change of every page of RAM in [from, end). */
static void announce(const struct op *op, const struct op_session *session, uint64_t from,
                     uint64_t end, enum vm_prot prot)
{
    for (unsigned page = ref_page_from(from); page < REF_PAGES && ref_va(page) < end; page++) {
        struct ref_item item = session->space->items[page];

        if (is_ram(&item)) {
            item.prop.prot = prot;
            item.kind = prot == VM_PROT_NONE ? VM_ITEM_HIDDEN : VM_ITEM_RAM;
            ref_announce(op->hart, session->space, page, item);
        }
    }
}

static void check_stop(const struct op *op, const struct op_session *session, uint64_t from,
                       uint64_t furthest)
{
    uint64_t stop = vm_cursor_va(&session->cursor).raw;

    OP_AGREE(op,
             stop == furthest || (stop > from && stop < furthest &&
                                  (ref_has_marks(session->space, from, stop) ||
                                   ref_has_large(session->space, from, furthest))),
             "protect of a range from %#lx ends at %#lx, not at %#lx", from, stop, furthest);
}

/* A view may end it, if all are to have W: unless what may be met was met before. */
static void check_status(const struct op *op, status_t status, uint64_t from, uint64_t stop,
                         uint64_t view)
{
    bool is_at_view = stop == view;

    OP_AGREE(op,
             (status == OK && !(is_at_view && stop == from)) || (status == ERR_ACCES && is_at_view),
             "protect of a range from %#lx, with a view at %#lx, gives %s and stands at %#lx", from,
             view, status_name(status), stop);
}

void op_protect_all(const struct op *op, struct op_session *session, enum vm_prot prot,
                    uint64_t max_pages)
{
    bool is_legal = prot == VM_PROT_NONE || (prot & VM_RW) != VM_W;
    uint64_t from = vm_cursor_va(&session->cursor).raw;
    uint64_t end = session->range.end.raw;
    uint64_t view = (prot & VM_W) != 0 ? ref_first_view(session->space, from, end) : end;
    uint64_t furthest = is_legal ? furthest_stop(session, max_pages) : from;
    uint64_t pages = 0;
    uint64_t stop, count;
    status_t status;

    furthest = view < furthest ? view : furthest;
    announce(op, session, from, furthest, prot);
    ref_unsteady(session->space, from, furthest);
    status = vm_cursor_protect(&session->cursor, end - from, prot, max_pages, &pages);
    ref_steady(session->space, from, furthest);
    stop = vm_cursor_va(&session->cursor).raw;
    if (!is_legal) {
        OP_AGREE(op, status == ERR_INVAL && stop == from, "protect of a range to %u gives %s", prot,
                 status_name(status));
        return;
    }
    if (op_lacks_memory(op, status)) {
        OP_AGREE(op, stop == from, "a protect without memory moves to %#lx", stop);
        return;
    }
    check_status(op, status, from, stop, view < end ? view : UINT64_MAX);
    check_stop(op, session, from, furthest);
    count = ref_count(session->space, from, stop).ram_pages;
    ref_rights_set(op->hart, session->space, from, stop, prot);
    ref_mark_protect(op->hart, session->space, from, stop, prot);
    OP_AGREE(op, pages == count, "protect of [%#lx, %#lx) says %lu pages, not %lu", from, stop,
             (unsigned long)pages, (unsigned long)count);
}

static void protect_range(const struct op *op, enum vm_prot prot)
{
    struct op_session session;

    if (op_open(op, &session, op->in->arg[0] % 2U == 0 ? VM_CURSOR_EDIT : VM_CURSOR_CHANGE)) {
        op_jump(op, &session, session.range.start.raw);
        op_protect_all(op, &session, prot, 1U + op->in->arg[0] / 2U % 16U);
        op_close(op, &session);
    }
}

void op_protect_range(const struct op *op)
{
    protect_range(op, (enum vm_prot)(op->in->prot % 8U));
}

void op_hide(const struct op *op)
{
    protect_range(op, VM_PROT_NONE);
}
