/* SPDX-License-Identifier: MIT */
/* Mapping several frames in one call: all or none of them, with one flush for what was there. */
#include "world/op.h"

#define FRAMES_MAX 6U

struct batch {
    unsigned page, count;
    struct frame *frames[FRAMES_MAX];
    struct vm_prop prop;
    enum vm_map_mode mode;
};

static struct ref_item item_of(const struct batch *batch, unsigned i)
{
    return (struct ref_item){.kind = VM_ITEM_RAM,
                             .pa = frame_pa(batch->frames[i]).raw,
                             .prop = batch->prop,
                             .stamp = op_stamp_of(batch->frames[i]),
                             .is_private = true};
}

static status_t expected_of(const struct op_session *session, const struct batch *batch)
{
    uint64_t va = ref_va(batch->page);
    unsigned prot = batch->prop.prot;

    if (prot == 0 || (prot & VM_RW) == VM_W) {
        return ERR_INVAL;
    }
    if (batch->mode == VM_MAP_EXCLUSIVE &&
        ref_is_taken(session->space, va, va + batch->count * PAGE_SIZE)) {
        return ERR_EXIST;
    }
    return OK;
}

static void map_batch(const struct op *op, struct op_session *session, const struct batch *batch)
{
    uint64_t va = ref_va(batch->page);
    uint64_t end = va + batch->count * PAGE_SIZE;
    status_t expected = expected_of(session, batch);
    uint64_t after;
    status_t status;

    op_jump(op, session, va);
    for (unsigned i = 0; i < batch->count; i++) {
        ref_announce(op->hart, session->space, batch->page + i, item_of(batch, i));
    }
    ref_unsteady(session->space, va, end);
    status = vm_cursor_map_frames(&session->cursor, batch->frames, batch->count, batch->prop,
                                  batch->mode);
    ref_steady(session->space, va, end);
    after = vm_cursor_va(&session->cursor).raw;
    OP_AGREE(op, after == (status == OK ? end : va),
             "after a map of %u frames at %#lx the cursor is at %#lx", batch->count, va, after);
    for (unsigned i = 0; i < batch->count; i++) {
        if (status == OK) {
            ref_set(op->hart, session->space, batch->page + i, item_of(batch, i));
        } else {
            frame_put(batch->frames[i]);
        }
    }
    op_note(op->hart, (uint64_t)(int)status);
    if (status != expected && op_lacks_memory(op, status)) {
        return;
    }
    OP_AGREE(op, status == expected, "mapping %u frames gives %s, not %s", batch->count,
             status_name(status), status_name(expected));
}

void op_map_frames(const struct op *op)
{
    struct op_session session;
    struct batch batch = {
        .prop = {.prot = (enum vm_prot)(op->in->prot % 8U)},
        .mode = op->in->arg[0] % 4 == 3 ? VM_MAP_EXCLUSIVE : VM_MAP_REPLACE,
    };
    unsigned wanted;

    if (!op_open(op, &session, VM_CURSOR_CHANGE)) {
        return;
    }
    batch.page = ref_page_from(session.range.start.raw);
    wanted = op_pages_in_a_row(batch.page, session.range);
    wanted = wanted < FRAMES_MAX ? wanted : FRAMES_MAX;
    while (batch.count < wanted && (batch.frames[batch.count] = op_frame(op)) != NULL) {
        batch.count++;
    }
    if (batch.count > 0) {
        map_batch(op, &session, &batch);
    }
    op_close(op, &session);
}
