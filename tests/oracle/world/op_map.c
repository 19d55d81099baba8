/* SPDX-License-Identifier: MIT */
/* Operations that map: fresh frames, shared ones, devices; and their answers. */
#include "arch/arch.h"
#include "world/op.h"
#include "world/reset.h"

#include <string.h>

#define RUN_MAX 4U

uint64_t op_stamp_new(unsigned hart)
{
    return (uint64_t)(hart + 1) << 32 | ++op_world.stamps[hart];
}

struct frame *op_frame(const struct op *op)
{
    struct frame *frame;
    status_t status = frame_alloc(FRAME_USER, &frame);
    uint64_t word;

    if (op_lacks_memory(op, status)) {
        return NULL;
    }
    OP_AGREE(op, status == OK, "a frame cannot be had: %s", status_name(status));
    memcpy(&word, frame_bytes(frame), sizeof(word));
    OP_AGREE(op, word == 0, "a program's frame is handed out with %#lx in it", word);
    word = op_stamp_new(op->hart);
    memcpy(frame_bytes(frame), &word, sizeof(word));
    oracle_frame_written(op->hart, frame_pa(frame).raw);
    return frame;
}

uint64_t op_stamp_of(const struct frame *frame)
{
    uint64_t stamp;

    memcpy(&stamp, frame_bytes(frame), sizeof(stamp));
    return stamp;
}

static bool prot_is_legal(unsigned prot)
{
    return prot != 0 && (prot & VM_RW) != VM_W;
}

static bool is_shared(const struct frame *frame)
{
    bool is_one = false;

    for (unsigned i = 0; i < OP_SHARED; i++) {
        is_one |= op_world.shared[i] == frame;
    }
    return is_one;
}

void op_map_page(const struct op *op, struct op_session *session, unsigned page,
                 struct frame *frame, enum vm_map_mode mode)
{
    struct vm_prop prop = {.prot = (enum vm_prot)(op->in->prot % 8U)};
    struct ref_item item = {.kind = VM_ITEM_RAM,
                            .pa = frame_pa(frame).raw,
                            .prop = prop,
                            .stamp = op_stamp_of(frame),
                            .is_shared = !frame_has_one_ref(frame),
                            .is_private = !is_shared(frame)};
    bool is_taken = session->space->items[page].kind != VM_ITEM_ABSENT;
    uint64_t va = ref_va(page);
    uint64_t after;
    status_t status;

    op_jump(op, session, va);
    ref_announce(op->hart, session->space, page, item);
    ref_unsteady(session->space, va, va + PAGE_SIZE);
    status = vm_cursor_map(&session->cursor, frame, prop, mode);
    ref_steady(session->space, va, va + PAGE_SIZE);
    after = vm_cursor_va(&session->cursor).raw;
    OP_AGREE(op, after == (status == OK ? va + PAGE_SIZE : va),
             "after a map at %#lx the cursor is at %#lx", va, after);
    op_note(op->hart, (uint64_t)(int)status);
    if (status == OK) {
        item.stamp = op_stamp_of(frame); /* a program may have written meanwhile */
        ref_set(op->hart, session->space, page, item);
    } else {
        frame_put(frame);
    }
    if (op_lacks_memory(op, status)) {
        return;
    }
    if (!prot_is_legal(prop.prot)) {
        OP_AGREE(op, status == ERR_INVAL, "map with rights %u gives %s", prop.prot,
                 status_name(status));
    } else if (is_taken && mode == VM_MAP_EXCLUSIVE) {
        OP_AGREE(op, status == ERR_EXIST, "an exclusive map of a taken page gives %s",
                 status_name(status));
    } else {
        OP_AGREE(op, status == OK, "map gives %s", status_name(status));
    }
}

static void map_run(const struct op *op, enum vm_map_mode mode, struct frame *shared)
{
    struct op_session session;
    unsigned page;

    if (!op_open(op, &session, VM_CURSOR_CHANGE)) {
        return;
    }
    page = ref_page_from(session.range.start.raw);
    for (unsigned i = 0; i < RUN_MAX && page < REF_PAGES; i++, page++) {
        struct frame *frame = shared;

        if (ref_va(page) >= session.range.end.raw) {
            break;
        }
        if (shared != NULL) {
            frame_get(shared);
        } else {
            frame = op_frame(op);
        }
        if (frame == NULL) {
            break;
        }
        op_map_page(op, &session, page, frame, mode);
    }
    op_close(op, &session);
}

void op_map(const struct op *op)
{
    map_run(op, VM_MAP_REPLACE, NULL);
}

void op_map_exclusive(const struct op *op)
{
    map_run(op, VM_MAP_EXCLUSIVE, NULL);
}

