/* SPDX-License-Identifier: MIT */
/*
 * Transactions: several changes of one range, all or none.  What must come of them is told from the
 * operations one after the other, part by part: a part is what lies between two of their ends.
 */
#include "mm/vm_cursor_txn.h"
#include "world/op.h"

#define CHANGES_MAX 4U

struct plan {
    struct op_session *session;
    unsigned count;
    struct vm_change changes[CHANGES_MAX];
    struct ref_object *object; /* whose pages it marks, with a reference; NULL: none */
};

static bool is_in(struct va_range range, uint64_t va)
{
    return range.start.raw <= va && va < range.end.raw;
}

/* The end of the part that begins at va. */
static uint64_t part_end(const struct plan *plan, uint64_t va, uint64_t end)
{
    for (unsigned i = 0; i < plan->count; i++) {
        struct va_range range = plan->changes[i].range;

        end = range.start.raw > va && range.start.raw < end ? range.start.raw : end;
        end = range.end.raw > va && range.end.raw < end ? range.end.raw : end;
    }
    return end;
}

/* The last of the first `count` changes that leaves something else at va; plan->count: none. */
static unsigned last_change(const struct plan *plan, unsigned count, uint64_t va)
{
    while (count > 0) {
        count--;
        if (plan->changes[count].kind != VM_CHANGE_PROTECT &&
            is_in(plan->changes[count].range, va)) {
            return count;
        }
    }
    return plan->count;
}

static bool has_device(const struct ref_space *space, uint64_t start, uint64_t end)
{
    return ref_count(space, start, end).io_pages > 0;
}

/* What one change must be refused for in a part that it covers. */
static status_t refusal_in(const struct plan *plan, unsigned i, uint64_t start, uint64_t end)
{
    const struct ref_space *space = plan->session->space;
    const struct vm_change *change = &plan->changes[i];
    unsigned before = last_change(plan, i, start);

    if (change->kind == VM_CHANGE_PROTECT && before == plan->count) {
        bool is_view = (change->prot & VM_W) != 0 && ref_first_view(space, start, end) < end;

        return has_device(space, start, end) ? ERR_INVAL : is_view ? ERR_ACCES : OK;
    }
    if (change->kind == VM_CHANGE_MARK && change->mode == VM_MAP_EXCLUSIVE) {
        bool is_taken = before == plan->count ? ref_is_taken(space, start, end)
                                              : plan->changes[before].kind == VM_CHANGE_MARK;

        return is_taken ? ERR_EXIST : OK;
    }
    return OK;
}

static status_t refusal_of(const struct plan *plan, unsigned i)
{
    const struct vm_change *change = &plan->changes[i];
    enum vm_prot prot = change->kind == VM_CHANGE_MARK ? change->mark.prot : change->prot;
    uint64_t end = change->range.end.raw;
    uint64_t next;

    if (change->kind != VM_CHANGE_UNMAP && (prot & VM_RW) == VM_W) {
        return ERR_INVAL;
    }
    for (uint64_t va = change->range.start.raw; va < end; va = next) {
        status_t status;

        next = part_end(plan, va, end);
        status = refusal_in(plan, i, va, next);
        if (status != OK) {
            return status;
        }
    }
    return OK;
}

/* Pages that leave: those of parts that some change empties or marks. */
static struct vm_removed count_removed(const struct plan *plan)
{
    struct vm_removed removed = {0};
    uint64_t end = plan->session->range.end.raw;
    uint64_t next;

    for (uint64_t va = plan->session->range.start.raw; va < end; va = next) {
        next = part_end(plan, va, end);
        if (last_change(plan, plan->count, va) < plan->count) {
            struct vm_removed part = ref_count(plan->session->space, va, next);

            removed.ram_pages += part.ram_pages;
            removed.io_pages += part.io_pages;
        }
    }
    return removed;
}

/* ---- what comes of it ---- */

static void announce(unsigned hart, struct ref_space *space, const struct vm_change *change)
{
    for (unsigned page = ref_page_from(change->range.start.raw);
         page < REF_PAGES && ref_va(page) < change->range.end.raw; page++) {
        struct ref_item item = space->items[page];

        if (change->kind == VM_CHANGE_PROTECT && change->prot != VM_PROT_NONE &&
            (item.kind == VM_ITEM_RAM || item.kind == VM_ITEM_HIDDEN)) {
            item.kind = VM_ITEM_RAM;
            item.prop.prot = change->prot;
            ref_announce(hart, space, page, item);
        }
    }
}

static void note(unsigned hart, struct ref_space *space, const struct vm_change *change)
{
    uint64_t start = change->range.start.raw;
    uint64_t end = change->range.end.raw;

    switch (change->kind) {
    case VM_CHANGE_UNMAP:
        ref_clear(hart, space, start, end);
        return;
    case VM_CHANGE_PROTECT:
        ref_rights_set(hart, space, start, end, change->prot);
        ref_mark_protect(hart, space, start, end, change->prot);
        return;
    case VM_CHANGE_MARK:
        ref_mark(hart, space, start, end, change->mark);
        return;
    }
}

