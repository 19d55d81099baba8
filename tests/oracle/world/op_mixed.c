/* SPDX-License-Identifier: MIT */
/* Operations of several actions under one cursor, and such as mm/ must refuse. */
#include <string.h>

#include "world/op.h"
#include "world/reset.h"

enum action {
    ACTION_UNMAP_PAGE,
    ACTION_UNMAP_REST,
    ACTION_MAP,
    ACTION_PROTECT,
    ACTION_LOOK,
    ACTION_SYNC,
    ACTION_MAP_AGAIN,
    ACTION_STOP,
};

static void act(const struct op *op, struct op_session *session, enum action action, unsigned page)
{
    uint64_t va = ref_va(page);
    struct frame *frame;

    switch (action) {
    case ACTION_UNMAP_PAGE:
        op_unmap_part(op, session, va, va + PAGE_SIZE);
        return;
    case ACTION_UNMAP_REST:
        op_unmap_part(op, session, va, session->range.end.raw);
        return;
    case ACTION_MAP:
    case ACTION_MAP_AGAIN:
        frame = op_frame(op);
        if (frame != NULL) {
            op_map_page(op, session, page, frame, VM_MAP_REPLACE);
        }
        return;
    case ACTION_PROTECT:
        op_protect_part(op, session, va, va + PAGE_SIZE);
        return;
    case ACTION_LOOK:
        op_look_at(op, session, page);
        return;
    case ACTION_SYNC:
        vm_cursor_sync(&session->cursor);
        return;
    case ACTION_STOP:
        return;
    }
}

/* Three bits of arg[0], arg[1] and the handle's number each: what to do, on the pages in turn. */
void op_mixed(const struct op *op)
{
    unsigned script =
        op->in->arg[0] | (unsigned)op->in->arg[1] << 8 | (unsigned)op->in->space << 16;
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
    for (unsigned i = 0; count > 0 && i < 6; i++, script >>= 3) {
        act(op, &session, (enum action)(script % 8U), first + i / 2 % count);
    }
    op_close(op, &session);
}

/* ---- what must be refused, with nothing changed ---- */

static void expect(const struct op *op, status_t got, status_t want, const char *what)
{
    OP_AGREE(op, got == want, "%s gives %s, not %s", what, status_name(got), status_name(want));
}

static void wrong_opens(const struct op *op, struct vm_space *space)
{
    uint64_t limit = vm_space_user_limit().raw;
    struct vm_cursor cursor;

    expect(op,
           vm_cursor_open(&cursor, space, (struct va_range){{0x1000}, {0x1000}}, VM_CURSOR_QUERY),
           ERR_INVAL, "an empty range");
    expect(op,
           vm_cursor_open(&cursor, space, (struct va_range){{0x1000}, {0x2008}}, VM_CURSOR_CHANGE),
           ERR_INVAL, "a range that ends inside a page");
    expect(op,
           vm_cursor_open(&cursor, space, (struct va_range){{0}, {limit + PAGE_SIZE}},
                          VM_CURSOR_CHANGE),
           ERR_RANGE, "a range past the user limit");
}

static void wrong_calls(const struct op *op, struct op_session *session)
{
    struct vm_cursor *cursor = &session->cursor;
    uint64_t whole = session->range.end.raw - session->range.start.raw;
    struct frame *frame = op_world.shared[0];
    struct vm_prop writable = {.prot = VM_RW};
    struct vm_removed removed;
    uint64_t mapped;
    vaddr_t found;

    op_jump(op, session, session->range.start.raw);
    expect(op, vm_cursor_unmap(cursor, 8, &removed), ERR_INVAL, "unmap of 8 bytes");
    expect(op, vm_cursor_unmap(cursor, whole + PAGE_SIZE, &removed), ERR_RANGE,
           "unmap of more than is locked");
    expect(op, vm_cursor_find_next(cursor, ~PAGE_MASK, &found), ERR_RANGE,
           "find_next of everything");
    expect(op, vm_cursor_find_next(cursor, 0, &found), ERR_NOENT, "find_next of nothing");
    expect(op, vm_cursor_jump(cursor, session->range.end), ERR_RANGE, "a jump to the end");
    expect(op, vm_cursor_jump(cursor, (vaddr_t){session->range.start.raw + 8}), ERR_INVAL,
           "a jump into a page");
    expect(op, vm_cursor_map(cursor, frame, (struct vm_prop){.prot = VM_W}, VM_MAP_REPLACE),
           ERR_INVAL, "map with W alone");
    expect(op, vm_cursor_map(cursor, frame, (struct vm_prop){VM_R, VM_MEM_NC}, VM_MAP_REPLACE),
           ERR_NOTSUP, "map of RAM that is not cached");
    expect(op,
           vm_cursor_map_iomem(cursor, reset_region(), writable, PAGE_SIZE,
                               RESET_REGION_PAGES * PAGE_SIZE, VM_MAP_REPLACE, &mapped),
           ERR_RANGE, "map past the end of a device");
    OP_AGREE(op, vm_cursor_va(cursor).raw == session->range.start.raw,
             "a refused call moved the cursor to %#lx", vm_cursor_va(cursor).raw);
}

void op_wrong(const struct op *op)
{
    struct op_session session;

    session.space = op_hold(op);
    if (session.space == NULL) {
        return;
    }
    wrong_opens(op, session.space->space);
    op_drop(session.space);
    if (op_open(op, &session, VM_CURSOR_CHANGE)) {
        wrong_calls(op, &session);
        op_close(op, &session);
    }
}
