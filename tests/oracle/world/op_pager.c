/* SPDX-License-Identifier: MIT */
/*
 * What pagers do: take private pages out to another space, bring them back, and take the accessed
 * bit from pages.
 */
#include "mm/vm_cursor_pager.h"
#include "world/op.h"

#define COOKIE 7U /* of the first page of the universe */

static bool has_frame(const struct ref_item *item)
{
    return item->kind == VM_ITEM_RAM || item->kind == VM_ITEM_HIDDEN;
}

/* What the page that is brought is where it goes, and what is left of it. */
struct handed {
    struct ref_item there, here;
};

static struct handed evicted(const struct ref_item *item, uint64_t cookie)
{
    struct handed handed = {.there = *item};

    handed.there.kind = VM_ITEM_RAM;
    handed.there.prop.prot = VM_R;
    handed.here = (struct ref_item){.kind = VM_ITEM_SWAPPED,
                                    .prop.prot = item->prop.prot,
                                    .share = VM_SHARE_NONE,
                                    .cookie = cookie};
    return handed;
}

static struct handed supplied(const struct ref_item *item, const struct ref_item *mark)
{
    struct handed handed = {.there = *item, .here = {.kind = VM_ITEM_ABSENT}};

    handed.there.prop.prot = mark->prop.prot;
    handed.there.kind = mark->prop.prot == VM_PROT_NONE ? VM_ITEM_HIDDEN : VM_ITEM_RAM;
    return handed;
}

/* A pager's call on one page. */
struct paging {
    const struct op *op;
    struct op_sides *sides;
    bool supplies;
    unsigned from, to; /* pages */
    uint64_t cookie;
};

static status_t refusal_of(const struct paging *call)
{
    const struct ref_item *item = &call->sides->in.from->items[call->from];
    const struct ref_item *there = &call->sides->in.to->items[call->to];

    if (!has_frame(item) || item->share == VM_SHARE_VIEW || item->is_shared || !item->is_private) {
        return ERR_NOENT;
    }
    if (!call->supplies) {
        return there->kind == VM_ITEM_ABSENT ? OK : ERR_EXIST;
    }
    return there->kind == VM_ITEM_SWAPPED && there->cookie == call->cookie ? OK : ERR_AGAIN;
}

static struct handed handed_of(const struct paging *call)
{
    const struct ref_item *item = &call->sides->in.from->items[call->from];

    return call->supplies ? supplied(item, &call->sides->in.to->items[call->to])
                          : evicted(item, call->cookie);
}

static status_t ask(const struct paging *call)
{
    struct vm_cursor *pair = call->sides->pair;

    return call->supplies ? vm_cursor_supply(&pair[0], &pair[1], PAGE_SIZE, 1, call->cookie)
                          : vm_cursor_evict(&pair[0], &pair[1], PAGE_SIZE, 1, call->cookie);
}

/* False: no further. */
static bool hand_over(const struct paging *call)
{
    const struct op *op = call->op;
    const struct ref_clone *in = &call->sides->in;
    uint64_t va = ref_va(call->from);
    status_t refusal = refusal_of(call);
    struct handed handed = handed_of(call);
    status_t status;

    if (refusal == OK) {
        ref_announce(op->hart, in->to, call->to, handed.there);
    }
    ref_unsteady(in->from, va, va + PAGE_SIZE);
    status = ask(call);
    ref_steady(in->from, va, va + PAGE_SIZE);
    OP_AGREE(op, vm_cursor_va(&call->sides->pair[0]).raw == va + (status == OK ? PAGE_SIZE : 0),
             "a pager's call at %#lx gives %s and stands at %#lx", va, status_name(status),
             vm_cursor_va(&call->sides->pair[0]).raw);
    if (status != refusal && op_lacks_memory(op, status)) {
        return false;
    }
    OP_AGREE(op, status == refusal, "a pager's call at %#lx gives %s, not %s", va,
             status_name(status), status_name(refusal));
    if (status == OK) {
        handed = handed_of(call);        /* with a program's store meanwhile */
        handed.there.is_written = false; /* D is not promised to whoever gets the page */
        ref_set(op->hart, in->to, call->to, handed.there);
        ref_set(op->hart, in->from, call->from, handed.here);
    }
    return status == OK;
}

