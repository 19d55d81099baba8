/* SPDX-License-Identifier: MIT */
/*
 * Operations on pages above level 0: blocks that are mapped, marks that ask for them, tables that
 * fold; and stories of several, one after the other, so that what is large is split, changed and
 * folded again in one history.
 */
#include <string.h>

#include "mm/vm_cursor_large.h"
#include "world/op.h"

#define BYTES      pte_level_bytes(1)
#define PIECES_MAX 16U /* of making a block: 512 frames, 64 at once */

/* ---- blocks ---- */

/* A block of zeroes; NULL: none, or no memory. */
static struct frame *make_block(const struct op *op)
{
    struct frame_making making = {0};
    status_t status = ERR_AGAIN;

    frame_making_want(&making, 1, NULL);
    for (unsigned i = 0; status == ERR_AGAIN && i < PIECES_MAX; i++) {
        status = frame_making_step(&making);
    }
    OP_AGREE(op, status == OK || status == ERR_NOMEM, "making a block gives %s",
             status_name(status));
    return status == OK ? frame_making_take(&making) : NULL;
}

/* Frames that pages of the universe will lead to have stamps. */
static void stamp_block(const struct op *op, struct frame *block, uint64_t va)
{
    for (unsigned page = ref_page_from(va); page < REF_PAGES && ref_va(page) < va + BYTES; page++) {
        struct frame *frame = block + (ref_va(page) - va) / PAGE_SIZE;
        uint64_t stamp = op_stamp_new(op->hart);

        memcpy(frame_bytes(frame), &stamp, sizeof(stamp));
        oracle_frame_written(op->hart, frame_pa(frame).raw);
    }
}

static struct ref_item item_of(const struct op *op, const struct frame *block)
{
    bool is_alone = frame_block_has_one_ref(block, 1);

    return (struct ref_item){.kind = VM_ITEM_RAM,
                             .pa = frame_pa(block).raw,
                             .prop.prot = (enum vm_prot)(op->in->prot % 8U),
                             .is_shared = !is_alone,
                             .is_private = is_alone};
}

static void announce(const struct op *op, struct op_session *session, struct ref_item first,
                     uint64_t va)
{
    for (unsigned page = ref_page_from(va); page < REF_PAGES && ref_va(page) < va + BYTES; page++) {
        struct ref_item item = ref_item_at(&first, ref_va(page) - va);

        item.stamp = op_stamp_of(frame_of((paddr_t){item.pa}));
        ref_announce(op->hart, session->space, page, item);
    }
}

static void map_block(const struct op *op, struct op_session *session, struct frame *block)
{
    uint64_t va = session->range.start.raw;
    struct ref_item item = item_of(op, block);
    enum vm_map_mode mode = op->in->arg[0] % 4U == 3 ? VM_MAP_EXCLUSIVE : VM_MAP_REPLACE;
    bool is_taken = mode == VM_MAP_EXCLUSIVE && ref_is_taken(session->space, va, va + BYTES);
    bool is_legal = item.prop.prot != VM_PROT_NONE && (item.prop.prot & VM_RW) != VM_W;
    bool is_cut = session->range.end.raw < va + BYTES; /* by the bound of the cursor */
    status_t expected = !is_legal ? ERR_INVAL : is_cut ? ERR_RANGE : is_taken ? ERR_EXIST : OK;
    status_t status;

    announce(op, session, item, va);
    ref_unsteady(session->space, va, va + BYTES);
    status = vm_cursor_map_block(&session->cursor, block, 1, item.prop, mode);
    ref_steady(session->space, va, va + BYTES);
    op_note(op->hart, (uint64_t)(int)status);
    OP_AGREE(op, vm_cursor_va(&session->cursor).raw == va + (status == OK ? BYTES : 0),
             "after a map of a block at %#lx the cursor is at %#lx", va,
             vm_cursor_va(&session->cursor).raw);
    if (status == OK) {
        ref_put(op->hart, session->space, va, va + BYTES, item);
    } else {
        frame_block_put(block, 1);
    }
    if (status != expected && op_lacks_memory(op, status)) {
        return;
    }
    OP_AGREE(op, status == expected, "mapping a block gives %s, not %s", status_name(status),
             status_name(expected));
}

/* The 2 MiB that the operation's page lies in. */
static struct va_range block_range(const struct op *op)
{
    uint64_t va = align_down(ref_va(op->in->page % REF_PAGES), BYTES);

    return (struct va_range){{va}, {va + BYTES}};
}

/* The hart keeps a reference of one in four, so that it is not the space's alone. */
static void keep(const struct op *op, struct frame *block)
{
    struct frame **kept = &op_world.kept[op->hart];

    if (*kept != NULL) {
        frame_block_put(*kept, 1);
        *kept = NULL;
    }
    if (op->in->arg[0] / 4U % 4U == 3) {
        frame_block_get(block, 1);
        *kept = block;
    }
}

