/* SPDX-License-Identifier: MIT */
/*
 * Spaces of operations: handles, who runs what, and references as a kernel holds them: one for a
 * handle, one for a hart that runs the space, one for an operation under way.
 */
#include <string.h>

#include "arch_host/arch_host.h"
#include "mm/slab.h"
#include "mm/vm_budget.h"
#include "world/ops.h"
#include "world/reset.h"
#include "world/sched.h"

#define FEW_FRAMES 24U

struct op_world op_world;

bool op_lacks_memory(const struct op *op, status_t status)
{
    if (status != ERR_NOMEM) {
        return false;
    }
    OP_AGREE(op, op_world.may_lack || frame_free_count() < FEW_FRAMES,
             "no memory, with %lu frames free and no failure asked for", frame_free_count());
    return true;
}

/* The kernel's lock of the handles is held meanwhile. */
void op_take(struct ref_space *space)
{
    enum sched_noise before = sched_hush(SCHED_QUIET);

    space->refs++;
    vm_space_get(space->space);
    (void)sched_hush(before);
}

void op_drop(struct ref_space *space)
{
    bool is_last;

    if (op_world.may_end) {
        sched_step(ORACLE_WORD_STORE, (uint64_t)(uintptr_t)&space->refs);
    }
    is_last = space->refs == 1;
    space->refs--;
    vm_space_put(space->space);
    if (is_last) {
        space->space = NULL;
    }
}

/* Handles are about to be looked at or changed. */
static void step_on_handles(void)
{
    if (op_world.may_end) {
        sched_step(ORACLE_WORD_STORE, (uint64_t)(uintptr_t)op_world.handles);
    }
}

struct ref_space *op_hold(const struct op *op)
{
    struct ref_space *space;

    step_on_handles();
    space = op_world.handles[op->in->space % OP_HANDLES];
    for (unsigned i = 0; space == NULL && i < OP_HANDLES; i++) {
        space = op_world.handles[i];
    }
    if (space == NULL) {
        space = op_world.active[op->hart];
    }
    if (space != NULL) {
        op_take(space);
    }
    return space;
}

/* One of four has a budget, which it alone is charged to: its end must bring everything back. */
static status_t make_space(const struct op *op, struct vm_space **space)
{
    struct vm_budget *budget = NULL;
    status_t status = OK;

    if (op->in->arg[0] % 4U == 3) {
        op_world.may_lack = true;
        status = vm_budget_create(NULL, 1U + op->in->arg[1] % 32U, &budget);
    }
    if (status == OK) {
        status = vm_space_create(budget, space);
        vm_budget_put(budget);
    }
    return status;
}

void op_space_create(const struct op *op)
{
    struct ref_space **handle = &op_world.handles[op->in->space % OP_HANDLES];
    struct ref_space *row;
    struct vm_space *space;
    status_t status = make_space(op, &space);

    if (op_lacks_memory(op, status)) {
        return;
    }
    OP_AGREE(op, status == OK, "a space cannot be made: %s", status_name(status));
    step_on_handles();
    row = ref_space_add(space);
    if (row == NULL) {
        vm_space_put(space);
        return;
    }
    if (*handle != NULL) {
        struct ref_space *old = *handle;

        *handle = row;
        op_drop(old);
    } else {
        *handle = row;
    }
}

void op_space_destroy(const struct op *op)
{
    struct ref_space **handle = &op_world.handles[op->in->space % OP_HANDLES];
    struct ref_space *old;

    step_on_handles();
    old = *handle;
    if (old != NULL) {
        *handle = NULL;
        op_drop(old);
    }
}

void op_run_space(const struct op *op, struct ref_space *space)
{
    struct ref_space *old = op_world.active[op->hart];

    vm_space_activate(space != NULL ? space->space : NULL);
    OP_AGREE(op, vm_space_active() == (space != NULL ? space->space : NULL),
             "another space is active than the one that was activated");
    op_world.active[op->hart] = space;
    if (old != NULL) {
        op_drop(old);
    }
}

void op_space_activate(const struct op *op)
{
    struct ref_space *space = op_hold(op);

    if (space != NULL) {
        op_run_space(op, space); /* the reference is the hart's now */
    }
}

void op_space_leave(const struct op *op)
{
    op_run_space(op, NULL);
}

void op_reap(const struct op *op)
{
    unsigned pieces = 1U + op->in->arg[0] % 4U;

    while (pieces > 0 && vm_space_reap()) {
        pieces--;
    }
}

/* ---- frames that are not mapped ---- */