/* Two spaces; the same row of pages in both, from the first page of the range on. */
static void hand_over_all(struct op_sides *sides, bool supplies)
{
    struct paging call = {.op = sides->op, .sides = sides, .supplies = supplies};
    struct va_range range = {{sides->in.start}, {sides->in.end}};
    unsigned from = ref_page_from(sides->in.start);
    unsigned to = ref_page_from(sides->in.target);
    unsigned count = op_pages_in_a_row(from, range);

    for (unsigned i = 0; i < count; i++) {
        call.from = from + i;
        call.to = to + i;
        call.cookie = COOKIE + (supplies ? call.to : call.from);
        if (vm_cursor_jump(&sides->pair[0], (vaddr_t){ref_va(call.from)}) != OK ||
            vm_cursor_jump(&sides->pair[1], (vaddr_t){ref_va(call.to)}) != OK ||
            !hand_over(&call)) {
            return;
        }
    }
}

static void page_out_or_in(const struct op *op, bool supplies)
{
    struct op_sides sides = {.op = op, .in = {.kind = REF_CLONE}};

    if (!op_sides_open(&sides)) {
        return;
    }
    if (op->in->prot % 4U == 3 && !supplies) {
        op_sides_make_way(&sides);
    }
    ref_clone_begin(op->hart, &sides.in);
    if (ref_va(ref_page_from(sides.in.start)) == sides.in.start) {
        hand_over_all(&sides, supplies);
    }
    op_sides_close(&sides);
}

void op_evict(const struct op *op)
{
    page_out_or_in(op, false);
}

void op_supply(const struct op *op)
{
    page_out_or_in(op, true);
}

/* ---- which pages are used ---- */

/* Where hardware sets no A, none has it now. */
static void check_taken(const struct op *op, struct op_session *session, unsigned page)
{
    struct vm_slot slot;

    op_look_at(op, session, page);
    OP_AGREE(op, vm_cursor_query(&session->cursor, &slot) == OK, "a query fails");
    OP_AGREE(op,
             slot.item.kind != VM_ITEM_RAM || !slot.item.accessed ||
                 oracle_config()->ad == ORACLE_AD_HARDWARE,
             "the page at %#lx still has A", ref_va(page));
}

void op_clear_accessed(const struct op *op)
{
    struct op_session session;
    uint64_t accessed = 0;
    uint64_t start, end, from;
    status_t status;

    if (!op_open(op, &session, VM_CURSOR_EDIT)) {
        return;
    }
    start = session.range.start.raw;
    end = session.range.end.raw;
    ref_clearing_begin(session.space, start, end);
    do {
        from = vm_cursor_va(&session.cursor).raw;
        status = vm_cursor_clear_accessed(&session.cursor, end - from, 2 * PTE_ENTRIES, &accessed);
        OP_AGREE(op,
                 (status == OK && vm_cursor_va(&session.cursor).raw > from) ||
                     (ref_has_large(session.space, from, end) && op_lacks_memory(op, status)),
                 "taking A from [%#lx, %#lx) gives %s", from, end, status_name(status));
    } while (status == OK && vm_cursor_va(&session.cursor).raw < end);
    end = vm_cursor_va(&session.cursor).raw;
    for (unsigned page = ref_page_from(start); page < REF_PAGES && ref_va(page) < end; page++) {
        check_taken(op, &session, page);
    }
    vm_cursor_close(&session.cursor);
    ref_clearing_end(session.space, start, session.range.end.raw);
    op_drop(session.space);
}
