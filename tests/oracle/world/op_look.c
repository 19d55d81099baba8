/* SPDX-License-Identifier: MIT */
/* Operations that only look: at slots one by one, and for what is mapped. */
#include "mm/frame_block.h"
#include "world/op.h"

#define SLOTS_MAX 64U /* looked at by one operation */

static bool has_frame(const struct vm_item *item)
{
    return item->kind == VM_ITEM_RAM || item->kind == VM_ITEM_HIDDEN;
}

static void check_item(const struct op *op, const struct vm_item *got, const struct ref_item *item,
                       uint64_t va)
{
    OP_AGREE(op, got->kind == item->kind, "the slot at %#lx holds kind %u, not %u", va, got->kind,
             item->kind);
    OP_AGREE(op, item->kind == VM_ITEM_ABSENT || got->prop.prot == item->prop.prot,
             "the slot at %#lx has rights %u, not %u", va, got->prop.prot, item->prop.prot);
    if (item->kind == VM_ITEM_IO || has_frame(got)) {
        OP_AGREE(op,
                 got->pa.raw == item->pa && got->prop.mem == item->prop.mem &&
                     (got->accessed || item->may_lack_a),
                 "the slot at %#lx is %#lx, not %#lx", va, got->pa.raw, item->pa);
        OP_AGREE(op, !item->is_written || got->dirty,
                 "the slot at %#lx has no D, though a program has written there", va);
    }
    OP_AGREE(op,
             got->kind == VM_ITEM_GUARD || got->kind == VM_ITEM_ABSENT ||
                 (got->share == VM_SHARE_VIEW) == (item->share == VM_SHARE_VIEW),
             "the slot at %#lx is a view, or should be one", va);
    OP_AGREE(op,
             got->kind != VM_ITEM_PAGED ||
                 (got->share == item->share && got->object == item->object &&
                  got->object_page == item->object_page),
             "the slot at %#lx names page %lu of an object, not %lu, or another one", va,
             (unsigned long)got->object_page, (unsigned long)item->object_page);
    OP_AGREE(op, got->kind != VM_ITEM_RESERVED || got->page_level == item->page_level,
             "the slot at %#lx is reserved for pages of level %u, not %u", va, got->page_level,
             item->page_level);
    OP_AGREE(op, got->kind != VM_ITEM_SWAPPED || got->cookie == item->cookie,
             "the slot at %#lx has the cookie %lu", va, (unsigned long)got->cookie);
    OP_AGREE(op, !has_frame(got) || got->level > 0 || got->frame == frame_of(got->pa),
             "the slot at %#lx names another frame than its address", va);
}

void op_look_at(const struct op *op, struct op_session *session, unsigned page)
{
    uint64_t va = ref_va(page);
    struct ref_item item;
    struct vm_slot slot;
    status_t status;

    op_jump(op, session, va);
    status = vm_cursor_query_get(&session->cursor, &slot);
    OP_AGREE(op, status == OK, "query gives %s", status_name(status));
    OP_AGREE(op, slot.range.start.raw <= va && slot.range.end.raw > va,
             "query at %#lx tells of [%#lx, %#lx)", va, slot.range.start.raw, slot.range.end.raw);
    item = ref_at(session->space, slot.range.start.raw);
    check_item(op, &slot.item, &item, va);
    OP_AGREE(op,
             ref_is_uniform(session->space, slot.range.start.raw, slot.range.end.raw, &item) ||
                 item.kind == VM_ITEM_IO,
             "the slot [%#lx, %#lx) is not all of kind %u", slot.range.start.raw,
             slot.range.end.raw, item.kind);
    if (has_frame(&slot.item)) {
        frame_block_put(slot.item.frame, slot.item.level);
    }
}

/* All slots of the range, in order. */
void op_query(const struct op *op)
{
    struct op_session session;
    struct vm_slot slot;
    unsigned left = SLOTS_MAX;
    uint64_t at;

    if (!op_open(op, &session, op->in->arg[0] % 4 == 0 ? VM_CURSOR_CHANGE : VM_CURSOR_QUERY)) {
        return;
    }
    at = session.range.start.raw;
    for (; left > 0 && vm_cursor_next(&session.cursor, &slot) == OK; left--) {
        struct ref_item item = ref_at(session.space, slot.range.start.raw);

        OP_AGREE(op, slot.range.start.raw == at && slot.range.end.raw > at,
                 "the slot after %#lx is [%#lx, %#lx)", at, slot.range.start.raw,
                 slot.range.end.raw);
        check_item(op, &slot.item, &item, at);
        OP_AGREE(op, ref_is_uniform(session.space, at, slot.range.end.raw, &item),
                 "the slot [%#lx, %#lx) is not all of kind %u", at, slot.range.end.raw, item.kind);
        at = slot.range.end.raw;
    }
    OP_AGREE(op, left == 0 || at == session.range.end.raw, "the slots end at %#lx, not at %#lx", at,
             session.range.end.raw);
    op_close(op, &session);
}

void op_find(const struct op *op)
{
    struct op_session session;
    uint64_t end;

    if (!op_open(op, &session, VM_CURSOR_QUERY)) {
        return;
    }
    end = session.range.end.raw;
    for (;;) {
        uint64_t from = vm_cursor_va(&session.cursor).raw;
        uint64_t present = ref_present_from(session.space, from, end);
        vaddr_t found = {0};
        status_t status = vm_cursor_find_next(&session.cursor, end - from, &found);

        if (present == end) {
            OP_AGREE(op, status == ERR_NOENT && vm_cursor_va(&session.cursor).raw == end,
                     "find_next finds %#lx, where nothing is", found.raw);
            break;
        }
        OP_AGREE(op, status == OK && found.raw == present,
                 "find_next gives %s and %#lx, not the page at %#lx", status_name(status),
                 found.raw, present);
        present = ref_next_edge(session.space, present, end);
        if (present == end) {
            break;
        }
        op_jump(op, &session, present);
    }
    op_close(op, &session);
}