void op_map_shared(const struct op *op)
{
    map_run(op, VM_MAP_REPLACE, op_world.shared[op->in->arg[0] % OP_SHARED]);
}

/* ---- devices ---- */

struct device_map {
    unsigned page, pages; /* where, and how many pages are asked for */
    uint64_t offset;      /* in pages                                */
    struct vm_prop prop;
    enum vm_map_mode mode;
};

static status_t device_expected(const struct op_session *session, const struct device_map *map,
                                unsigned clipped)
{
    uint64_t va = ref_va(map->page);

    if (!prot_is_legal(map->prop.prot) || (map->prop.prot & VM_X) != 0) {
        return ERR_INVAL;
    }
    if (map->prop.mem == VM_MEM_NC && !arch_has_svpbmt()) {
        return ERR_NOTSUP;
    }
    if (map->offset >= RESET_REGION_PAGES) {
        return ERR_RANGE;
    }
    if (map->mode == VM_MAP_EXCLUSIVE &&
        ref_is_taken(session->space, va, va + clipped * PAGE_SIZE)) {
        return ERR_EXIST;
    }
    return OK;
}

static void device_find(const struct op *op, struct op_session *session, uint64_t pa)
{
    struct io_mem *io = NULL;
    uint64_t offset = 0;
    status_t status = vm_space_find_iomem(session->space->space, (paddr_t){pa}, &io, &offset);
    uint64_t base = io_mem_range(reset_region()).start.raw;

    OP_AGREE(op, status == OK && io == reset_region() && offset == pa - base,
             "the region of %#lx, which is mapped and locked here, is not found: %s", pa,
             status_name(status));
}

static void map_device_at(const struct op *op, struct op_session *session, struct device_map map)
{
    uint64_t left = RESET_REGION_PAGES - (map.offset < RESET_REGION_PAGES ? map.offset : 0);
    unsigned clipped = map.pages < left ? map.pages : (unsigned)left;
    status_t expected = device_expected(session, &map, clipped);
    uint64_t base = io_mem_range(reset_region()).start.raw + map.offset * PAGE_SIZE;
    uint64_t va = ref_va(map.page);
    uint64_t mapped = 0;
    status_t status;
    struct vm_prop seen = {map.prop.prot, map.prop.mem == VM_MEM_PMA ? VM_MEM_IO : map.prop.mem};

    op_jump(op, session, va);
    for (unsigned i = 0; i < clipped; i++) {
        ref_announce(
            op->hart, session->space, map.page + i,
            (struct ref_item){.kind = VM_ITEM_IO, .pa = base + i * PAGE_SIZE, .prop = seen});
    }
    ref_unsteady(session->space, va, va + clipped * PAGE_SIZE);
    status = vm_cursor_map_iomem(&session->cursor, reset_region(), map.prop, map.pages * PAGE_SIZE,
                                 map.offset * PAGE_SIZE, map.mode, &mapped);
    ref_steady(session->space, va, va + clipped * PAGE_SIZE);
    if (status != expected && op_lacks_memory(op, status)) {
        return;
    }
    OP_AGREE(op, status == expected, "mapping %u pages of a device gives %s, not %s", map.pages,
             status_name(status), status_name(expected));
    if (status != OK) {
        return;
    }
    OP_AGREE(op, mapped == clipped * PAGE_SIZE, "%#lx bytes of a device are mapped, not %u pages",
             mapped, clipped);
    for (unsigned i = 0; i < clipped; i++) {
        ref_set(op->hart, session->space, map.page + i,
                (struct ref_item){.kind = VM_ITEM_IO, .pa = base + i * PAGE_SIZE, .prop = seen});
    }
    device_find(op, session, base);
}

void op_map_device(const struct op *op)
{
    struct op_session session;
    struct device_map map = {
        .offset = op->in->arg[0] % (RESET_REGION_PAGES + 1),
        .prop = {(enum vm_prot)(op->in->prot % 8U), (enum vm_mem)(op->in->arg[0] / 8 % 3)},
        .mode = op->in->arg[0] % 2 == 0 ? VM_MAP_REPLACE : VM_MAP_EXCLUSIVE,
    };
    unsigned row;

    if (!op_open(op, &session, VM_CURSOR_CHANGE)) {
        return;
    }
    map.page = ref_page_from(session.range.start.raw);
    map.page = map.page < OP_IO_PAGE ? OP_IO_PAGE : map.page;
    row = op_pages_in_a_row(map.page, session.range);
    if (row > 0) {
        map.pages = 1U + op->in->arg[0] / 32U % row;
        map_device_at(op, &session, map);
    }
    op_close(op, &session);
}