/* Takes frames and gives them back, so that what others free is somebody's again soon. */
void op_churn(const struct op *op)
{
    static const enum frame_type types[] = {FRAME_USER, FRAME_KERNEL, FRAME_USER, FRAME_KERNEL};
    struct frame *frames[4];
    unsigned count = 1U + op->in->arg[0] % 4U;
    unsigned got = 0;

    while (got < count && frame_alloc(types[(got + op->in->arg[0]) % 4], &frames[got]) == OK) {
        memset(frame_bytes(frames[got]), 0xa4, 64);
        got++;
    }
    while (got > 0) {
        frame_put(frames[--got]);
    }
}

/* Some allocation soon fails. */
void op_fail(const struct op *op)
{
    op_world.may_lack = true;
    frame_fail_after(op->in->arg[0] | (uint64_t)op->in->arg[1] << 8);
}

/* ---- start and end ---- */

static bool handles_change(const struct world_history *history)
{
    for (size_t i = history->setup_count; i < history->op_count; i++) {
        void (*function)(const struct op *op) = ops_row(history->ops[i].kind)->function;

        if (function == op_space_create || function == op_space_destroy ||
            function == op_object_create || function == op_object_drop) {
            return true;
        }
    }
    return false;
}

void op_begin_world(const struct world_history *history)
{
    struct op op = {0};

    memset(&op_world, 0, sizeof(op_world));
    op_world.audits = history->audits;
    op_world.may_end = handles_change(history);
    reset_machine(&history->config);
    ref_reset(history->config.levels);
    ref_touch_reset();
    ref_clone_reset();
    ref_object_reset();
    host_hart_set(0);
    for (unsigned i = 0; i < OP_SHARED; i++) {
        op_world.shared[i] = op_frame(&op);
    }
}

void op_note(unsigned hart, uint64_t value)
{
    op_world.notes[hart] = (op_world.notes[hart] ^ value) * UINT64_C(0x9e3779b97f4a7c15) + 1;
}

uint64_t op_digest(void)
{
    uint64_t digest = ref_digest();

    for (unsigned hart = 0; hart < HART_MAX; hart++) {
        digest = (digest ^ op_world.notes[hart]) * UINT64_C(0x100000001b3);
    }
    return digest;
}

/* Every space that has a handle: its tables, and what they hold page by page. */
static void audit_spaces(unsigned hart)
{
    for (uint8_t i = 0; i < OP_HANDLES; i++) {
        const struct world_op in = {.space = i, .shape = OP_WHOLE, .arg = {1, UINT8_MAX}};
        const struct op op = {hart, &in};

        if (op_world.handles[i] != NULL) {
            op_audit(&op);
            op_find(&op);
        }
    }
}

static void give_everything_back(const struct op *op)
{
    if (op_world.audits) {
        audit_spaces(op->hart);
    }
    for (unsigned i = 0; i < OP_HANDLES; i++) {
        if (op_world.handles[i] != NULL) {
            struct ref_space *space = op_world.handles[i];

            op_world.handles[i] = NULL;
            op_drop(space);
        }
    }
    for (unsigned i = 0; i < OP_OBJECTS; i++) {
        if (op_world.objects[i] != NULL) {
            mem_object_put(op_world.objects[i]->object);
        }
    }
    for (unsigned hart = 0; hart < HART_MAX; hart++) {
        if (op_world.borrowed[hart] != NULL) {
            frame_block_put(op_world.borrowed[hart], op_world.borrowed_level[hart]);
        }
        if (op_world.kept[hart] != NULL) {
            frame_block_put(op_world.kept[hart], 1);
        }
        frame_making_drop(&op_world.making[hart]);
    }
    frame_fail_after(UINT64_MAX);
    while (vm_space_reap()) {
        continue;
    }
    OP_AGREE(op, vm_space_reap_is_done(), "a dead space waits though nothing is left to reap");
    for (unsigned i = 0; i < OP_SHARED; i++) {
        uint32_t refs = atomic_load_explicit(&op_world.shared[i]->refs, memory_order_relaxed);

        OP_AGREE(op, refs == 1, "a shared frame ends with %u references", refs);
        frame_put(op_world.shared[i]);
    }
}

void op_end_world(unsigned hart)
{
    struct op op = {.hart = hart};
    uint64_t left;

    give_everything_back(&op);
    ref_touch_check(hart);
    left = frame_free_count();
    if (left != reset_free_frames()) {
        oracle_fail(ORACLE_RULE_AUDIT, hart, "%ld frames are lost", reset_free_frames() - left);
    }
    if (io_mem_refs(reset_region()) != 0) {
        oracle_fail(ORACLE_RULE_AUDIT, hart, "a device ends with %lu references",
                    io_mem_refs(reset_region()));
    }
    if (frame_check() != OK) {
        oracle_fail(ORACLE_RULE_AUDIT, hart, "the frame allocator is damaged");
    }
}