static void check_status(const struct op *op, const struct plan *plan, status_t status,
                         unsigned failed)
{
    status_t refusal = OK;

    for (unsigned i = 0; i < plan->count && refusal == OK; i++) {
        refusal = refusal_of(plan, i);
    }
    if (status == ERR_2BIG || (status == ERR_RANGE && plan->object != NULL) ||
        (status != refusal && op_lacks_memory(op, status))) {
        return;
    }
    OP_AGREE(op,
             (status == OK) == (refusal == OK) &&
                 (status == OK || (failed < plan->count && refusal_of(plan, failed) == status)),
             "a transaction gives %s for operation %u, not %s", status_name(status), failed,
             status_name(refusal));
}

static void run(const struct op *op, struct plan *plan)
{
    struct op_session *session = plan->session;
    struct vm_removed expected = count_removed(plan);
    struct vm_removed removed = {0};
    uint64_t start = session->range.start.raw;
    uint64_t end = session->range.end.raw;
    unsigned failed = plan->count;
    status_t status;

    for (unsigned i = 0; i < plan->count; i++) {
        announce(op->hart, session->space, &plan->changes[i]);
    }
    ref_unsteady(session->space, start, end);
    status = vm_cursor_txn(&session->cursor, plan->changes, plan->count, &removed, &failed);
    ref_steady(session->space, start, end);
    check_status(op, plan, status, failed);
    OP_AGREE(op, vm_cursor_va(&session->cursor).raw == start, "a transaction moves to %#lx",
             vm_cursor_va(&session->cursor).raw);
    op_note(op->hart, (uint64_t)(int)status);
    if (status != OK) {
        return;
    }
    OP_AGREE(op, removed.ram_pages == expected.ram_pages && removed.io_pages == expected.io_pages,
             "a transaction says that %lu and %lu pages left, not %lu and %lu", removed.ram_pages,
             removed.io_pages, expected.ram_pages, expected.io_pages);
    for (unsigned i = 0; i < plan->count; i++) {
        note(op->hart, session->space, &plan->changes[i]);
    }
}

/* ---- which changes ---- */

/* A row of pages of the session's range; all of the range, if it is to be whole. */
static struct va_range pick(const struct op_session *session, unsigned bits, bool is_whole)
{
    unsigned first = ref_page_from(session->range.start.raw);
    unsigned count = ref_page_from(session->range.end.raw) - first;
    unsigned page = count > 0 ? first + bits % count : REF_PAGES;
    struct va_range row;

    if (is_whole || page == REF_PAGES) {
        return session->range;
    }
    row = (struct va_range){{ref_va(page)}, session->range.end};
    row.end.raw = row.start.raw + PAGE_SIZE * (bits / 4U % 2U + 1U < op_pages_in_a_row(page, row)
                                                   ? bits / 4U % 2U + 1U
                                                   : op_pages_in_a_row(page, row));
    return row;
}

/* Four bits of each argument say what change i is, and where. */
static struct vm_change change_of(const struct op *op, const struct plan *plan, unsigned i)
{
    const struct op_session *session = plan->session;
    unsigned what = op->in->arg[0] >> 2 * i & 3U;
    unsigned where = (unsigned)op->in->prot * 8U + (op->in->arg[1] >> 2 * i & 3U) + i;
    enum vm_prot prot = (enum vm_prot)((op->in->prot + i * (op->in->arg[1] & 1U)) % 8U);
    struct vm_change change = {.range = pick(session, where, (op->in->arg[1] >> i & 9U) == 9U),
                               .prot = prot,
                               .mode = i % 2U == 0 ? VM_MAP_REPLACE : VM_MAP_EXCLUSIVE};

    change.kind = what == 0 ? VM_CHANGE_UNMAP : what == 1 ? VM_CHANGE_PROTECT : VM_CHANGE_MARK;
    change.mark = (struct vm_mark){.kind = what == 2 ? VM_ITEM_RESERVED : VM_ITEM_GUARD,
                                   .prot = what == 2 ? prot : VM_PROT_NONE,
                                   .share = VM_SHARE_NONE};
    if (what == 2 && plan->object != NULL) {
        change.mark.kind = VM_ITEM_PAGED;
        change.mark.object = plan->object->object;
        change.mark.share = i % 2U == 0 ? VM_SHARE_ALL : VM_SHARE_NONE;
        op_object_marked(plan->object, (change.range.end.raw - change.range.start.raw) / PAGE_SIZE);
    }
    return change;
}

void op_txn(const struct op *op)
{
    struct op_session session;
    struct plan plan = {.session = &session, .count = 1U + op->in->arg[1] / 64U};

    plan.object = op->in->page % 2U == 1 ? op_object_hold(op->in->page / 2U) : NULL;
    if (op_open(op, &session, VM_CURSOR_CHANGE)) {
        for (unsigned i = 0; i < plan.count; i++) {
            plan.changes[i] = change_of(op, &plan, i);
        }
        run(op, &plan);
        op_close(op, &session);
    }
    if (plan.object != NULL) {
        op_object_put(plan.object);
    }
}