void op_map_block(const struct op *op)
{
    struct op_session session;
    struct frame *block = make_block(op);

    if (block == NULL) {
        return;
    }
    keep(op, block);
    stamp_block(op, block, block_range(op).start.raw);
    if (op_open_range(op, &session, block_range(op), VM_CURSOR_CHANGE)) {
        map_block(op, &session, block);
        op_close(op, &session);
    } else {
        frame_block_put(block, 1);
    }
}

void op_mark_large(const struct op *op)
{
    struct vm_mark mark = {.kind = VM_ITEM_RESERVED,
                           .prot = (enum vm_prot)(op->in->prot % 8U),
                           .share = VM_SHARE_NONE,
                           .page_level = 1U + op->in->arg[0] / 128U};
    struct va_range range = block_range(op);
    struct op_session session;

    if ((op->in->arg[0] & 4U) != 0) { /* as large as a table of blocks */
        range.start.raw = align_down(range.start.raw, pte_level_bytes(2));
        range.end.raw = range.start.raw + pte_level_bytes(2);
    }
    if (op_open_range(op, &session, range, VM_CURSOR_CHANGE)) {
        op_mark_part(op, &session, session.range, mark);
        op_close(op, &session);
    }
}

/* ---- folding ---- */

/* As far as it goes; what addresses mean stays. */
void op_fold(const struct op *op)
{
    bool is_one_block = op->in->arg[0] % 4U != 0;
    struct va_range range = is_one_block ? block_range(op) : op_range(op->in);
    struct op_session session;
    status_t status = OK;
    unsigned folded;
    uint64_t from;

    if (!op_open_range(op, &session, range, VM_CURSOR_CHANGE)) {
        return;
    }
    op_world.folding[op->hart] = session.space;
    oracle_move_begin(op->hart); /* code is where it was */
    do {
        from = vm_cursor_va(&session.cursor).raw;
        status = vm_cursor_fold(&session.cursor, session.range.end.raw - from,
                                1U + op->in->arg[0] / 4U % 4U, &folded);
    } while (status == OK && vm_cursor_va(&session.cursor).raw > from &&
             vm_cursor_va(&session.cursor).raw < session.range.end.raw);
    if (!op_lacks_memory(op, status)) {
        OP_AGREE(op, status == OK && vm_cursor_va(&session.cursor).raw == session.range.end.raw,
                 "a fold of [%#lx, %#lx) gives %s and stands at %#lx", range.start.raw,
                 range.end.raw, status_name(status), vm_cursor_va(&session.cursor).raw);
    }
    op_close(op, &session);
    op_world.folding[op->hart] = NULL;
}

bool op_is_folded(const struct ref_space *space)
{
    bool is_folded = false;

    for (unsigned hart = 0; hart < HART_MAX; hart++) {
        is_folded |= op_world.folding[hart] == space;
    }
    return is_folded;
}

/* ---- stories ---- */

/* What one operation of a story does; it takes the pages of the story. */
struct chapter {
    void (*function)(const struct op *op);
    uint8_t shape, arg0;
    uint8_t prot; /* 255: the story's */
};

static const struct chapter chapters[] = {
    {op_map_block, 0, 0, 255},     {op_map_block, 0, 0, VM_RW},    {op_mark_large, 0, 0x78, VM_RW},
    {op_mark_large, 0, 0x78, 255}, {op_unmap, 0, 0, 255},          {op_unmap, 1, 0, 255},
    {op_protect_range, 0, 0, 255}, {op_protect_range, 0, 0, VM_R}, {op_protect_range, 8, 1, VM_RW},
    {op_hide, 0, 0, 255},          {op_hide, 8, 0, 255},           {op_protect, 8, 0, VM_R},
    {op_map, 0, 0, VM_RW},         {op_fold, 0, 1, 255},           {op_fold, 0, 1, 255},
    {op_sweep, 0, 3, 255},
};

static void tell(unsigned hart, const struct op *op, const struct chapter *chapter, unsigned page)
{
    struct world_op in = *op->in;
    const struct op one = {hart, &in};

    in.page = (uint8_t)page;
    in.shape = chapter->shape;
    in.prot = chapter->prot == UINT8_MAX ? in.prot : chapter->prot;
    in.arg[0] = chapter->arg0;
    in.arg[1] = UINT8_MAX;
    op_enter(hart);
    chapter->function(&one);
    op_leave(hart);
}

/* Four bits each of arg[0], arg[1] and the handle's number. */
void op_large(const struct op *op)
{
    unsigned script = op->in->arg[0] | (unsigned)op->in->arg[1] << 8;

    for (unsigned i = 0; i < 4; i++, script >>= 4) {
        tell(op->hart, op, &chapters[script % 16U], op->in->page);
    }
}
