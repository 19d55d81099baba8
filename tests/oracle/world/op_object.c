/* SPDX-License-Identifier: MIT */
/*
 * Operations on memory objects: made, named by marks, read and written page by page, resized, and
 * given up, by several harts at once.
 */
#include <string.h>

#include "arch_host/arch_host.h"
#include "mm/vm_budget.h"
#include "world/op.h"
#include "world/sched.h"

#define PIECES_MAX 64U

/* A step on the handles of objects, where other harts change them. */
static void step_on_objects(void)
{
    if (op_world.may_end) {
        sched_step(ORACLE_WORD_STORE, (uint64_t)(uintptr_t)op_world.objects);
    }
}

void op_object_put(struct ref_object *object)
{
    object->refs--;
    mem_object_put(object->object);
}

struct ref_object *op_object_hold(unsigned handle)
{
    struct ref_object *object;

    step_on_objects();
    object = op_world.objects[handle % OP_OBJECTS];
    object = object == NULL ? op_world.objects[(handle + 1) % OP_OBJECTS] : object;
    if (object != NULL) {
        mem_object_get(object->object);
        object->refs++;
    }
    return object;
}

static uint64_t pages_of(unsigned number)
{
    static const uint64_t pages[] = {6, 600, UINT64_C(1) << 19, MEM_OBJECT_PAGES_MAX, 3, 6, 12, 0};

    return pages[number % ARRAY_LEN(pages)];
}

/* Of one in eight memory comes in blocks, of which there are few. */
static unsigned level_of(const struct op *op)
{
    return op->in->page % 8U == 7 ? 1 : 0;
}

/* So many, or what makes whole blocks. */
static uint64_t round_pages(uint64_t pages, unsigned level)
{
    return align_up(pages, frame_block_frames(level));
}

/* One of four has a budget of its own, which pays for all that it comes to hold. */
static status_t make_object(const struct op *op, uint64_t pages, struct mem_object **object)
{
    struct vm_budget *budget = NULL;
    status_t status = OK;

    if (op->in->arg[0] % 4U == 3) {
        op_world.may_lack = true;
        status = vm_budget_create(NULL, 1U + op->in->arg[1] / 8U % 16U, &budget);
    }
    if (status == OK) {
        status = mem_object_create(budget, pages, level_of(op), object);
        vm_budget_put(budget);
    }
    return status;
}

void op_object_create(const struct op *op)
{
    struct ref_object **handle = &op_world.objects[op->in->space % OP_OBJECTS];
    uint64_t pages = round_pages(pages_of(op->in->arg[1]), level_of(op));
    struct mem_object *object;
    struct ref_object *row, *old;
    status_t status = make_object(op, pages, &object);

    if (op_lacks_memory(op, status)) {
        return;
    }
    OP_AGREE(op, status == OK, "an object cannot be made: %s", status_name(status));
    step_on_objects();
    op_world.may_lack = op_world.may_lack || level_of(op) > 0;
    row = ref_object_add(object, pages, level_of(op));
    if (row == NULL) {
        mem_object_put(object);
        return;
    }
    old = *handle;
    *handle = row;
    if (old != NULL) {
        op_object_put(old);
    }
}

void op_object_drop(const struct op *op)
{
    struct ref_object **handle = &op_world.objects[op->in->space % OP_OBJECTS];
    struct ref_object *old;

    step_on_objects();
    old = *handle;
    if (old != NULL) {
        *handle = NULL;
        op_object_put(old);
    }
}

/* ---- marks ---- */

/* Nobody else is in the kernel, and no dead space waits that may still name the object. */
static bool is_alone(void)
{
    return op_world.in_kernel == 1 && vm_space_reap_is_done();
}

void op_object_marked(struct ref_object *object, uint64_t end)
{
    if (is_alone() && !ref_object_is_used(object)) {
        object->marked_end = 0;
    }
    object->marked_end = object->marked_end > end ? object->marked_end : end;
}

void op_object_map(const struct op *op)
{
    struct ref_object *object = op_object_hold(op->in->arg[0] / 128U);
    struct vm_mark mark = {.kind = VM_ITEM_PAGED,
                           .prot = (enum vm_prot)(op->in->prot % 8U),
                           .object_page = op->in->arg[1] / 3U % 4U,
                           .share = (enum vm_share)(op->in->arg[1] % 3U)};
    struct op_session session;

    if (object == NULL) {
        return;
    }
    mark.object = object->object;
    if (mark.share == VM_SHARE_VIEW && op->in->arg[0] % 8U != 5) {
        mark.prot = (enum vm_prot)(mark.prot & VM_RX);
    }
    if (op_open(op, &session, VM_CURSOR_CHANGE)) {
        uint64_t bytes = session.range.end.raw - session.range.start.raw;

        op_object_marked(object, mark.object_page + bytes / PAGE_SIZE);
        op_mark_part(op, &session, session.range, mark);
        op_close(op, &session);
    }
    op_object_put(object);
}

/* ---- pages ---- */

static void write_page(const struct op *op, struct frame *frame)
{
    uint64_t stamp = op_stamp_new(op->hart);

    memcpy(frame_bytes(frame), &stamp, sizeof(stamp));
    oracle_frame_written(op->hart, frame_pa(frame).raw);
    ref_stamp_set(frame_pa(frame).raw, stamp);
}

