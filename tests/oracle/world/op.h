/* SPDX-License-Identifier: MIT */
/*
 * Operations: what a hart can ask of mm/, one function each, and what they share.
 *
 * An operation calls mm's public functions, compares every answer with the reference, and keeps the
 * reference up to date.  Between two steps of mm/ the reference can be read and changed at once:
 * harts switch inside of mm's effects only.
 */
#pragma once

#include "mm/frame_block.h"
#include "world/ref.h"
#include "world/world.h"

#define OP_HANDLES 4U
#define OP_SHARED  3U
#define OP_OBJECTS 2U
#define OP_WHOLE   11U /* shape of the whole user range               */
#define OP_IO_PAGE 16U /* first page at which devices are mapped */

struct op {
    unsigned hart;
    const struct world_op *in;
};

/* What the harts share. */
struct op_world {
    struct ref_space *handles[OP_HANDLES];
    struct ref_space *active[HART_MAX]; /* each with a reference          */
    struct frame *shared[OP_SHARED];    /* mapped again and again         */
    struct ref_object *objects[OP_OBJECTS];
    struct frame *borrowed[HART_MAX]; /* a page's, or a block's, with a reference */
    unsigned borrowed_level[HART_MAX];
    struct frame *kept[HART_MAX];              /* a block, with a reference      */
    const struct ref_space *folding[HART_MAX]; /* where each folds, NULL: it does not */
    struct frame_making making[HART_MAX];      /* of the program's faults             */
    uint64_t stamps[HART_MAX];                 /* handed out by each hart        */
    uint64_t notes[HART_MAX];                  /* digest of what each has seen   */
    uint64_t last_id;
    unsigned in_kernel; /* harts between op_enter and op_leave */
    bool may_lack;      /* an allocation was made to fail in this history          */
    bool audits;        /* of the history                                           */
    bool may_end;       /* handles come and go while harts run side by side        */
};

extern struct op_world op_world;

/* Ends the history unless the condition holds: an answer differs from the reference. */
#define OP_AGREE(op, condition, ...)                                                               \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            oracle_fail(ORACLE_RULE_MEANING, (op)->hart, __VA_ARGS__);                             \
        }                                                                                          \
    } while (0)

/* A fresh start; and the end: the harts have left, everything is given back and counted. */
void op_begin_world(const struct world_history *history);
void op_end_world(unsigned hart);

/* The hart has seen this (for comparing executions), and a digest of all that was seen and of what
 * the spaces held in the end. */
void op_note(unsigned hart, uint64_t value);
uint64_t op_digest(void);

/* Does one operation, in the kernel or as a program, whole. */
void op_do(unsigned hart, const struct world_op *in);

/* ---- the kernel around operations (op_kernel.c) ---- */

/* From a program into the kernel, and back; each with an operation of the oracle's. */
void op_enter(unsigned hart);
void op_leave(unsigned hart);

/* ---- spaces ---- */

/* The space an operation is about, with a reference; NULL: there is none. */
struct ref_space *op_hold(const struct op *op);
void op_drop(struct ref_space *space);
void op_take(struct ref_space *space);

/* The hart runs that space, or none; the reference to it is the hart's now. */
void op_run_space(const struct op *op, struct ref_space *space);

/* True if this status may be the answer though nothing is wrong with the arguments: memory. */
bool op_lacks_memory(const struct op *op, status_t status);

/* ---- cursors (op_session.c) ---- */

struct op_session {
    struct ref_space *space;
    struct vm_cursor cursor;
    struct va_range range;
};

/* The range that `page` and `shape` of an operation name. */
struct va_range op_range(const struct world_op *in);

/* Opens a cursor there.  False: no space, or no memory; nothing is open. */
bool op_open(const struct op *op, struct op_session *session, enum vm_cursor_mode mode);
bool op_open_range(const struct op *op, struct op_session *session, struct va_range range,
                   enum vm_cursor_mode mode);
void op_close(const struct op *op, struct op_session *session);

/* Jumps to a page of the session's range. */
void op_jump(const struct op *op, struct op_session *session, uint64_t va);

/* Pages from `page` on that lie side by side and inside the range. */
unsigned op_pages_in_a_row(unsigned page, struct va_range range);

/* ---- actions inside a session, from its position on ---- */

/* A new frame with a stamp of its own; NULL: no memory. */
struct frame *op_frame(const struct op *op);
uint64_t op_stamp_of(const struct frame *frame);
uint64_t op_stamp_new(unsigned hart);

/* Maps a frame at a page; the reference to it is given up. */
void op_map_page(const struct op *op, struct op_session *session, unsigned page,
                 struct frame *frame, enum vm_map_mode mode);
void op_unmap_part(const struct op *op, struct op_session *session, uint64_t start, uint64_t end);
void op_protect_all(const struct op *op, struct op_session *session, enum vm_prot prot,
                    uint64_t max_pages);
void op_mark_part(const struct op *op, struct op_session *session, struct va_range range,
                  struct vm_mark mark);
void op_fill_part(const struct op *op, struct op_session *session, struct va_range range);
void op_protect_part(const struct op *op, struct op_session *session, uint64_t start, uint64_t end);
void op_look_at(const struct op *op, struct op_session *session, unsigned page);

/* True if tables of the space may be folding now. */
bool op_is_folded(const struct ref_space *space);

/* ---- objects (op_object.c) ---- */

/* The object behind a handle, with a reference, which op_object_put gives back; NULL: none. */
struct ref_object *op_object_hold(unsigned handle);
void op_object_put(struct ref_object *object);

/* Marks of the object may reach so far from now on. */
void op_object_marked(struct ref_object *object, uint64_t end);

/* ---- two sides of a clone or a move (op_sides.c) ---- */

struct op_sides {
    const struct op *op;
    struct vm_cursor pair[2]; /* from, to */
    struct ref_clone in;
};

/* Opens both.  False: no spaces, or no memory, or ranges that overlap; nothing is open. */
bool op_sides_open(struct op_sides *sides);
void op_sides_close(struct op_sides *sides);

/* What is in the way leaves first, under the same cursor: its flush is owed when the rest comes. */
void op_sides_make_way(struct op_sides *sides);

/* How many entries one call may change. */
unsigned op_edits(const struct op *op);

/* ---- one function for each kind ---- */

void op_space_create(const struct op *op);
void op_space_destroy(const struct op *op);
void op_space_activate(const struct op *op);
void op_space_leave(const struct op *op);
void op_space_parade(const struct op *op);
void op_reap(const struct op *op);
void op_map(const struct op *op);
void op_map_exclusive(const struct op *op);
void op_map_shared(const struct op *op);
void op_map_device(const struct op *op);
void op_map_frames(const struct op *op);
void op_unmap(const struct op *op);
void op_unmap_stepwise(const struct op *op);
void op_protect(const struct op *op);
void op_protect_range(const struct op *op);
void op_query(const struct op *op);
void op_find(const struct op *op);
void op_mixed(const struct op *op);
void op_wrong(const struct op *op);
void op_copy(const struct op *op);
void op_touch(const struct op *op);
void op_churn(const struct op *op);
void op_fail(const struct op *op);
void op_two(const struct op *op);
void op_nested(const struct op *op);
void op_clone(const struct op *op);
void op_move(const struct op *op);
void op_evict(const struct op *op);
void op_supply(const struct op *op);
void op_clear_accessed(const struct op *op);
void op_object_create(const struct op *op);
void op_object_drop(const struct op *op);
void op_object_map(const struct op *op);
void op_object_page(const struct op *op);
void op_object_resize(const struct op *op);
void op_icache_sync(const struct op *op);
void op_keep(const struct op *op);
void op_unmap_and_reap(const struct op *op);
void op_audit(const struct op *op);
void op_mark(const struct op *op);
void op_fill(const struct op *op);
void op_hide(const struct op *op);
void op_sweep(const struct op *op);
void op_borrow(const struct op *op);
void op_zero_ahead(const struct op *op);
void op_states(const struct op *op);
void op_map_block(const struct op *op);
void op_mark_large(const struct op *op);
void op_fold(const struct op *op);
void op_large(const struct op *op);
void op_txn(const struct op *op);