/* The frame that was got is the page's, and holds what was last written there. */
static void check_page(const struct op *op, const struct ref_object *object, uint64_t page,
                       const struct frame *frame)
{
    const struct ref_object_page *known = ref_object_page(object->object, page);
    uint64_t pa = frame_pa(frame).raw;

    if (known == NULL ||
        (known->is_uncertain && (known->pa != pa || op_stamp_of(frame) == 0))) { /* cut, and new */
        OP_AGREE(op, op_stamp_of(frame) == 0, "a new page of an object holds %#lx",
                 op_stamp_of(frame));
        ref_object_page_seen(object->object, page, pa);
        return;
    }
    OP_AGREE(op, known->pa == pa && known->stamp == op_stamp_of(frame),
             "page %lu of an object is the frame %#lx with %#lx, not %#lx with %#lx",
             (unsigned long)page, pa, op_stamp_of(frame), known->pa, known->stamp);
}

void op_object_page(const struct op *op)
{
    struct ref_object *object = op_object_hold(op->in->space);
    enum mem_object_get how = op->in->arg[0] % 2U == 0 ? MEM_OBJECT_LOOK : MEM_OBJECT_MAKE;
    uint64_t page = op->in->arg[1] % 8U;
    struct ref_object_page *known;
    struct frame *frame;
    unsigned changes;
    bool was_known;
    status_t status;

    if (object == NULL) {
        return;
    }
    changes = object->changes;
    known = ref_object_page(object->object, page);
    was_known = known != NULL && !known->is_uncertain;
    status = mem_object_page_get(object->object, page, how, &frame);
    known = ref_object_page(object->object, page);
    was_known = was_known && known != NULL && !known->is_uncertain;
    if (status == OK) {
        OP_AGREE(op, page < object->pages || ref_object_may_differ(object, changes),
                 "page %lu of an object of %lu can be had", (unsigned long)page,
                 (unsigned long)object->pages);
        check_page(op, object, page, frame);
        if (op->in->arg[0] / 2U % 2U == 0) {
            write_page(op, frame);
        }
        frame_put(frame);
    } else if (!op_lacks_memory(op, status)) {
        OP_AGREE(op,
                 (status == ERR_NOENT && how == MEM_OBJECT_LOOK && !was_known) ||
                     (status == ERR_RANGE &&
                      (page >= object->pages || ref_object_may_differ(object, changes))),
                 "page %lu of an object gives %s", (unsigned long)page, status_name(status));
    }
    op_note(op->hart, (uint64_t)(int)status);
    op_object_put(object);
}

/* ---- size ---- */

static status_t resize(struct ref_object *object, uint64_t pages)
{
    status_t status = ERR_AGAIN;

    for (unsigned left = PIECES_MAX; left > 0 && status == ERR_AGAIN; left--) {
        status = mem_object_resize(object->object, pages);
    }
    return status;
}

/* The size that it has now, when nobody else has changed it meanwhile. */
static void note_size(struct ref_object *object)
{
    unsigned changes;

    do {
        changes = object->changes;
        object->pages = mem_object_state(object->object).pages;
    } while (changes != object->changes);
}

/* Whether the answer is right, if nobody else has changed the size meanwhile; alone: nobody did
 * anything, or has a frame of the object. */
static void check_resized(const struct op *op, struct ref_object *object, uint64_t pages,
                          status_t status, bool alone)
{
    OP_AGREE(op, status == OK || (status == ERR_BUSY && pages < object->pages),
             "an object that has %lu pages is to have %lu: %s", (unsigned long)object->pages,
             (unsigned long)pages, status_name(status));
    OP_AGREE(op, status != OK || !ref_object_is_named(object, pages),
             "an object is cut to %lu pages, while more are mapped", (unsigned long)pages);
    OP_AGREE(op, status == OK || !alone || object->marked_end > pages,
             "an object of which nothing past page %lu is used cannot be cut",
             (unsigned long)pages);
    if (status == OK) {
        ref_object_cut(object, pages);
    }
}

void op_object_resize(const struct op *op)
{
    struct ref_object *object = op_object_hold(op->in->space);
    uint64_t pages;
    uint64_t id = op_world.last_id;
    bool alone, is_borrowed, may_be_borrowed, has_rival;
    unsigned changes;
    status_t status;

    if (object == NULL) {
        return;
    }
    pages = round_pages(pages_of(op->in->arg[0]), object->level);
    op_object_marked(object, 0);
    alone = is_alone();
    is_borrowed = alone && ref_object_is_borrowed(object, pages);
    may_be_borrowed = ref_object_may_be_borrowed(object, pages);
    ref_object_cut_begin(object, pages);
    changes = ++object->changes;
    has_rival = object->is_changing++ > 0;
    status = resize(object, pages);
    alone = alone && op_world.last_id == id;
    OP_AGREE(op, status != OK || !alone || !is_borrowed, "an object is cut to %lu pages in use",
             (unsigned long)pages);
    if (!has_rival && changes == object->changes) {
        check_resized(op, object, pages, status, alone && !may_be_borrowed);
    }
    ref_object_cut_begin(object, pages); /* what was made meanwhile, too */
    note_size(object);
    object->is_changing--;
    object->changes++;
    op_note(op->hart, (uint64_t)(int)status);
    op_object_put(object);
}
